// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// StuckRanks on control memory that nobody but the test writes: which blocks of which ranks have to wait.

#include <gtest/gtest.h>

#include <vector>

#include "orchestration/wait_table.hpp"

namespace tileput::orchestration {
namespace {

using rank::BlockState;

constexpr int kRanks = 3;
constexpr std::uint32_t kShift = 20;
using Ranks = std::vector<int>;

/// Three ranks in one domain, ranks 0 and 1 in another.
class StuckRanksTest : public testing::Test {
 protected:
  StuckRanksTest() {
    job_.heap_shift = kShift;
    job_.ranks.resize(kRanks);
    job_.domains.push_back({1, 4096, {0, 1, 2}, {0, 0, 0}, {}});
    job_.domains.push_back({2, 4096, {0, 1}, {4096, 4096}, {}});
    for (int rank = 0; rank < kRanks; ++rank) {
      block(rank, 0).state = BlockState::kRuns;
    }
  }

  rank::BlockSlot& block(int rank, int index) { return control_.blocks(rank)[index]; }

  /// The rank's task has `count` blocks, all of which run.
  void start(int rank, int count) {
    control_.slot(rank).more_blocks_max = count - 1;
    for (int i = 0; i < count; ++i) {
      block(rank, i).state = BlockState::kRuns;
    }
  }
  /// It waits for a word of its rank's window in domain 1, or 2.
  void sleep(int rank, int index, int domain = 1) {
    rank::WaitReport& wait = block(rank, index).wait;
    wait.word = (static_cast<std::uint64_t>(rank) << kShift) + (domain == 1 ? 0 : 4096) + 64;
    ++wait.episode;
    wait.sleeping = 1;
  }
  void wake(int rank, int index) { block(rank, index).wait.sleeping = 0; }
  void end(int rank, int index) { block(rank, index).state = BlockState::kOff; }
  /// Who sleeps looks, and finds its wait unsatisfied.
  void pass(int looks = 3) {
    for (int rank = 0; rank < kRanks; ++rank) {
      for (int i = 0; i < rank::kBlocksMax; ++i) {
        if (block(rank, i).wait.sleeping != 0) {
          block(rank, i).wait.looks += static_cast<std::uint64_t>(looks);
        }
      }
    }
  }

  Ranks judge() { return stuck_.stuck(control_, job_, {.may_act = may_act_}); }

  Ranks judge_twice() {
    judge();
    pass();
    return judge();
  }

  base::UniqueFd fd_ = rank::Control::create(kRanks);
  rank::Control control_{fd_.get(), kRanks};
  JobDescription job_;
  StuckRanks stuck_;
  std::vector<bool> may_act_{true, false, false};  ///< only rank 0 has a task
};

TEST_F(StuckRanksTest, NeedsTwoCallsWithAWholeLookBetween) {
  sleep(0, 0);
  EXPECT_EQ(judge(), Ranks{});
  pass(1);
  EXPECT_EQ(judge(), Ranks{}) << "that look may have begun before the first call";
  pass(2);
  EXPECT_EQ(judge(), Ranks{0});
}

TEST_F(StuckRanksTest, RankThatMayActSavesThoseOfItsDomain) {
  may_act_ = {true, true, true};
  sleep(0, 0, 2);
  sleep(1, 0, 2);
  EXPECT_EQ(judge_twice(), (Ranks{0, 1})) << "rank 2 is in no domain that they wait in";
  wake(1, 0);
  sleep(1, 0, 1);
  EXPECT_EQ(judge_twice(), Ranks{}) << "rank 2 may notify rank 1, and that rank 0";
  may_act_[2] = false;
  judge();
  pass();
  EXPECT_EQ(judge(), (Ranks{0, 1}));
}

TEST_F(StuckRanksTest, AllBlocksThatHaveNotEndedMustWait) {
  start(0, 4);
  sleep(0, 0);
  sleep(0, 1);
  sleep(0, 3);
  EXPECT_EQ(judge_twice(), Ranks{}) << "block 2 runs";
  end(0, 2);
  EXPECT_EQ(judge_twice(), Ranks{0});
}

TEST_F(StuckRanksTest, FirstBlockThatAwaitsTheOthersIsOff) {
  start(0, 3);
  end(0, 0);
  end(0, 1);
  sleep(0, 2);
  EXPECT_EQ(judge_twice(), Ranks{0});
  block(0, 0).state = BlockState::kRuns;
  EXPECT_EQ(judge_twice(), Ranks{});
}

TEST_F(StuckRanksTest, BlockThatEndsBetweenMayHaveNotifiedBefore) {
  start(0, 2);
  sleep(0, 0);
  judge();
  end(0, 1);
  pass();
  EXPECT_EQ(judge(), Ranks{}) << "it ran at the first call";
  pass();
  EXPECT_EQ(judge(), Ranks{0});
}

TEST_F(StuckRanksTest, OtherWaitOfOneBlockSavesTheRank) {
  start(0, 2);
  sleep(0, 0);
  sleep(0, 1);
  judge();
  wake(0, 1);
  sleep(0, 1);
  pass();
  EXPECT_EQ(judge(), Ranks{}) << "it was awake in between";
  pass();
  EXPECT_EQ(judge(), Ranks{0});
}

TEST_F(StuckRanksTest, OneBlockThatCanBeNotifiedSavesAll) {
  may_act_ = {true, true, true};
  start(0, 2);
  sleep(0, 0, 2);
  sleep(0, 1, 1);  // rank 2 may notify this one, which may then notify the rest
  sleep(1, 0, 2);
  EXPECT_EQ(judge_twice(), Ranks{});
  wake(0, 1);
  sleep(0, 1, 2);
  EXPECT_EQ(judge_twice(), (Ranks{0, 1}));
}

TEST_F(StuckRanksTest, BlocksOfAnEarlierTaskDoNotCount) {
  start(0, 64);
  for (int i = 1; i < 64; ++i) {
    end(0, i);
  }
  sleep(0, 0);
  EXPECT_EQ(judge_twice(), Ranks{0});
}

TEST_F(StuckRanksTest, RunningBlockOfAFirstLargerTaskIsSeen) {
  judge();
  start(0, 8);
  for (int i = 0; i < 7; ++i) {
    sleep(0, i);
  }
  EXPECT_EQ(judge_twice(), Ranks{});
  sleep(0, 7);
  EXPECT_EQ(judge_twice(), Ranks{0});
}

TEST_F(StuckRanksTest, WaitOutsideEveryWindowIsNotJudged) {
  start(0, 2);
  sleep(0, 0);
  sleep(0, 1);
  block(0, 1).wait.word = (std::uint64_t{kRanks} << kShift) + 64;  // the worker's heap
  EXPECT_EQ(judge_twice(), Ranks{});
}

}  // namespace
}  // namespace tileput::orchestration
