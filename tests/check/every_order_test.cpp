// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What is found in one run is what any run can show: random small programs, of which each is run under many schedules,
// twice. Once waits are ordered after what satisfied them in the run at hand, so that each schedule shows the races of
// its own order; once as always. The second must find, in every run that ends, exactly what the first shows in all of
// them together.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "check/explore.hpp"
#include "check/litmus/parser.hpp"
#include "check/litmus/program.hpp"

namespace tileput::check::litmus {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 7919) {}
  int below(int n) {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t x = state_;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return static_cast<int>((x ^ (x >> 31U)) % static_cast<std::uint64_t>(n));
  }

 private:
  std::uint64_t state_;
};

/// Rank 0 mostly waits and reads, the others mostly write and tell it: what it may read then depends on who came first.
std::string statement_of(Random& random, int ranks, int rank) {
  const int cell = random.below(2);
  const int word = 16 * (random.below(6) / 5);
  const int kind = random.below(12);
  if (kind == 0) {
    return fmt::format("  TNOTIFY s@{}[{}] ADD 1\n", random.below(ranks), word);
  }
  if (kind == 1 || (rank == 0 && kind < 7)) {
    return fmt::format("  TWAIT s[{}] {} {}\n", word, random.below(5) != 0 ? "GE" : "EQ", 1 + random.below(2));
  }
  if (rank == 0) {
    return fmt::format("  TLOAD ub1 <- d[{}]\n", random.below(4));
  }
  if (kind < 5) {
    return fmt::format("  TSTORE d@0[{}] <- ub0\n{}", 2 * cell + rank % 2, random.below(8) != 0 ? "  REL\n" : "");
  }
  return fmt::format("  TNOTIFY s@{}[{}] ADD 1\n", random.below(4) == 0 ? random.below(ranks) : 0, word);
}

std::string program_of(std::uint64_t seed) {
  Random random(seed);
  const int ranks = 2 + random.below(3);
  std::string text = fmt::format("ranks {}\nwin d[4] s[64]\n", ranks);
  for (int rank = 0; rank < ranks; ++rank) {
    text += fmt::format("rank {}:\n", rank);
    for (int left = 3 + random.below(4); left > 0; --left) {
      text += statement_of(random, ranks, rank);
    }
  }
  return text;
}

std::set<std::string> races_of(const Findings& findings) {
  std::set<std::string> races;
  for (const Finding& finding : findings.all()) {
    if (finding.kind != FindingKind::kDeadlock) {
      races.insert(fmt::format("{}:{}", name_of(finding.kind), finding.region));
    }
  }
  return races;
}

/// The races of each run that ends; equal ones once.
std::set<std::set<std::string>> races_of_runs(Program& program, bool waits_follow_the_run) {
  constexpr std::uint64_t kSchedules = 100;
  std::set<std::set<std::string>> races;
  const auto explorer = make_explorer({.mode = ExploreOptions::Mode::kRandom, .schedules = kSchedules});
  while (explorer->more()) {
    const RunResult result = program.run(*explorer, {.waits_follow_the_run = waits_follow_the_run});
    if (result.outcome == Scheduler::Outcome::kEnded) {
      races.insert(races_of(result.findings));
    }
  }
  return races;
}

TEST(EveryOrder, IsLookedAtInEachRun) {
  constexpr int kPrograms = 1000;
  int compared = 0;
  int depend_on_the_run = 0;
  for (std::uint64_t seed = 1; seed <= kPrograms; ++seed) {
    const std::string text = program_of(seed);
    const Listing listing = parse("random", text);
    Program program(listing, Variant::kBuggy);
    const std::set<std::set<std::string>> found = races_of_runs(program, false);
    if (found.empty()) {
      continue;  // no schedule ends
    }
    ++compared;
    const std::set<std::set<std::string>> shown = races_of_runs(program, true);
    depend_on_the_run += shown.size() > 1 ? 1 : 0;
    std::set<std::string> together;
    for (const std::set<std::string>& run : shown) {
      together.insert(run.begin(), run.end());
    }
    EXPECT_EQ(found.size(), 1U) << "runs differ, seed " << seed << "\n" << text;
    EXPECT_EQ(*found.begin(), together) << "seed " << seed << "\n" << text;
  }
  EXPECT_GT(compared, 200);
  EXPECT_GT(depend_on_the_run, 5) << "the comparison shows nothing";
}

}  // namespace
}  // namespace tileput::check::litmus
