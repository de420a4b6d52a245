// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Several schedules of one program on the checked machine, and what they found together.
///
///     tileput::Worker worker({.ranks = 4, .platform = tileput::Platform::kCheck});
///     const tileput::CheckSummary summary = tileput::run_schedules(
///         worker, {.schedules = 100}, [&](std::uint64_t) { worker.run(program); });
///     std::cout << summary.text();

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tileput/worker.hpp"

namespace tileput {

/// The findings of several runs, each once: those of one kind, region and place are the same.
class CheckSummary {
 public:
  struct Found {
    CheckFinding finding;          ///< as the first run had it; its count is that of all runs
    std::uint64_t first_seed = 0;  ///< of the first run that had it
    std::uint64_t schedules = 0;   ///< runs that had it
  };

  /// Adds a run. `is_complete`: it came to its end, rather than to ranks that wait for ever.
  void add(const CheckReport& report, bool is_complete);

  /// Runs that were added; of these, those that came to their end.
  [[nodiscard]] std::uint64_t schedules() const noexcept { return schedules_; }
  [[nodiscard]] std::uint64_t complete() const noexcept { return complete_; }
  /// In the order in which they were found first.
  [[nodiscard]] const std::vector<Found>& found() const noexcept { return found_; }
  /// Seed of the first run that had an error, which a warning is not.
  [[nodiscard]] std::optional<std::uint64_t> first_failing_seed() const noexcept { return first_failing_seed_; }

  /// Each finding with in how many of the schedules it was, or that there is none; ends with a line break.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Found> found_;
  std::uint64_t schedules_ = 0;
  std::uint64_t complete_ = 0;
  std::optional<std::uint64_t> first_failing_seed_;
};

struct ScheduleOptions {
  std::uint64_t schedules = 1;
  bool until_fail = false;  ///< no further schedule after one that had an error
  /// Called after each schedule, complete or not, with what it found. May be empty.
  std::function<void(const CheckReport& report)> after_each = {};
};

/// Calls `run_one` once for each schedule, with its number from 0. It calls worker.run() once, as each call of that is
/// one schedule, and may look at the results after it; `worker` has Platform::kCheck.
///
/// Errors: what `run_one` throws, but for kNoProgress of ranks that wait for ever: those are a finding of the summary,
/// and the next schedule follows.
CheckSummary run_schedules(const Worker& worker, const ScheduleOptions& options,
                           const std::function<void(std::uint64_t schedule)>& run_one);

/// "seed 7: event hash 9b1f..., 1520 events, 40960 bytes of shadow memory"
std::string line_of(const CheckReport& report);

/// The shell command that shows one schedule again. `words` is the command line of a program whose options --seed N,
/// --schedules N and --until-fail choose schedules (--seed=N and --schedules=N, too): it is kept without these, and
/// --seed is added.
std::string replay_command(const std::vector<std::string>& words, std::uint64_t seed);

}  // namespace tileput
