// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank_bench.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <chrono>
#include <set>

#include "tileput/error.hpp"

namespace bench {

using tileput::Error;
using tileput::ErrorCode;

void keep_to_two_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::set<int> cores;
  const tileput::Worker worker({.ranks = kCores});
  for (const tileput::RankInfo& info : worker.rank_infos()) {
    if (info.core) {
      cores.insert(*info.core);
      CPU_SET(*info.core, &set);
    }
  }
  if (cores.size() != std::size_t{kCores} || sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw Error(ErrorCode::kSystem, fmt::format("ranks are bound to {} of the {} cores needed", cores.size(), kCores),
                "run it where two cores may be used");
  }
  fmt::print("cores {}\n", fmt::join(cores, " and "));
}

RankBench::RankBench(int ranks, double timeout_s)
    : worker_({.ranks = ranks, .timeout = std::chrono::nanoseconds(static_cast<std::int64_t>(timeout_s * 1e9))}) {}

tileput::Callable RankBench::load(const std::string& kernel) {
  return load("bare_machine_forward", fmt::format("kernels/{}.so", kernel));
}

tileput::Callable RankBench::load(const std::string& entry, const std::string& object) {
  return worker_.load(
      {.orchestration = "kernels/bare_machine_orch.so", .entry = entry, .kernels = {{0, tileput::Core::kAiv, object}}});
}

std::vector<tileput::SharedMemory> RankBench::allocate(std::uint64_t bytes) {
  std::vector<tileput::SharedMemory> all;
  all.reserve(static_cast<std::size_t>(ranks()));
  for (int rank = 0; rank < ranks(); ++rank) {
    all.push_back(worker_.allocate_tensor(bytes));
  }
  return all;
}

tileput::Tensor tensor_of(const tileput::SharedMemory& memory, tileput::DataType type) {
  const auto elements = static_cast<std::uint32_t>(memory.bytes() / tileput::element_bytes(type));
  return {memory.data(), type, {elements}};
}

tileput::BufferSpec cells_of(int ranks) {
  return {.name = "cells",
          .bytes = bare_machine::cells_bytes(static_cast<std::uint64_t>(ranks)),
          .type = tileput::DataType::kInt32};
}

double mean_of(const std::vector<tileput::SharedMemory>& samples, std::size_t index) {
  double sum = 0;
  for (const tileput::SharedMemory& rank : samples) {
    const std::int64_t ns = rank.as<std::int64_t>()[index];
    if (ns <= 0) {
      throw Error(ErrorCode::kInternal, fmt::format("sample {} is {} ns", index, ns), "measure longer batches");
    }
    sum += static_cast<double>(ns);
  }
  return sum / static_cast<double>(samples.size());
}

}  // namespace bench
