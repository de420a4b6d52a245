// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs the all-to-all of tile kernels on rank processes, checks it against its golden, and compares push with pull.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "kernels/all_to_all_window.hpp"
#include "tileput/worker.hpp"

namespace {

using tileput::Error;
using tileput::ErrorCode;

struct Options {
  std::vector<int> devices{0, 1, 2, 3};
  std::string variant = "push";
  std::string payload = "formula";
  std::uint64_t count = 64;
  std::uint32_t iterations = 1;
  std::optional<std::uint64_t> window_bytes;
  tileput::RanksAs ranks_as = tileput::RanksAs::kProcess;
  double timeout_s = 0;
  double wait_report_s = 30;
  std::optional<int> debug_rank;
  bool verbose = false;
  bool compare = false;
  std::string peer_command;
  tileput::Platform platform = tileput::Platform::kCpu;
  tileput::CheckOptions check;
  std::uint64_t schedules = 1;
  bool until_fail = false;
  std::string replay;  ///< the command line without what chooses schedules

  [[nodiscard]] int ranks() const { return static_cast<int>(devices.size()); }
};

std::uint64_t slot_sets_of(const std::string& variant) {
  return variant == "push" ? all_to_all::kPushSlotSets : all_to_all::kPullSlotSets;
}

/// "0-3" or "0,2,5-6": chip ids, each once.
std::vector<int> parse_devices(const std::string& text) {
  const auto refuse = [&text](const char* why) {
    return Error(ErrorCode::kBadArgument, fmt::format("device list '{}': {}", text, why),
                 "write ids and ranges like 0-3 or 0,2, each id once, at most 64");
  };
  std::vector<int> devices;
  std::set<int> seen;
  std::string entry;
  std::istringstream entries(text + ",");
  while (std::getline(entries, entry, ',')) {
    int first = 0;
    int last = 0;
    int used = 0;
    if (std::sscanf(entry.c_str(), "%6d-%6d%n", &first, &last, &used) != 2 || used != static_cast<int>(entry.size())) {
      used = 0;
      if (std::sscanf(entry.c_str(), "%6d%n", &first, &used) != 1 || used != static_cast<int>(entry.size())) {
        throw refuse("not a list of ids");
      }
      last = first;
    }
    if (first < 0 || last < first) {
      throw refuse("a range runs upwards from 0");
    }
    for (int id = first; id <= last; ++id) {
      if (!seen.insert(id).second || devices.size() == static_cast<std::size_t>(tileput::kRanksMax)) {
        throw refuse("an id twice, or too many");
      }
      devices.push_back(id);
    }
  }
  return devices;
}

/// A well-mixed 32 bits from a position; which ranks' data arrived where cannot be confused.
float random_word(std::uint64_t source, std::uint64_t dest, std::uint64_t index) {
  std::uint64_t x = (source << 48U) ^ (dest << 40U) ^ index ^ 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  const auto bits = static_cast<std::uint32_t>(x ^ (x >> 31U));
  float word = 0;
  std::memcpy(&word, &bits, sizeof(word));
  return word;
}

/// What rank `source` has for rank `dest` at `index`.
float payload_at(const Options& options, std::uint64_t source, std::uint64_t dest, std::uint64_t index) {
  if (options.payload == "random") {
    return random_word(source, dest, index);
  }
  return static_cast<float>(1000 * source + 100 * dest + index);
}

constexpr double kSecondsMax = 1e9;  // as nanoseconds it fits into 64 bits

std::chrono::nanoseconds seconds(double value) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(value * 1e9));
}

/// Buffers of all ranks, and one worker that exchanges them.
class Exchange {
 public:
  explicit Exchange(const Options& options)
      : options_(options),
        worker_({.ranks = options.ranks(),
                 .platform = options.platform,
                 .check = options.check,
                 .ranks_as = options.ranks_as,
                 .timeout = seconds(options.timeout_s),
                 .wait_report = seconds(options.wait_report_s),
                 .devices = options.devices,
                 .verbose = options.verbose,
                 .debug_rank = options.debug_rank}) {
    const std::uint64_t n = static_cast<std::uint64_t>(options.ranks());
    for (std::uint64_t rank = 0; rank < n; ++rank) {
      in_.push_back(worker_.allocate_tensor(n * options.count * sizeof(float)));
      out_.push_back(worker_.allocate_tensor(n * options.count * sizeof(float)));
      const auto in = in_.back().as<float>();
      for (std::uint64_t dest = 0; dest < n; ++dest) {
        for (std::uint64_t i = 0; i < options.count; ++i) {
          in[dest * options.count + i] = payload_at(options, rank, dest, i);
        }
      }
    }
  }

  [[nodiscard]] const tileput::Worker& worker() const { return worker_; }

  tileput::Callable load(const std::string& variant) {
    const std::string kernel = variant == "push" ? "all_to_all_kernel" : "all_to_all_pull_kernel";
    return worker_.load({.orchestration = "kernels/all_to_all_orch.so",
                         .entry = "all_to_all_" + variant,
                         .kernels = {{0, tileput::Core::kAiv, "kernels/" + kernel + ".so"}}});
  }

  /// `calls` back-to-back calls on one window, outputs poisoned before.
  tileput::SubmissionReport run(const tileput::Callable& callable, std::uint64_t window_bytes, std::uint32_t calls,
                                bool observe) {
    for (tileput::SharedMemory& out : out_) {
      std::memset(out.data(), 0xcd, out.bytes());
    }
    const auto n = static_cast<std::uint64_t>(options_.ranks());
    const auto elements = static_cast<std::uint32_t>(n * options_.count);
    tileput::RunReport report = worker_.run([&](tileput::Orchestrator& o) {
      const tileput::Domain domain = o.allocate_domain({.buffers = {{.name = "scratch", .bytes = window_bytes}}});
      std::vector<tileput::RankTask> group;
      for (int rank = 0; rank < options_.ranks(); ++rank) {
        const auto r = static_cast<std::size_t>(rank);
        tileput::TaskArgs args;
        args.add_input({in_[r].data(), tileput::DataType::kFloat32, {elements}});
        args.add_output({out_[r].data(), tileput::DataType::kFloat32, {elements}});
        args.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
        group.push_back({rank, args});
      }
      o.submit_group(callable, group, {.calls = calls, .observe = observe});
    });
    return std::move(report.submissions.front());
  }

  /// max |out - expected| of one rank; infinity where the bits differ without a finite difference (poison, NaN).
  [[nodiscard]] double max_error(int rank) const {
    const auto out = out_[static_cast<std::size_t>(rank)].as<const float>();
    double worst = 0;
    for (std::uint64_t source = 0; source < static_cast<std::uint64_t>(options_.ranks()); ++source) {
      for (std::uint64_t i = 0; i < options_.count; ++i) {
        const float seen = out[source * options_.count + i];
        const float expected = payload_at(options_, source, static_cast<std::uint64_t>(rank), i);
        if (std::memcmp(&seen, &expected, sizeof(seen)) != 0) {
          const double difference = std::abs(static_cast<double>(seen) - static_cast<double>(expected));
          worst = std::isfinite(difference) && difference > 0 ? std::max(worst, difference) : INFINITY;
        }
      }
    }
    return worst;
  }

  [[nodiscard]] bool matches() const {
    for (int rank = 0; rank < options_.ranks(); ++rank) {
      if (max_error(rank) != 0) {
        return false;
      }
    }
    return true;
  }

  /// Prints one line a rank; true if all are exact.
  [[nodiscard]] bool print_check() const {
    int matched = 0;
    for (int rank = 0; rank < options_.ranks(); ++rank) {
      const double error = max_error(rank);
      matched += error == 0 ? 1 : 0;
      fmt::print("rank {}: max |out - expected| = {:.3e}\n", rank, error);
    }
    if (matched != options_.ranks()) {
      fmt::print("{} of {} ranks differ from golden\n", options_.ranks() - matched, options_.ranks());
      return false;
    }
    fmt::print("all {} ranks matched golden\n", matched);
    return true;
  }

 private:
  Options options_;
  tileput::Worker worker_;
  std::vector<tileput::SharedMemory> in_;
  std::vector<tileput::SharedMemory> out_;
};

std::uint64_t window_bytes_of(const Options& options, const std::string& variant) {
  const std::uint64_t needed =
      all_to_all::window_of(slot_sets_of(variant), static_cast<std::uint64_t>(options.ranks()), options.count).bytes;
  const std::uint64_t bytes = options.window_bytes.value_or(needed);
  if (bytes < needed) {
    throw Error(
        ErrorCode::kBadArgument,
        fmt::format("a window of {} bytes for {} ranks with {} elements each", bytes, options.ranks(), options.count),
        fmt::format("{} needs at least {}", variant, needed));
  }
  return bytes;
}

void refuse_impossible(const Options& options) {
  constexpr std::uint64_t kElementsMax = 0xffffffffU;
  if (options.count > kElementsMax / static_cast<std::uint64_t>(options.ranks())) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("{} elements for each of {} ranks", options.count, options.ranks()),
                "a tensor of the kernel ABI has fewer than 2^32 elements");
  }
  if (options.iterations == 0) {
    throw Error(ErrorCode::kBadArgument, "0 iterations", "use at least 1");
  }
  window_bytes_of(options, options.variant);
  if (options.compare) {
    window_bytes_of(options, "push");
    window_bytes_of(options, "pull");
  }
}

void print_ranks(const tileput::Worker& worker) {
  fmt::print("worker: process {}\n", getpid());
  for (const tileput::RankInfo& info : worker.rank_infos()) {
    fmt::print("rank {}: chip {}, process {}, core {}\n", info.rank, info.device, info.process_id,
               info.core ? fmt::to_string(*info.core) : "any");
  }
  std::fflush(stdout);  // before a long run, and before messages on stderr
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? NAN : values[values.size() / 2];
}

/// The slowest rank's median time of a call, in microseconds.
double call_us(const tileput::SubmissionReport& report) {
  double slowest = 0;
  for (const tileput::RankReport& rank : report.ranks) {
    slowest = std::max(slowest, static_cast<double>(rank.median.count()) / 1000);
  }
  return slowest;
}

/// Runs a command that prints one number, its median in microseconds.
std::optional<double> peer_us(const std::string& command) {
  if (command.empty()) {
    return std::nullopt;
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  double value = 0;
  if (pipe == nullptr || std::fscanf(pipe.get(), "%lf", &value) != 1) {
    return std::nullopt;
  }
  return value;
}

/// Push against pull and MPI, measured in interleaved rounds; counts by the observer on the waist.
bool print_comparison(Exchange& exchange, const Options& options) {
  struct Row {
    std::string name;
    std::uint64_t window_bytes = 0;
    std::vector<double> us;
    tileput::RankReport counts;
  };
  // Few calls of much data, so that a table takes seconds.
  const std::uint64_t call_bytes = options.count * sizeof(float) * static_cast<std::uint64_t>(options.ranks()) *
                                   static_cast<std::uint64_t>(options.ranks());
  const auto calls = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>((std::uint64_t{1} << 31U) / std::max<std::uint64_t>(call_bytes, 1), 5, 2000));
  constexpr int kRounds = 3;
  std::array<Row, 2> rows{Row{"push", 0, {}, {}}, Row{"pull", 0, {}, {}}};
  std::vector<double> peer;
  std::vector<tileput::Callable> callables;
  for (Row& row : rows) {
    callables.push_back(exchange.load(row.name));
    row.window_bytes = window_bytes_of(options, row.name);
    row.counts = exchange.run(callables.back(), row.window_bytes, 1, true).ranks.front();
    if (!exchange.matches()) {
      fmt::print("{} differs from golden\n", row.name);
      return false;
    }
  }
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].us.push_back(call_us(exchange.run(callables[i], rows[i].window_bytes, calls, false)));
    }
    if (const auto us = peer_us(options.peer_command)) {
      peer.push_back(*us);
    }
  }
  fmt::print(
      "\n{} ranks, {} bytes per destination; counts of one call of rank 0 as its observer saw them,\n"
      "times: median of {} back-to-back calls, median of {} interleaved rounds, slowest rank\n\n",
      options.ranks(), options.count * sizeof(float), calls, kRounds);
  fmt::print("{:<13} {:<26} {:>5} {:>5} {:>12} {:>8} {:>12} {:>12}\n", "", "data phases", "tiles", "puts",
             "remote reads", "barriers", "window bytes", "us per call");
  for (const Row& row : rows) {
    std::vector<std::string> phases;
    for (const tileput::PhaseReport& phase : row.counts.phases) {
      phases.push_back(phase.kind);
    }
    fmt::print("{:<13} {:<26} {:>5} {:>5} {:>12} {:>8} {:>12} {:>12.2f}\n", row.name,
               fmt::format("{}: {}", phases.size(), fmt::join(phases, ", ")), row.counts.tiles, row.counts.puts,
               row.counts.remote_loads, row.counts.barriers, row.window_bytes, median(row.us));
  }
  if (!peer.empty()) {
    fmt::print("{:<13} {:<26} {:>5} {:>5} {:>12} {:>8} {:>12} {:>12.2f}\n", "MPI_Alltoall", "", "", "", "", "", "",
               median(peer));
  } else {
    fmt::print("{:<13} not measured\n", "MPI_Alltoall");
  }
  return true;
}

/// What the runs of several schedules found, each once.
class Findings {
 public:
  void add(const tileput::CheckReport& report) {
    for (const tileput::CheckFinding& finding : report.findings) {
      const auto known = std::find_if(found_.begin(), found_.end(), [&](const Found& other) {
        return std::tie(other.finding.kind, other.finding.region, other.finding.place) ==
               std::tie(finding.kind, finding.region, finding.place);
      });
      if (known == found_.end()) {
        found_.push_back({finding, report.seed, 1});
      } else {
        known->finding.count += finding.count;
        known->schedules += 1;
      }
    }
  }

  void print(std::uint64_t schedules) const {
    for (const auto& [finding, seed, in] : found_) {
      fmt::print("{}\n  in {} of {} schedules, {} time{}; first with seed {}\n", finding.text, in, schedules,
                 finding.count, finding.count == 1 ? "" : "s", seed);
    }
    if (found_.empty()) {
      fmt::print("no findings in {} schedule{}\n", schedules, schedules == 1 ? "" : "s");
    }
  }

 private:
  struct Found {
    tileput::CheckFinding finding;
    std::uint64_t first_seed;
    std::uint64_t schedules;
  };
  std::vector<Found> found_;
};

/// Runs one schedule after the other on the checked machine.
int run_checked(const Options& options) {
  Exchange exchange(options);
  const tileput::Callable callable = exchange.load(options.variant);
  Findings findings;
  std::uint64_t schedules = 0;
  std::optional<std::uint64_t> failing;  // the first seed with an error
  std::optional<std::uint64_t> differs;  // the first seed whose results differ
  while (schedules < options.schedules && !(options.until_fail && failing)) {
    ++schedules;
    bool complete = true;
    try {
      exchange.run(callable, window_bytes_of(options, options.variant), options.iterations, false);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNoProgress || !exchange.worker().last_check().has_errors()) {
        throw;
      }
      complete = false;  // ranks that wait for ever: a finding
    }
    const tileput::CheckReport& report = exchange.worker().last_check();
    if (options.verbose) {
      fmt::print("seed {}: event hash {:016x}, {} events, {} bytes of shadow memory\n", report.seed, report.event_hash,
                 report.events, report.shadow_bytes);
    }
    findings.add(report);
    if (!failing && report.has_errors()) {
      failing = report.seed;
    }
    if (complete && !differs && !exchange.matches()) {
      differs = report.seed;
    }
  }
  findings.print(schedules);
  if (differs) {
    fmt::print("the results differ from golden, first with seed {}\n", *differs);
  } else if (!failing) {
    fmt::print("all {} ranks matched golden\n", options.ranks());
  }
  if (const std::optional<std::uint64_t> seed = failing ? failing : differs) {
    fmt::print("to see it again: {} --seed {}\n", options.replay, *seed);
  }
  return static_cast<int>(failing   ? tileput::ExitCode::kFinding
                          : differs ? tileput::ExitCode::kDiffers
                                    : tileput::ExitCode::kOk);
}

int run(const Options& options) {
  refuse_impossible(options);
  if (options.platform == tileput::Platform::kCheck) {
    return run_checked(options);
  }
  Exchange exchange(options);
  print_ranks(exchange.worker());
  const tileput::Callable callable = exchange.load(options.variant);
  const tileput::SubmissionReport report =
      exchange.run(callable, window_bytes_of(options, options.variant), options.iterations, false);
  bool good = exchange.print_check();
  if (options.iterations > 1) {
    fmt::print("{} calls of {}, median {:.2f} us\n", options.iterations, options.variant, call_us(report));
  }
  if (good && options.compare) {
    good = print_comparison(exchange, options);
  }
  return static_cast<int>(good ? tileput::ExitCode::kOk : tileput::ExitCode::kDiffers);
}

/// The options of -p check.
void add_check_options(CLI::App& app, Options& options, std::string& memory_model) {
  constexpr std::int64_t kSchedulesMax = 1'000'000'000;
  app.add_option("--seed", options.check.seed, "with -p check: of the first schedule; the next one has the next");
  app.add_option("--schedules", options.schedules, "with -p check: how many")
      ->check(CLI::Range(std::int64_t{1}, kSchedulesMax));
  app.add_flag("--until-fail", options.until_fail, "with -p check: end with the first schedule that has a finding");
  app.add_option("--memory-model", memory_model, "with -p check: hardware, paranoid or coherent")
      ->check(CLI::IsMember({"hardware", "paranoid", "coherent"}));
}

/// Options that would have no effect on this platform.
void refuse_idle(const CLI::App& app, bool is_check) {
  for (const char* const option : {"--seed", "--schedules", "--until-fail", "--memory-model"}) {
    if (!is_check && app.count(option) != 0) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} is for -p check", option), "add -p check, or leave it out");
    }
  }
  for (const char* const option : {"--compare", "--peer-command", "--ranks-as", "--debug-rank"}) {
    if (is_check && app.count(option) != 0) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} is not for -p check", option), "leave it out");
    }
  }
}

tileput::MemoryModel memory_model_of(const std::string& name) {
  return name == "paranoid"   ? tileput::MemoryModel::kParanoid
         : name == "coherent" ? tileput::MemoryModel::kCoherent
                              : tileput::MemoryModel::kHardware;
}

/// The command line without the options that choose schedules.
std::string replay_of(int argc, char** argv) {
  std::string command;
  for (int i = 0; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--seed" || word == "--schedules") {
      ++i;
    } else if (word != "--until-fail" && !word.starts_with("--seed=") && !word.starts_with("--schedules=")) {
      command += fmt::format("{}{}", command.empty() ? "" : " ", word);
    }
  }
  return command;
}

/// Fills `options`; an exit code where the program is to end at once.
std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App app("All-to-all of tile kernels on rank processes", "all_to_all_distributed");
  app.option_defaults()->always_capture_default();
  std::string platform = "cpu";
  std::string devices;
  int ranks = 0;
  std::string ranks_as = "process";
  app.add_option("-p,--platform", platform, "cpu (also called sim), or check, which reports what nothing orders")
      ->check(CLI::IsMember({"cpu", "sim", "check"}));
  CLI::Option* const list = app.add_option("-d,--devices", devices, "simulated chip ids, one rank each: 0-3 or 0,2");
  app.add_option("-n,--ranks", ranks, "the same as -d 0-(N-1)")->excludes(list);
  app.add_option("--variant", options.variant, "push or pull")->check(CLI::IsMember({"push", "pull"}));
  app.add_option("--count", options.count, "elements for each destination")->check(CLI::NonNegativeNumber);
  app.add_option("--payload", options.payload, "formula or random")->check(CLI::IsMember({"formula", "random"}));
  app.add_option("--iterations", options.iterations, "calls, back to back on one window")->check(CLI::PositiveNumber);
  app.add_option("--window-bytes", options.window_bytes, "size of each rank's window; default: what is needed");
  app.add_option("--ranks-as", ranks_as, "process or thread")->check(CLI::IsMember({"process", "thread"}));
  app.add_option("--timeout", options.timeout_s, "seconds after which a run that is not complete fails; 0: never")
      ->check(CLI::Range(0.0, kSecondsMax));
  app.add_option("--wait-report", options.wait_report_s, "seconds between reports of who waits for whom; 0: none")
      ->check(CLI::Range(0.0, kSecondsMax));
  app.add_option("--debug-rank", options.debug_rank, "this rank waits for a debugger before its first task");
  app.add_flag("-v,--verbose", options.verbose, "ranks say on stderr what they do");
  app.add_flag("--compare", options.compare, "measure push against pull, and print a table");
  app.add_option("--peer-command", options.peer_command, "with --compare: prints MPI_Alltoall's time in microseconds");
  std::string memory_model = "hardware";
  add_check_options(app, options, memory_model);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help
      return app.exit(error);
    }
    throw Error(ErrorCode::kBadArgument, error.what(), "--help lists what there is");
  }
  options.platform = platform == "check" ? tileput::Platform::kCheck : tileput::Platform::kCpu;
  refuse_idle(app, options.platform == tileput::Platform::kCheck);
  options.check.memory_model = memory_model_of(memory_model);
  options.replay = replay_of(argc, argv);
  options.ranks_as = ranks_as == "thread" ? tileput::RanksAs::kThread : tileput::RanksAs::kProcess;
  if (app.count("--ranks") != 0) {
    if (ranks < 1 || ranks > tileput::kRanksMax) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} ranks", ranks),
                  fmt::format("use 1 to {}", tileput::kRanksMax));
    }
    options.devices.resize(static_cast<std::size_t>(ranks));
    std::iota(options.devices.begin(), options.devices.end(), 0);
  } else if (*list) {
    options.devices = parse_devices(devices);
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    if (const std::optional<int> code = parse(argc, argv, options)) {
      return *code;
    }
    return run(options);
  } catch (const Error& error) {
    std::fprintf(stderr, "all_to_all_distributed: %s\n", error.what());
    return static_cast<int>(tileput::exit_code_of(error.code()));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "all_to_all_distributed: %s\n", error.what());
    return static_cast<int>(tileput::ExitCode::kInternal);
  }
}
