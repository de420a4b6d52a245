// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What push does not need: the counts of one call as the observer on the waist sees them.

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "example_run.hpp"

namespace tileput::scene {
namespace {

constexpr std::uint32_t kCount = 64;

SubmissionReport observed_call(const std::string& variant, int ranks) {
  const auto n = static_cast<std::uint32_t>(ranks);
  Worker worker(example_options(ranks));
  const Callable callable = load_example(worker, variant);
  const std::uint64_t sets = slot_sets_of(variant);
  std::vector<std::vector<std::int32_t>> in(n);
  std::vector<std::vector<std::int32_t>> out(n, std::vector<std::int32_t>(n * kCount, -1));
  for (std::size_t rank = 0; rank < n; ++rank) {
    in[rank].resize(n * kCount);
    std::iota(in[rank].begin(), in[rank].end(), static_cast<std::int32_t>(rank * 100'000));
  }
  RunReport report = worker.run([&](Orchestrator& o) {
    const Domain domain =
        o.allocate_domain({.buffers = {{.name = "scratch", .bytes = all_to_all::window_of(sets, n, kCount).bytes}}});
    std::vector<RankTask> group;
    for (int rank = 0; rank < ranks; ++rank) {
      const auto r = static_cast<std::size_t>(rank);
      TaskArgs args;
      args.add_input(Tensor::of(in[r])).add_output(Tensor::of(out[r])).add_inout(domain.buffer("scratch"));
      args.add_scalar(domain.size()).add_context(domain);
      group.push_back({rank, args});
    }
    o.submit_group(callable, group, {.observe = true});
  });
  for (std::size_t rank = 0; rank < n; ++rank) {
    for (std::size_t source = 0; source < n; ++source) {
      for (std::size_t i = 0; i < kCount; ++i) {
        EXPECT_EQ(out[rank][source * kCount + i], in[source][rank * kCount + i])
            << "rank " << rank << ", source " << source << ", element " << i;
      }
    }
  }
  return std::move(report.submissions.at(0));
}

std::vector<std::string> kinds_of(const RankReport& report) {
  std::vector<std::string> kinds;
  for (const PhaseReport& phase : report.phases) {
    kinds.push_back(phase.kind);
  }
  return kinds;
}

class Counts : public testing::TestWithParam<int> {};

TEST_P(Counts, PushIsOnePhaseOfPutsOneBarrierAndALocalCopy) {
  const SubmissionReport report = observed_call("push", GetParam());
  ASSERT_EQ(report.ranks.size(), static_cast<std::size_t>(GetParam()));
  for (const RankReport& rank : report.ranks) {
    SCOPED_TRACE(rank.rank);
    EXPECT_EQ(rank.puts, static_cast<std::uint64_t>(GetParam()));
    EXPECT_EQ(rank.remote_loads, 0U);
    EXPECT_EQ(rank.tiles, 1U);
    EXPECT_EQ(rank.barriers, 1U);
    EXPECT_EQ(rank.notifies, static_cast<std::uint64_t>(GetParam() - 1));
    EXPECT_EQ(kinds_of(rank), (std::vector<std::string>{"push", "copy-out"}));
  }
}

TEST_P(Counts, PullStagesReadsRemotelyAndMeetsTwice) {
  const SubmissionReport report = observed_call("pull", GetParam());
  ASSERT_EQ(report.ranks.size(), static_cast<std::size_t>(GetParam()));
  for (const RankReport& rank : report.ranks) {
    SCOPED_TRACE(rank.rank);
    EXPECT_EQ(rank.puts, 0U);
    EXPECT_EQ(rank.remote_loads, static_cast<std::uint64_t>(GetParam()));
    EXPECT_EQ(rank.tiles, 2U);
    EXPECT_EQ(rank.barriers, 2U);
    EXPECT_EQ(rank.notifies, static_cast<std::uint64_t>(2 * (GetParam() - 1)));
    EXPECT_EQ(kinds_of(rank), (std::vector<std::string>{"stage-in", "pull"}));
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, Counts, testing::Values(2, 3, 4, 8));

/// Alone there is nobody to meet or to read from, so all of it is one phase.
TEST(CountsOfOneRank, PushIsOnePutAndALocalCopy) {
  const RankReport rank = observed_call("push", 1).ranks.at(0);
  EXPECT_EQ(rank.puts, 1U);
  EXPECT_EQ(rank.remote_loads, 0U);
  EXPECT_EQ(rank.tiles, 1U);
  EXPECT_EQ(rank.barriers + rank.notifies, 0U);
  EXPECT_EQ(kinds_of(rank), (std::vector<std::string>{"push"}));
}

TEST(CountsOfOneRank, PullReadsItsOwnStage) {
  const RankReport rank = observed_call("pull", 1).ranks.at(0);
  EXPECT_EQ(rank.puts, 0U);
  EXPECT_EQ(rank.remote_loads, 0U);
  EXPECT_EQ(rank.tiles, 2U);
  EXPECT_EQ(rank.barriers + rank.notifies, 0U);
  EXPECT_EQ(kinds_of(rank), (std::vector<std::string>{"stage-in"}));
}

}  // namespace
}  // namespace tileput::scene
