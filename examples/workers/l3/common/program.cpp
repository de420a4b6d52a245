// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <new>
#include <optional>

#include "command_line.hpp"
#include "golden.hpp"
#include "tileput/schedules.hpp"

namespace example {
namespace {

using tileput::Error;
using tileput::ErrorCode;
using tileput::ExitCode;

std::chrono::nanoseconds seconds(double value) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(value * 1e9));
}

tileput::WorkerOptions worker_options(const ProgramOptions& options) {
  return {.ranks = options.ranks(),
          .platform = options.platform,
          .check = options.check,
          .ranks_as = options.ranks_as,
          .timeout = seconds(options.timeout_s),
          .wait_report = seconds(options.wait_report_s),
          .devices = options.devices,
          .verbose = options.verbose,
          .debug_rank = options.debug_rank};
}

void print_ranks(const tileput::Worker& worker) {
  fmt::print("worker: process {}\n", getpid());
  for (const tileput::RankInfo& info : worker.rank_infos()) {
    fmt::print("rank {}: chip {}, process {}, core {}\n", info.rank, info.device, info.process_id,
               info.core ? fmt::to_string(*info.core) : "any");
  }
  std::fflush(stdout);  // before a long run, and before messages on stderr
}

bool all_match(const std::vector<RankCheck>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const RankCheck& check) { return check.matches; });
}

/// One line a rank, and one more where it differs; true if all match.
bool print_checks(const std::vector<RankCheck>& checks) {
  for (const RankCheck& check : checks) {
    fmt::print("rank {}: max |out - expected| = {:.3e}\n", check.rank, check.max_error);
    if (!check.matches) {
      fmt::print("  {}\n", check.detail);
    }
  }
  const auto differ =
      std::count_if(checks.begin(), checks.end(), [](const RankCheck& check) { return !check.matches; });
  if (differ != 0) {
    fmt::print("{} of {} ranks differ from golden\n", differ, checks.size());
    return false;
  }
  fmt::print("all {} ranks matched golden\n", checks.size());
  return true;
}

tileput::RunReport run_once(tileput::Worker& worker, Scene& scene, const ProgramOptions& options, std::uint64_t round) {
  scene.fill(round);
  return worker.run([&](tileput::Orchestrator& o) { scene.submit(o, {.calls = options.iterations}); });
}

/// The rounds up to the first that differs; what is printed is the worst of each rank.
bool run_rounds(tileput::Worker& worker, Scene& scene, const Program& program, const ProgramOptions& options) {
  std::vector<RankCheck> worst;
  tileput::RunReport report;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    report = run_once(worker, scene, options, round);
    std::vector<RankCheck> checks = scene.check();
    const bool good = all_match(checks);
    for (std::size_t i = 0; i < worst.size(); ++i) {
      checks[i].max_error = std::max(checks[i].max_error, worst[i].max_error);
    }
    worst = std::move(checks);
    if (!good) {
      if (options.rounds > 1) {
        fmt::print("round {} of {}:\n", round + 1, options.rounds);
      }
      break;
    }
  }
  const bool good = print_checks(worst);
  if (options.iterations > 1) {
    double us = 0;  // one call of each submission
    for (const tileput::SubmissionReport& submission : report.submissions) {
      us += call_us(submission);
    }
    const std::string what = program.call_name ? " of " + program.call_name() : "";
    fmt::print("{} calls{}, median {:.2f} us\n", options.iterations, what, us);
  }
  return good;
}

void print_line(const tileput::CheckReport& report) { fmt::print("{}\n", tileput::line_of(report)); }

/// Runs one schedule after the other on the checked machine.
ExitCode run_checked(Scene& scene, const ProgramOptions& options) {
  tileput::Worker worker(worker_options(options));
  scene.load(worker);
  std::optional<std::uint64_t> differs;  // the first seed whose results differ
  const auto one_schedule = [&](std::uint64_t schedule) {
    // Drawn by the seed, so that the same seed alone is the same run.
    run_once(worker, scene, options, options.check.seed + schedule);
    if (!differs && !all_match(scene.check())) {
      differs = worker.last_check().seed;
    }
  };
  const tileput::CheckSummary summary = tileput::run_schedules(
      worker, {options.schedules, options.until_fail, options.verbose ? print_line : nullptr}, one_schedule);
  const std::optional<std::uint64_t> failing = summary.first_failing_seed();
  fmt::print("{}", summary.text());
  if (differs) {
    fmt::print("the results differ from golden, first with seed {}\n", *differs);
  } else if (!failing) {
    fmt::print("all {} ranks matched golden\n", options.ranks());
  }
  if (const std::optional<std::uint64_t> seed = failing ? failing : differs) {
    fmt::print("to see it again: {}\n", tileput::replay_command(options.words, *seed));
  }
  return failing ? ExitCode::kFinding : differs ? ExitCode::kDiffers : ExitCode::kOk;
}

ExitCode run(const Program& program, const ProgramOptions& options) {
  const std::unique_ptr<Scene> scene = program.make_scene(options);
  if (options.platform == tileput::Platform::kCheck) {
    return run_checked(*scene, options);
  }
  tileput::Worker worker(worker_options(options));
  print_ranks(worker);
  scene->load(worker);
  bool good = run_rounds(worker, *scene, program, options);
  if (good && program.afterwards) {
    good = program.afterwards(worker, *scene);
  }
  return good ? ExitCode::kOk : ExitCode::kDiffers;
}

}  // namespace

int run_program(int argc, char** argv, const Program& program) {
  ExitCode code = ExitCode::kInternal;
  try {
    ProgramOptions options;
    if (const std::optional<int> at_once = parse_command_line(argc, argv, program, options)) {
      return *at_once;
    }
    code = run(program, options);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", program.name.c_str(), error.what());
    code = tileput::exit_code_of(error.code());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "%s: no memory for the tensors of all ranks (use smaller sizes or fewer ranks)\n",
                 program.name.c_str());
    code = tileput::exit_code_of(ErrorCode::kOutOfMemory);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program.name.c_str(), error.what());
  }
  return static_cast<int>(code);
}

}  // namespace example
