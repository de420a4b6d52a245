// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What instructions cost beside the bare machine: the same bytes by memcpy, the same signal by a plain store, the same
// exchange by flags alone, in the same rank processes on the same windows, in turns. Only ratios are judged; see
// docs/benchmarks.md.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "all_to_all_window.hpp"
#include "kernels/bare_machine.hpp"
#include "program.hpp"
#include "rank_bench.hpp"
#include "tileput/worker.hpp"

namespace {

namespace bm = bare_machine;
using bench::cells_of;
using bench::kCores;
using bench::mean_of;
using bench::RankBench;
using bench::Row;
using bench::Samples;
using bench::Target;
using bench::tensor_of;
using tileput::Error;
using tileput::ErrorCode;

constexpr std::uint32_t kCallWords = 64;  // of the all-to-all, for each destination

struct Options : bench::ProgramOptions {
  std::uint64_t bytes_min = 4096;
  std::uint64_t bytes_max = std::uint64_t{64} << 20U;
  std::uint64_t batch_bytes = std::uint64_t{16} << 20U;
  std::uint32_t trips = 2000;
  std::uint32_t calls = 1000;
  std::vector<int> ranks{4, 8, 16};
  double timeout_s = 60;
};

/// What TPUT is compared with.
struct CopyMeasure {
  const char* name;
  bm::CopyVariant bare;
  double at_least;
};
constexpr CopyMeasure kAgainstMemcpy{"TPUT / memcpy", bm::kCopyBare, 0.95};
constexpr CopyMeasure kAgainstUnchecked{"TPUT / TPUT without bounds", bm::kCopyUnchecked, 0.8};

/// TPUT against another copy between the same addresses, both ranks at the same time: GB/s of one rank.
Row measure_copy(RankBench& bench, const tileput::Callable& kernel, const Options& options, std::uint64_t bytes,
                 const CopyMeasure& measure) {
  const std::uint64_t repeats = std::max<std::uint64_t>(1, options.batch_bytes / bytes);
  const auto sources = bench.allocate(bytes);
  for (const tileput::SharedMemory& source : sources) {
    std::uint32_t value = 0x9e3779b9U;
    for (std::uint32_t& word : source.as<std::uint32_t>()) {
      word = value += 0x9e3779b9U;
    }
  }
  const auto samples =
      bench.allocate((bm::kCopyFirstSample + std::uint64_t{options.rounds} * bm::kCopyVariants) * sizeof(std::int64_t));
  bench.worker().run([&](tileput::Orchestrator& o) {
    const tileput::Domain domain = o.allocate_domain(
        {.buffers = {cells_of(bench.ranks()), {.name = "target", .bytes = bytes, .type = tileput::DataType::kInt32}}});
    bench.submit(o, kernel, 1, [&](tileput::TaskArgs& args, std::size_t rank) {
      args.add_inout(tensor_of(sources[rank], tileput::DataType::kInt32)).add_inout(domain.buffer("target"));
      args.add_inout(domain.buffer("cells")).add_inout(tensor_of(samples[rank], tileput::DataType::kInt64));
      args.add_scalar(repeats).add_scalar(options.rounds).add_context(domain);
    });
  });
  Samples found;
  for (const tileput::SharedMemory& rank : samples) {
    if (const std::int64_t wrong = rank.as<std::int64_t>()[0]; wrong != 0) {
      throw Error(ErrorCode::kInternal, fmt::format("{} of {} bytes did not arrive", wrong, bytes), "");
    }
  }
  for (std::size_t round = 0; round < options.rounds; ++round) {
    const std::size_t first = bm::kCopyFirstSample + round * bm::kCopyVariants;
    const auto moved = static_cast<double>(repeats * bytes);
    found.ours.push_back(moved / mean_of(samples, first + bm::kCopyOurs));
    found.bare.push_back(moved / mean_of(samples, first + static_cast<std::size_t>(measure.bare)));
  }
  return row_of({.measure = measure.name,
                 .ranks = bench.ranks(),
                 .bytes = bytes,
                 .unit = "GB/s",
                 .target = {Target::Bound::kAtLeast, measure.at_least}},
                found);
}

/// The all-to-all kernel on the ranks of a worker, and its buffers.
class Exchange {
 public:
  Exchange(RankBench& bench, const Options& options)
      : bench_(bench),
        options_(options),
        callable_(bench.load("bare_machine_call", ALL_TO_ALL_KERNEL)),
        in_(bench.allocate(elements() * sizeof(float))),
        out_(bench.allocate(elements() * sizeof(float))),
        samples_(bench.allocate(std::uint64_t{options.rounds} * kSampleWords * sizeof(std::int64_t))) {
    for (std::size_t rank = 0; rank < in_.size(); ++rank) {
      for (std::uint64_t i = 0; i < elements(); ++i) {
        in_[rank].as<float>()[i] = value_of(rank, i / kCallWords, i % kCallWords);
      }
    }
  }

  [[nodiscard]] tileput::BufferSpec scratch() const {
    const auto n = static_cast<std::uint64_t>(bench_.ranks());
    return {.name = "scratch", .bytes = all_to_all::window_of(all_to_all::kPushSlotSets, n, kCallWords).bytes};
  }

  void submit(tileput::Orchestrator& o, const tileput::Domain& domain, std::uint32_t round) {
    const std::uint32_t skip = options_.calls / 10 + 1;
    bench_.submit(o, callable_, skip + options_.calls, [&](tileput::TaskArgs& args, std::size_t rank) {
      args.add_input(tensor_of(in_[rank], tileput::DataType::kFloat32));
      args.add_output(tensor_of(out_[rank], tileput::DataType::kFloat32)).add_inout(domain.buffer("scratch"));
      args.add_inout(tensor_of(samples_[rank], tileput::DataType::kInt64));
      args.add_scalar(bench_.ranks()).add_scalar(round).add_scalar(skip).add_scalar(options_.calls).add_context(domain);
    });
  }

  /// Microseconds of one call in a round.
  [[nodiscard]] double call_us(std::uint32_t round) const {
    return mean_of(samples_, std::size_t{round} * kSampleWords) / options_.calls / 1000;
  }

  /// Throws unless every output is exact.
  void check() const {
    for (std::size_t rank = 0; rank < out_.size(); ++rank) {
      for (std::uint64_t i = 0; i < elements(); ++i) {
        if (out_[rank].as<float>()[i] != value_of(i / kCallWords, rank, i % kCallWords)) {
          throw Error(ErrorCode::kInternal, fmt::format("the all-to-all gave rank {} a wrong element {}", rank, i), "");
        }
      }
    }
  }

 private:
  static constexpr std::size_t kSampleWords = 3;  // as bare_machine_call uses them

  [[nodiscard]] std::uint64_t elements() const { return static_cast<std::uint64_t>(bench_.ranks()) * kCallWords; }
  static float value_of(std::uint64_t source, std::uint64_t dest, std::uint64_t index) {
    return static_cast<float>(1 + 10000 * source + 100 * dest + index);
  }

  RankBench& bench_;
  const Options& options_;
  tileput::Callable callable_;
  std::vector<tileput::SharedMemory> in_;
  std::vector<tileput::SharedMemory> out_;
  std::vector<tileput::SharedMemory> samples_;
};

/// One way of a signal by TNOTIFY and TWAIT, by stores and loads; and the all-to-all in units of that way.
std::vector<Row> measure_latency(RankBench& bench, const Options& options) {
  const tileput::Callable kernel = bench.load("ping_pong_kernel");
  Exchange exchange(bench, options);
  const auto samples = bench.allocate(std::uint64_t{options.rounds} * bm::kPingVariants * sizeof(std::int64_t));
  bench.worker().run([&](tileput::Orchestrator& o) {
    const tileput::Domain domain = o.allocate_domain({.buffers = {cells_of(bench.ranks()), exchange.scratch()}});
    for (std::uint32_t round = 0; round < options.rounds; ++round) {
      bench.submit(o, kernel, 1, [&](tileput::TaskArgs& args, std::size_t rank) {
        args.add_inout(domain.buffer("cells")).add_inout(tensor_of(samples[rank], tileput::DataType::kInt64));
        args.add_scalar(round * bm::kPingVariants).add_scalar(options.trips).add_context(domain);
      });
      exchange.submit(o, domain, round);
    }
  });
  exchange.check();
  Samples add;
  Samples set;
  Samples call;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    const auto way_us = [&](bm::PingVariant variant) {
      return mean_of(samples, std::size_t{round} * bm::kPingVariants + variant) / (2.0 * options.trips) / 1000;
    };
    add.ours.push_back(way_us(bm::kPingAdd));
    set.ours.push_back(way_us(bm::kPingSet));
    add.bare.push_back(way_us(bm::kPingBare));
    set.bare.push_back(way_us(bm::kPingBare));
    call.ours.push_back(exchange.call_us(round));
    call.bare.push_back(std::min(add.ours.back(), set.ours.back()));
  }
  const auto row = [&](const char* measure, std::uint64_t bytes, double at_most, const Samples& from) {
    return row_of({.measure = measure,
                   .ranks = bench.ranks(),
                   .bytes = bytes,
                   .unit = "us",
                   .target = {Target::Bound::kAtMost, at_most}},
                  from);
  };
  return {row("TNOTIFY add / store", sizeof(std::int32_t), 1.3, add),
          row("TNOTIFY set / store", sizeof(std::int32_t), 1.3, set),
          row("all-to-all / TNOTIFY", kCallWords * sizeof(float), 4, call)};
}

/// The all-to-all against flags alone, with more ranks than cores.
Row measure_ranks(const Options& options, int ranks) {
  RankBench bench(ranks, options.timeout_s);
  const tileput::Callable kernel = bench.load("flags_kernel");
  Exchange exchange(bench, options);
  const auto samples = bench.allocate(options.rounds * sizeof(std::int64_t));
  bench.worker().run([&](tileput::Orchestrator& o) {
    const tileput::Domain domain = o.allocate_domain({.buffers = {cells_of(ranks), exchange.scratch()}});
    const auto flags = [&](std::uint32_t round) {
      bench.submit(o, kernel, 1, [&](tileput::TaskArgs& args, std::size_t rank) {
        args.add_inout(domain.buffer("cells")).add_inout(tensor_of(samples[rank], tileput::DataType::kInt64));
        args.add_scalar(round).add_scalar(options.calls / 10 + 1).add_scalar(options.calls).add_context(domain);
      });
    };
    for (std::uint32_t round = 0; round < options.rounds; ++round) {
      if (round % 2 == 0) {
        flags(round);
      }
      exchange.submit(o, domain, round);
      if (round % 2 != 0) {
        flags(round);
      }
    }
  });
  exchange.check();
  Samples found;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    found.ours.push_back(exchange.call_us(round));
    found.bare.push_back(mean_of(samples, round) / options.calls / 1000);
  }
  return row_of({.measure = "all-to-all / flags",
                 .ranks = ranks,
                 .bytes = kCallWords * sizeof(float),
                 .unit = "us",
                 .target = {Target::Bound::kAtMost, 1.5}},
                found);
}

std::vector<Row> measure(Options& options) {
  options.bytes_min -= options.bytes_min % sizeof(std::int32_t);
  bench::keep_to_two_cores();
  std::vector<Row> rows;
  {
    RankBench bench(kCores, options.timeout_s);
    const tileput::Callable copy = bench.load("copy_kernel");
    for (std::uint64_t bytes = options.bytes_min; bytes <= options.bytes_max; bytes *= 4) {
      rows.push_back(measure_copy(bench, copy, options, bytes, kAgainstMemcpy));
    }
    rows.push_back(measure_copy(bench, copy, options, kCallWords * sizeof(float), kAgainstUnchecked));
    const std::vector<Row> latency = measure_latency(bench, options);
    rows.insert(rows.end(), latency.begin(), latency.end());
  }
  for (const int ranks : options.ranks) {
    rows.push_back(measure_ranks(options, ranks));
  }
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Costs of instructions against the bare machine, as ratios", "bare_machine");
  Options options;
  options.csv = "build/bench/bare_machine.csv";
  app.add_option("--bytes-min", options.bytes_min, "smallest TPUT")->check(CLI::Range(4, 1 << 30));
  app.add_option("--bytes-max", options.bytes_max, "largest TPUT; each size is four times the one before")
      ->check(CLI::Range(4, 1 << 30));
  app.add_option("--batch-bytes", options.batch_bytes, "bytes of one timed batch of copies");
  app.add_option("--trips", options.trips, "round trips of one timed batch")->check(CLI::Range(1, 100000000));
  app.add_option("--calls", options.calls, "all-to-all calls of one timed batch")->check(CLI::Range(1, 100000000));
  app.add_option("--ranks", options.ranks, "rank counts of the all-to-all against flags")
      ->delimiter(',')
      ->check(CLI::Range(1, tileput::kRanksMax));
  app.add_option("--timeout", options.timeout_s, "seconds after which one comparison fails; 0: never");
  return bench::run_program(argc, argv, app, options, [&] { return measure(options); });
}
