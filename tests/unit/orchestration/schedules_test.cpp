// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/schedules.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tileput/error.hpp"

namespace tileput {
namespace {

CheckFinding race_at(const std::string& place, std::uint64_t count = 1) {
  return {.kind = "RW", .region = "scratch", .place = place, .text = "RW in scratch at " + place, .count = count};
}

CheckReport report_of(std::uint64_t seed, std::vector<CheckFinding> findings = {}) {
  CheckReport report;
  report.seed = seed;
  report.findings = std::move(findings);
  return report;
}

TEST(CheckSummary, HasNothingAtFirst) {
  const CheckSummary summary;
  EXPECT_EQ(summary.schedules(), 0U);
  EXPECT_EQ(summary.complete(), 0U);
  EXPECT_TRUE(summary.found().empty());
  EXPECT_EQ(summary.first_failing_seed(), std::nullopt);
  EXPECT_EQ(summary.text(), "no findings in 0 schedules\n");
}

TEST(CheckSummary, SaysThatNothingWasFound) {
  CheckSummary summary;
  summary.add(report_of(5), true);
  EXPECT_EQ(summary.text(), "no findings in 1 schedule\n");
  summary.add(report_of(6), true);
  EXPECT_EQ(summary.text(), "no findings in 2 schedules\n");
  EXPECT_EQ(summary.first_failing_seed(), std::nullopt);
}

TEST(CheckSummary, AddsUpWhatIsTheSame) {
  CheckSummary summary;
  summary.add(report_of(5), true);
  summary.add(report_of(6, {race_at("TPUT k.cpp:1", 2)}), true);
  summary.add(report_of(7, {race_at("TPUT k.cpp:9"), race_at("TPUT k.cpp:1", 3)}), false);
  ASSERT_EQ(summary.found().size(), 2U);
  EXPECT_EQ(summary.found()[0].finding.place, "TPUT k.cpp:1");
  EXPECT_EQ(summary.found()[0].finding.count, 5U);
  EXPECT_EQ(summary.found()[0].first_seed, 6U);
  EXPECT_EQ(summary.found()[0].schedules, 2U);
  EXPECT_EQ(summary.found()[1].first_seed, 7U);
  EXPECT_EQ(summary.schedules(), 3U);
  EXPECT_EQ(summary.complete(), 2U);
  EXPECT_EQ(summary.first_failing_seed(), 6U);
  EXPECT_EQ(summary.text(),
            "RW in scratch at TPUT k.cpp:1\n  in 2 of 3 schedules, 5 times; first with seed 6\n"
            "RW in scratch at TPUT k.cpp:9\n  in 1 of 3 schedules, 1 time; first with seed 7\n");
}

TEST(CheckSummary, TellsFindingsApartByKindRegionAndPlace) {
  std::vector<CheckFinding> findings(4, race_at("TPUT k.cpp:1"));
  findings[1].kind = "WW";
  findings[2].region = "signals";
  findings[3].place = "TPUT k.cpp:2";
  CheckSummary summary;
  summary.add(report_of(1, findings), true);
  EXPECT_EQ(summary.found().size(), 4U);
}

TEST(CheckSummary, KeepsAWarningWithoutAFailure) {
  CheckFinding warning = race_at("TPUT k.cpp:1");
  warning.is_warning = true;
  CheckSummary summary;
  summary.add(report_of(1, {warning}), true);
  EXPECT_EQ(summary.found().size(), 1U);
  EXPECT_EQ(summary.first_failing_seed(), std::nullopt);
  summary.add(report_of(2, {race_at("TPUT k.cpp:2")}), true);
  EXPECT_EQ(summary.first_failing_seed(), 2U);
}

TEST(RunSchedules, RunsEachWithItsOwnSeed) {
  Worker worker({.ranks = 1, .platform = Platform::kCheck, .check = {.seed = 40}});
  std::vector<std::uint64_t> schedules;
  std::vector<std::uint64_t> seeds;
  const CheckSummary summary = run_schedules(
      worker, {.schedules = 3, .after_each = [&](const CheckReport& report) { seeds.push_back(report.seed); }},
      [&](std::uint64_t schedule) {
        schedules.push_back(schedule);
        worker.run([](Orchestrator&) {});
      });
  EXPECT_EQ(schedules, (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(seeds, (std::vector<std::uint64_t>{40, 41, 42}));
  EXPECT_EQ(summary.schedules(), 3U);
  EXPECT_EQ(summary.complete(), 3U);
}

TEST(RunSchedules, PassesOnWhatIsNoFinding) {
  Worker worker({.ranks = 1, .platform = Platform::kCheck});
  const auto code_of = [&worker](ErrorCode thrown) {
    try {
      run_schedules(worker, {}, [thrown](std::uint64_t) { throw Error(thrown, "what", "why"); });
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code_of(ErrorCode::kKernel), ErrorCode::kKernel);
  EXPECT_EQ(code_of(ErrorCode::kNoProgress), ErrorCode::kNoProgress);  // and no finding that says why
}

TEST(ReplayCommand, LeavesOutWhatChoosesSchedules) {
  EXPECT_EQ(replay_command({"./all_to_all", "-p", "check", "--seed", "3", "-n", "2", "--schedules", "100"}, 17),
            "./all_to_all -p check -n 2 --seed 17");
  EXPECT_EQ(replay_command({"./all_to_all", "--seed=3", "--until-fail", "-p", "check", "--schedules=100"}, 4),
            "./all_to_all -p check --seed 4");
  EXPECT_EQ(replay_command({"./my program", "--seed"}, 4), "'./my program' --seed 4");
}

}  // namespace
}  // namespace tileput
