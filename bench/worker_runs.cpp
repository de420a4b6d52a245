// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What it costs to have the worker run something: from submitting a task to its first line, a whole run of a small
// all-to-all, and the three tasks of dispatch, local expert and combine beside the copies of their bytes. See
// docs/benchmarks.md.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "all_to_all_distributed/all_to_all_distributed.hpp"
#include "ep_dispatch_combine/ep_dispatch_combine.hpp"
#include "kernels/bare_machine.hpp"
#include "program.hpp"
#include "rank_bench.hpp"
#include "tileput/worker.hpp"

namespace {

namespace bm = bare_machine;
using bench::cells_of;
using bench::kCores;
using bench::RankBench;
using bench::Row;
using bench::Samples;
using bench::Target;
using bench::tensor_of;
using tileput::Error;
using tileput::ErrorCode;

struct Options : bench::ProgramOptions {
  std::uint32_t trips = 2000;
  std::uint32_t runs = 40;
  std::uint32_t calls = 6;
  example::EpDispatchCombineOptions moe = {};
  double timeout_s = 60;
};

/// Throws unless every output is golden.
void expect_golden(const example::Scene& scene, const char* what) {
  for (const example::RankCheck& check : scene.check()) {
    if (!check.matches) {
      throw Error(ErrorCode::kInternal, fmt::format("{}: rank {}: {}", what, check.rank, check.detail), "report this");
    }
  }
}

/// Microseconds of one bare round trip between the ranks.
class RoundTrip {
 public:
  RoundTrip(RankBench& bench, const Options& options)
      : bench_(bench),
        trips_(options.trips),
        kernel_(bench.load("ping_pong_kernel")),
        samples_(bench.allocate(bm::kPingVariants * sizeof(std::int64_t))) {}

  double us() {
    bench_.worker().run([&](tileput::Orchestrator& o) {
      const tileput::Domain domain = o.allocate_domain({.buffers = {cells_of(bench_.ranks())}});
      bench_.submit(o, kernel_, 1, [&](tileput::TaskArgs& args, std::size_t rank) {
        args.add_inout(domain.buffer("cells")).add_inout(tensor_of(samples_[rank], tileput::DataType::kInt64));
        args.add_scalar(0).add_scalar(trips_).add_context(domain);
      });
    });
    return bench::mean_of(samples_, bm::kPingBare) / trips_ / 1000;
  }

 private:
  RankBench& bench_;
  std::uint32_t trips_;
  tileput::Callable kernel_;
  std::vector<tileput::SharedMemory> samples_;
};

/// A task on a rank that is idle: from the call that submits it to its kernel's first line, microseconds.
double submit_to_start_us(RankBench& bench, const tileput::Callable& kernel, const tileput::SharedMemory& stamp) {
  std::int64_t submitted = 0;
  bench.worker().run([&](tileput::Orchestrator& o) {
    tileput::TaskArgs args;
    args.add_inout(tensor_of(stamp, tileput::DataType::kInt64));
    submitted = bm::now_ns();
    o.submit(kernel, 0, args);
  });
  return static_cast<double>(stamp.as<std::int64_t>()[0] - submitted) / 1000;
}

/// Everything that a small all-to-all takes: domain, submission, exchange, completion, release; microseconds.
double whole_run_us(RankBench& bench, example::Scene& scene) {
  const std::int64_t start = bm::now_ns();
  bench.worker().run([&](tileput::Orchestrator& o) { scene.submit(o, {}); });
  return static_cast<double>(bm::now_ns() - start) / 1000;
}

double median_of(std::uint32_t count, const std::function<double()>& sample) {
  std::vector<double> values;
  values.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    values.push_back(sample());
  }
  return bench::median(values);
}

std::vector<Row> measure_latency(const Options& options) {
  RankBench bench(kCores, options.timeout_s);
  RoundTrip round_trip(bench, options);
  const tileput::Callable stamp_kernel = bench.load("stamp_kernel");
  const tileput::SharedMemory stamp = bench.worker().allocate_tensor(sizeof(std::int64_t));
  const auto scene = example::make_all_to_all_distributed({.ranks = kCores, .count = 64});
  scene->load(bench.worker());
  scene->fill(0);

  Samples start;
  Samples whole;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    const double trip_us = round_trip.us();
    start.bare.push_back(trip_us);
    whole.bare.push_back(trip_us);
    start.ours.push_back(median_of(options.runs, [&] { return submit_to_start_us(bench, stamp_kernel, stamp); }));
    whole.ours.push_back(median_of(options.runs, [&] { return whole_run_us(bench, *scene); }));
  }
  expect_golden(*scene, "all-to-all");
  const auto row = [&](const char* measure, std::uint64_t bytes, double at_most_us, const Samples& from) {
    return row_of({.measure = measure,
                   .ranks = bench.ranks(),
                   .bytes = bytes,
                   .unit = "us",
                   .target = {Target::Bound::kAtMost, at_most_us, Target::Of::kOurs}},
                  from);
  };
  return {row("submit to start / round trip", sizeof(std::int64_t), 10, start),
          row("all-to-all run / round trip", 64 * sizeof(float), 100, whole)};
}

/// The slowest rank's median call, seconds.
double call_s(const tileput::SubmissionReport& submission) {
  std::chrono::nanoseconds slowest{0};
  for (const tileput::RankReport& rank : submission.ranks) {
    slowest = std::max(slowest, rank.median);
  }
  return std::chrono::duration<double>(slowest).count();
}

/// Dispatch, local expert and combine against memcpy of the bytes that they move: GB/s of the routed rows.
Row measure_moe(const Options& options) {
  RankBench bench(kCores, options.timeout_s);
  const auto scene = example::make_ep_dispatch_combine(options.moe);
  scene->load(bench.worker());
  const tileput::Callable copies = bench.load("moe_copies_kernel");
  const std::uint64_t row_bytes = std::uint64_t{options.moe.hidden} * 2;
  const std::uint64_t x_bytes = options.moe.tokens * row_bytes;
  const std::uint64_t rows_bytes = x_bytes * options.moe.topk;
  const auto x = bench.allocate(x_bytes);
  const auto copied = bench.allocate(rows_bytes);
  const auto processed = bench.allocate(rows_bytes);
  const auto sums = bench.allocate(2 * x_bytes);
  const auto window_buffer = [&](const char* name) {
    return tileput::BufferSpec{
        .name = name, .bytes = rows_bytes + kCores * row_bytes, .type = tileput::DataType::kInt32};
  };

  Samples found;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    scene->fill(round);
    const tileput::RunReport report = bench.worker().run([&](tileput::Orchestrator& o) {
      const auto submit_copies = [&] {
        const tileput::Domain domain = o.allocate_domain(
            {.buffers = {cells_of(bench.ranks()), window_buffer("received"), window_buffer("returned")}});
        bench.submit(o, copies, options.calls, [&](tileput::TaskArgs& args, std::size_t rank) {
          for (const auto* memory : {&x, &copied, &processed, &sums}) {
            args.add_inout(tensor_of((*memory)[rank], tileput::DataType::kInt32));
          }
          args.add_inout(domain.buffer("received")).add_inout(domain.buffer("returned"));
          args.add_inout(domain.buffer("cells"));
          args.add_scalar(row_bytes).add_scalar(options.moe.topk).add_scalar(options.moe.tokens).add_context(domain);
        });
      };
      if (round % 2 == 0) {
        submit_copies();
      }
      scene->submit(o, {.calls = options.calls});
      if (round % 2 != 0) {
        submit_copies();
      }
    });
    const std::size_t ours = round % 2 == 0 ? 1 : 0;
    const auto rate = [&](std::size_t submission) {
      return static_cast<double>(rows_bytes) / call_s(report.submissions[submission]) / 1e9;
    };
    found.ours.push_back(rate(ours));
    found.bare.push_back(rate(1 - ours));
    expect_golden(*scene, "dispatch, local expert and combine");
  }
  return row_of({.measure = "dispatch to combine / memcpy",
                 .ranks = kCores,
                 .bytes = rows_bytes,
                 .unit = "GB/s",
                 .target = {Target::Bound::kAtLeast, 0.5}},
                found);
}

std::vector<Row> measure(const Options& options) {
  bench::keep_to_two_cores();
  setenv("TILEPUT_KERNEL_PATH", EXAMPLE_DIRECTORIES, 1);  // one thread so far
  std::vector<Row> rows = measure_latency(options);
  rows.push_back(measure_moe(options));
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Costs of a run through the worker, beside the bare machine", "worker_runs");
  Options options;
  options.csv = "build/bench/worker_runs.csv";
  app.add_option("--trips", options.trips, "round trips of one timed batch")->check(CLI::Range(1, 100000000));
  app.add_option("--runs", options.runs, "runs of each kind in a round")->check(CLI::Range(1, 100000000));
  app.add_option("--calls", options.calls, "calls of dispatch to combine in a round")->check(CLI::Range(1, 1000000));
  app.add_option("--tokens", options.moe.tokens, "tokens of each rank")->check(CLI::Range(1, 1 << 20));
  app.add_option("--hidden", options.moe.hidden, "elements of a token")->check(CLI::Range(1, 1 << 19));
  app.add_option("--timeout", options.timeout_s, "seconds after which one run fails; 0: never");
  return bench::run_program(argc, argv, app, options, [&] { return measure(options); });
}
