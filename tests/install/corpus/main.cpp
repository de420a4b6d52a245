// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs the objects of a folder on rank processes and compares every element of every output.
//
// usage: run_corpus <folder of objects>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "tileput/worker.hpp"

namespace {

constexpr int kElements = 512;  // of every input and every output
constexpr float kPoison = -1.0F;
constexpr int kRanksMax = 4;

/// Element i of rank r's input.
using Input = float (*)(int r, int i);
/// Element i of rank r's output among n ranks.
using Golden = float (*)(Input in, int r, int i, int n);

struct Case {
  const char* name;
  const char* orchestration;
  const char* entry;
  std::vector<std::pair<tileput::KernelSpec, const char*>> kernels;  // with the name of the object
  Input in;
  Golden golden;
};

/// Distinct everywhere, and so that sums over ranks tell which ranks are in them.
float numbered(int r, int i) { return static_cast<float>((r == 0 ? 1 : r == 1 ? 5 : r == 2 ? 25 : 125) * 512 + i); }
/// Small integers: products and bfloat16 hold them exactly.
float small(int r, int i) { return static_cast<float>((i * 7 + r * 3) % 5 - 2); }

float sum_over_ranks(Input in, int i, int n) {
  float sum = 0;
  for (int r = 0; r < n; ++r) {
    sum += in(r, i);
  }
  return sum;
}

float shifted(Input in, int r, int i, int n) {
  const int left = (r + n - 1) % n;
  return i < 64 ? in(left, i) : i == 64 ? in(left, 63) : kPoison;
}

float exchanged(Input in, int r, int i, int n) { return i < 64 * n ? in(i / 64, 64 * r + i % 64) : kPoison; }

float counted(Input /*in*/, int r, int i, int n) { return i < n ? static_cast<float>((i + 1) * (r + 3)) : kPoison; }

float summed(Input in, int /*r*/, int i, int n) {
  return i < 256 ? sum_over_ranks(in, i, n) : i == 256 ? static_cast<float>(n * (n + 1) / 2) : kPoison;
}

float reduced(Input in, int /*r*/, int i, int n) { return i < 128 ? sum_over_ranks(in, i, n) : kPoison; }

float weighted(Input in, int r, int i, int /*n*/) {
  float sum = 0;
  for (int c = 0; c < 8 && i < 16; ++c) {
    sum += 1.5F * in(r, i * 8 + c);
  }
  const int route = i - 64;
  return i < 16 ? sum : route >= 0 && route < 32 ? static_cast<float>(route / 2 * 8 + route % 2 * 4 + 2) : kPoison;
}

float multiplied(Input in, int /*r*/, int i, int n) {
  float sum = 0;
  for (int rank = 0; rank < n && i < 256; ++rank) {
    for (int k = 0; k < 16; ++k) {
      sum += in(rank, i / 16 * 16 + k) * in(rank, 256 + k * 16 + i % 16);
    }
  }
  return i < 256 ? sum : kPoison;
}

std::vector<Case> all_cases() {
  const auto exchange = [](const char* kernel, Input in, Golden golden) {
    return Case{kernel, "exchange_orch", "", {{{.func_id = 7}, kernel}}, in, golden};
  };
  return {
      exchange("ring_shift", &numbered, &shifted),
      exchange("mesh_exchange", &numbered, &exchanged),
      exchange("counter_table", &numbered, &counted),
      exchange("atomic_allreduce", &numbered, &summed),
      exchange("rooted_reduce", &numbered, &reduced),
      exchange("async_shift", &numbered, &shifted),
      exchange("token_weights", &small, &weighted),
      {"linear",
       "linear_orch",
       "linear_orchestration",
       {{{.func_id = 40, .core = tileput::Core::kAic}, "linear"}, {{.func_id = 3}, "partial_sum"}},
       &small,
       &multiplied},
      {"deferred",
       "deferred_orch",
       "",
       {{{.func_id = 2}, "deferred_push"}, {{.func_id = 0}, "deferred_consume"}},
       &numbered,
       &shifted},
      {"allocated",
       "allocated_orch",
       "",
       {{{.func_id = 2}, "deferred_push"}, {{.func_id = 0}, "deferred_consume"}},
       &numbered,
       &shifted},
  };
}

/// The number of wrong elements.
int run(tileput::Worker& worker, const std::filesystem::path& folder, const Case& what, int n) {
  tileput::CallableSpec spec{.orchestration = folder / (std::string(what.orchestration) + ".so")};
  if (*what.entry != '\0') {
    spec.entry = what.entry;
  }
  for (const auto& [kernel, name] : what.kernels) {
    spec.kernels.push_back(kernel);
    spec.kernels.back().path = folder / (std::string(name) + ".so");
  }
  const tileput::Callable callable = worker.load(spec);

  std::vector<std::vector<float>> in(static_cast<std::size_t>(n));
  std::vector<std::vector<float>> out(in.size(), std::vector<float>(kElements, kPoison));
  tileput::DomainOptions options{.buffers = {{.name = "scratch", .bytes = 16384}}};
  for (int r = 0; r < n; ++r) {
    options.ranks.push_back(r);
    for (int i = 0; i < kElements; ++i) {
      in[static_cast<std::size_t>(r)].push_back(what.in(r, i));
    }
  }
  worker.run([&](tileput::Orchestrator& o) {
    const tileput::Domain domain = o.allocate_domain(options);
    std::vector<tileput::RankTask> group;
    for (int r = 0; r < n; ++r) {
      const auto rank = static_cast<std::size_t>(r);
      tileput::TaskArgs args;
      args.add_input(tileput::Tensor::of(in[rank])).add_output(tileput::Tensor::of(out[rank]));
      args.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
      group.push_back({r, args});
    }
    o.submit_group(callable, group);
  });

  int wrong = 0;
  for (int r = 0; r < n; ++r) {
    for (int i = 0; i < kElements; ++i) {
      const float expected = what.golden(what.in, r, i, n);
      const float seen = out[static_cast<std::size_t>(r)][static_cast<std::size_t>(i)];
      if (seen != expected && ++wrong == 1) {
        std::printf("%s, %d ranks: element %d of rank %d is %g instead of %g\n", what.name, n, i, r,
                    static_cast<double>(seen), static_cast<double>(expected));
      }
    }
  }
  return wrong;
}

}  // namespace

int main(int count, char** values) {
  if (count != 2) {
    std::fprintf(stderr, "usage: run_corpus <folder of objects>\n");
    return 2;
  }
  int failures = 0;
  const std::vector<Case> cases = all_cases();
  tileput::Worker worker({.ranks = kRanksMax, .timeout = std::chrono::seconds(60)});
  for (const Case& what : cases) {
    for (const int n : {1, 2, 4}) {
      try {
        failures += run(worker, values[1], what, n) != 0 ? 1 : 0;
      } catch (const std::exception& error) {
        std::printf("%s, %d ranks: %s\n", what.name, n, error.what());
        ++failures;
      }
    }
  }
  std::printf("%s: %zu cases on 1, 2 and 4 ranks, %d failures\n", values[1], cases.size(), failures);
  return failures == 0 ? 0 : 1;
}
