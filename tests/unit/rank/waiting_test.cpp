// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank/waiting.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tileput/error.hpp"

namespace tileput::rank {
namespace {

constexpr WaitPolicy kSleepAtOnce{0, 0};

/// Rank 0 of two on a control memory of its own, and a word to wait for.
class WaitingTest : public testing::Test {
 protected:
  static const std::int32_t* unsatisfied(const void* context) {
    const auto* const word = static_cast<const std::atomic<std::int32_t>*>(context);
    return word->load(std::memory_order_seq_cst) == 1 ? nullptr : reinterpret_cast<const std::int32_t*>(word);
  }
  WaitPoint point() { return {reinterpret_cast<std::uintptr_t>(&word_) - 64, 1, 0, &word_}; }
  void wait(WaitPolicy policy, std::uint64_t run = 1) {
    Waiting waiting(control_, 0, policy);
    control_.slot(0).current_run = run;
    waiting.until(point(), &unsatisfied, &word_);
  }
  void until_asleep() {
    while (control_.blocks(0)->wait.sleeping.load() == 0 || control_.doorbells()[0].sleepers.load() == 0) {
      std::this_thread::yield();
    }
  }

  base::UniqueFd fd_ = Control::create(2);
  Control control_{fd_.get(), 2};
  std::atomic<std::int32_t> word_{0};
};

TEST_F(WaitingTest, ReturnsAtOnceWhatIsSatisfied) {
  word_ = 1;
  wait(kSleepAtOnce);
  wait({1000, 1000});
  EXPECT_EQ(control_.doorbells()[0].sleepers.load(), 0U);
}

TEST_F(WaitingTest, SleeperWakesByTheRing) {
  for (int round = 0; round < 50; ++round) {
    word_ = 0;
    std::thread sleeper([this] { wait(kSleepAtOnce); });
    until_asleep();
    word_.store(1, std::memory_order_seq_cst);
    ring(control_.doorbells()[0]);
    sleeper.join();
    EXPECT_EQ(control_.doorbells()[0].sleepers.load(), 0U);
    EXPECT_EQ(control_.blocks(0)->wait.sleeping.load(), 0U);
  }
}

TEST_F(WaitingTest, PlainStoreWithoutARingIsFound) {
  std::thread sleeper([this] { wait(kSleepAtOnce); });
  until_asleep();
  word_.store(1, std::memory_order_relaxed);
  sleeper.join();
}

TEST_F(WaitingTest, RingsBeforeTheConditionDoNotEndTheWait) {
  std::atomic<bool> woken{false};
  std::thread sleeper([&] {
    wait(kSleepAtOnce);
    woken = true;
  });
  until_asleep();
  for (int i = 0; i < 100; ++i) {
    ring(control_.doorbells()[0]);
    EXPECT_FALSE(woken);
  }
  word_ = 1;
  ring(control_.doorbells()[0]);
  sleeper.join();
}

TEST_F(WaitingTest, ReportsWhatItWaitsFor) {
  word_ = -3;
  std::thread sleeper([this] { wait(kSleepAtOnce); });
  until_asleep();
  const WaitReport& report = control_.blocks(0)->wait;
  while (report.seen.load() != -3) {
    std::this_thread::yield();
  }
  EXPECT_EQ(report.word.load(), 64U);
  EXPECT_EQ(report.expected.load(), 1);
  EXPECT_EQ(report.site.load(), reinterpret_cast<std::uintptr_t>(&word_));
  EXPECT_EQ(report.episode.load(), 1U);
  for (const std::uint64_t looks = report.looks.load(); report.looks.load() < looks + 2;) {
    std::this_thread::yield();  // it looks again and again
  }
  EXPECT_EQ(control_.blocks(1)->wait.sleeping.load(), 0U);
  word_ = 1;
  sleeper.join();
}

TEST_F(WaitingTest, AbortEndsTheWaitOfRunsUpToIt) {
  ErrorCode code{};
  std::thread sleeper([&] {
    try {
      wait(kSleepAtOnce, 5);
    } catch (const Error& error) {
      code = error.code();
    }
  });
  until_asleep();
  control_.abort(0, 4);  // an earlier run
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(control_.blocks(0)->wait.sleeping.load(), 1U);
  control_.abort(0, 5);
  sleeper.join();
  EXPECT_EQ(code, ErrorCode::kAborted);
  EXPECT_EQ(control_.doorbells()[0].sleepers.load(), 0U);
  word_ = 1;
  wait(kSleepAtOnce, 6);  // later runs wait as ever
}

TEST_F(WaitingTest, BlocksOfARankShareItsDoorbellAndWaitApart) {
  std::atomic<bool> failed{false};
  Waiting waiting(control_, 0, kSleepAtOnce, 3, &failed);
  control_.slot(0).current_run = 1;
  ErrorCode code{};
  std::thread block([&] {
    try {
      waiting.until(point(), &unsatisfied, &word_);
    } catch (const Error& error) {
      code = error.code();
    }
  });
  std::thread first([&] { wait(kSleepAtOnce); });
  until_asleep();
  while (control_.blocks(0)[3].wait.sleeping.load() == 0) {
    std::this_thread::yield();
  }
  failed = true;
  ring(control_.doorbells()[0]);
  block.join();
  EXPECT_EQ(code, ErrorCode::kAborted);
  EXPECT_EQ(control_.blocks(0)[3].wait.sleeping.load(), 0U);
  EXPECT_EQ(control_.blocks(0)[0].wait.sleeping.load(), 1U);
  word_ = 1;
  first.join();
  EXPECT_EQ(control_.doorbells()[0].sleepers.load(), 0U);
}

TEST_F(WaitingTest, ResetForgetsARankThatIsGone) {
  control_.slot(0).aborted_run = 9;
  control_.blocks(0)->wait.sleeping = 1;
  control_.doorbells()[0].sleepers = 1;
  control_.slot(0).more_blocks_max = 5;
  control_.blocks(0)[5].state = BlockState::kRuns;
  control_.blocks(0)[5].notifies.count = 7;
  control_.reset(0);
  EXPECT_EQ(control_.blocks_used(0), 1);
  EXPECT_EQ(control_.blocks(0)[5].state.load(), BlockState::kOff);
  EXPECT_EQ(control_.blocks(0)[5].notifies.count.load(), 0U);
  EXPECT_EQ(control_.slot(0).aborted_run.load(), 0U);
  EXPECT_EQ(control_.blocks(0)->wait.sleeping.load(), 0U);
  EXPECT_EQ(control_.doorbells()[0].sleepers.load(), 0U);
}

TEST_F(WaitingTest, TwoMappingsShareTheControlMemory) {
  const Control other(fd_.get(), 2);
  other.slot(1).current_run = 77;
  EXPECT_EQ(control_.slot(1).current_run.load(), 77U);
}

TEST(WaitPolicy, SpinsOnlyWhereEveryRankHasACore) {
  EXPECT_GT(WaitPolicy::of(4, 4).spin_ns, 0U);
  EXPECT_GT(WaitPolicy::of(1, 4).spin_ns, 0U);
  EXPECT_EQ(WaitPolicy::of(5, 4).spin_ns, 0U);
  EXPECT_GT(WaitPolicy::of(5, 4).yield_ns, 0U);
}

}  // namespace
}  // namespace tileput::rank
