// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Tasks of several blocks: they run at the same time with a core each, fail together, and are judged together.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "conformance/blocks.hpp"
#include "conformance/support.hpp"

namespace tileput::test {
namespace {

using namespace std::chrono_literals;

constexpr int kTasksMax = 4;
constexpr int kPoison = -77;

/// A worker whose ranks run blocks_kernel.
class BlocksFixture {
 public:
  void start(int ranks, RanksAs ranks_as, std::chrono::nanoseconds timeout = kTimeout,
             std::chrono::nanoseconds wait_report = 0ns) {
    WorkerOptions options = options_of(ranks, ranks_as);
    options.timeout = timeout;
    options.wait_report = wait_report;
    worker_ = std::make_unique<Worker>(options);
    callable_ = worker_->load({.orchestration = "kernels/blocks_orch.so",
                               .entry = "blocks",
                               .kernels = {{0, Core::kAiv, "kernels/blocks_kernel.so"}}});
  }

  /// All ranks submit a task of each of these block counts.
  RunReport run(Blocks what, std::int64_t value, const std::vector<int>& counts, const TaskOptions& options = {}) {
    out_.assign(static_cast<std::size_t>(worker_->ranks()),
                std::vector<std::int32_t>(std::size_t{kTasksMax} * 64 * kBlockWords, kPoison));
    return run_on_all(
        *worker_, *callable_, {{.name = "words", .bytes = 16384, .type = DataType::kInt32}},
        [&](int rank, const Domain& domain, TaskArgs& args) {
          args.add_inout(Tensor::of(out_[static_cast<std::size_t>(rank)])).add_inout(domain.buffer("words"));
          args.add_scalar(what).add_scalar(value).add_scalar(static_cast<std::int32_t>(counts.size()));
          args.add_context(domain);
          for (const int count : counts) {
            args.add_scalar(count);
          }
        },
        options);
  }

  [[nodiscard]] std::int32_t out(int rank, int block, int word, int task = 0) const {
    return out_[static_cast<std::size_t>(rank)][static_cast<std::size_t>((task * 64 + block) * kBlockWords + word)];
  }

  void expect_good_run() {
    run(Blocks::kReverse, 0, {3});
    EXPECT_EQ(out(0, 0, 0), 2);
  }

  std::unique_ptr<Worker> worker_;

 private:
  std::optional<Callable> callable_;
  std::vector<std::vector<std::int32_t>> out_;
};

/// Ranks as processes and threads, 1, 2 and 4 of them, with 1 to 64 blocks.
class BlockCounts : public testing::TestWithParam<std::tuple<RanksAs, int, int>>, public BlocksFixture {
 protected:
  void SetUp() override { start(ranks(), std::get<0>(GetParam())); }
  [[nodiscard]] static int ranks() { return std::get<1>(GetParam()); }
  [[nodiscard]] static int blocks() { return std::get<2>(GetParam()); }

  template <class Check>
  void for_all(Check&& check) {
    for (int rank = 0; rank < ranks(); ++rank) {
      for (int block = 0; block < blocks(); ++block) {
        SCOPED_TRACE("rank " + std::to_string(rank) + ", block " + std::to_string(block));
        check(rank, block);
      }
    }
  }
};

TEST_P(BlockCounts, EachKnowsItsIndexAndTheirNumber) {
  run(Blocks::kIdentify, 0, {blocks()});
  for_all([&](int rank, int block) {
    EXPECT_EQ(out(rank, block, 0), block);
    EXPECT_EQ(out(rank, block, 1), blocks());
    EXPECT_EQ(out(rank, block, 2), block);
    EXPECT_EQ(out(rank, block, 3), blocks());
  });
  EXPECT_EQ(out(0, blocks() % 64, 0), blocks() == 64 ? 0 : kPoison) << "a block too many";
}

TEST_P(BlockCounts, EachHasItsOwnOnChipMemory) {
  run(Blocks::kOnChip, 0, {blocks()});
  for_all([&](int rank, int block) {
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(out(rank, block, i), 100 * block + i);
    }
  });
}

TEST_P(BlockCounts, AllBlocksOfAllRanksMeet) {
  run(Blocks::kBarriers, blocks() == 64 ? 5 : 100, {blocks()});
  for_all([&](int rank, int block) {
    EXPECT_EQ(out(rank, block, 0), 0);
    EXPECT_EQ(out(rank, block, 1), block);
  });
}

TEST_P(BlockCounts, EarlierBlocksMayWaitForLaterOnes) {
  run(Blocks::kReverse, 0, {blocks()});
  for_all([&](int rank, int block) { EXPECT_EQ(out(rank, block, 0), blocks() - 1 - block); });
}

std::string counts_name(const testing::TestParamInfo<std::tuple<RanksAs, int, int>>& info) {
  return name_of(std::get<0>(info.param)) + std::to_string(std::get<1>(info.param)) + "Times" +
         std::to_string(std::get<2>(info.param));
}
INSTANTIATE_TEST_SUITE_P(Conformance, BlockCounts,
                         testing::Combine(testing::Values(RanksAs::kProcess, RanksAs::kThread),
                                          testing::Values(1, 2, 4), testing::Values(1, 2, 3, 8, 64)),
                         counts_name);

class BlockTeams : public testing::TestWithParam<RanksAs>, public BlocksFixture {};

TEST_P(BlockTeams, TasksOfDifferentCountsFollowEachOther) {
  start(2, GetParam());
  for (const std::vector<int>& counts : std::vector<std::vector<int>>{{3, 1, 8, 2}, {1, 64, 1, 2}, {8, 8, 1, 3}}) {
    run(Blocks::kIdentify, 0, counts);
    for (int task = 0; task < kTasksMax; ++task) {
      const int count = counts[static_cast<std::size_t>(task)];
      for (int block = 0; block < 64; ++block) {
        EXPECT_EQ(out(1, block, 2, task), block < count ? block : kPoison);
        EXPECT_EQ(out(1, block, 3, task), block < count ? count : kPoison);
      }
    }
  }
}

TEST_P(BlockTeams, OtherCountsAreRefused) {
  start(2, GetParam());
  for (const int count : {0, -1, 65}) {
    expect_error(ErrorCode::kBadArgument,
                 {"blocks_kernel.so", std::to_string(count) + " blocks", "a task has 1 to 64 blocks"},
                 [&] { run(Blocks::kIdentify, 0, {count}); });
    expect_good_run();
  }
}

TEST_P(BlockTeams, BlockThatFailsReleasesTheOthersAndIsNamed) {
  start(2, GetParam());
  for (const int block : {0, 1, 3}) {
    const std::string place = "blocks_kernel.so on rank 1, block " + std::to_string(block);
    expect_error(ErrorCode::kKernel, {place, "on purpose"}, [&] { run(Blocks::kThrow, block, {4}); });
    expect_good_run();
    expect_error(ErrorCode::kKernel, {place, "on purpose"}, [&] { run(Blocks::kThrowPolling, block, {4}); });
    expect_error(ErrorCode::kOutOfWindow, {place, "TNOTIFY at blocks_kernel.cpp:", "begins 4 bytes after that"},
                 [&] { run(Blocks::kRefused, block, {4}); });
    expect_good_run();
  }
}

TEST_P(BlockTeams, TwoBlocksThatWaitForEverAreNamedWithTheirLines) {
  start(2, GetParam(), 0ns);
  const std::optional<Error> error = error_of([&] { run(Blocks::kTwoWait, 0, {4}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(name_of(error->code()), name_of(ErrorCode::kNoProgress));
  const std::string text = error->what();
  std::vector<std::string> lines;
  for (const char* const part : {"rank 0, block 1: waits for ", "rank 0, block 2: waits for ",
                                 "rank 1, block 1: waits for ", "rank 1, block 2: waits for "}) {
    const std::size_t at = text.find(part);
    ASSERT_NE(at, std::string::npos) << part << " in " << text;
    const std::size_t source = text.find("blocks_kernel.cpp:", at);
    ASSERT_NE(source, std::string::npos) << text;
    lines.push_back(text.substr(source, text.find(' ', source) - source));
  }
  EXPECT_NE(lines[0], lines[1]) << text;
  EXPECT_EQ(lines[0], lines[2]) << text;
  for (const char* const part : {"byte 260 of 'words' in rank 0's window", ">= 5, sees 0", ">= 6, sees 0"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
  EXPECT_EQ(text.find("block 0:"), std::string::npos) << "it has ended: " << text;
  EXPECT_EQ(text.find("block 3:"), std::string::npos) << "it has ended: " << text;
  expect_good_run();
}

TEST_P(BlockTeams, BlocksThatWaitAfterTheFirstReturnedAreFound) {
  start(1, GetParam(), 0ns);
  expect_error(ErrorCode::kNoProgress,
               {"rank 0, block 1 waits for a notify that nobody else can send", "rank 0, block 1: waits for "},
               [&] { run(Blocks::kFirstReturns, 0, {2}); });
  expect_good_run();
}

TEST_P(BlockTeams, RanksThatAllWaitInAllBlocksAreFound) {
  start(2, GetParam(), 0ns);
  expect_error(ErrorCode::kNoProgress, {"ranks 0, 1 all wait", "rank 0, block 1: waits", "rank 1, block 2: waits"},
               [&] { run(Blocks::kFirstReturns, 0, {3}); });
}

TEST_P(BlockTeams, BlockThatComputesSavesTheOthers) {
  start(2, GetParam(), 0ns);
  run(Blocks::kOneComputes, 800, {3});
  run(Blocks::kOneComputes, 300, {64, 2});
}

TEST_P(BlockTeams, BlockThatComputesIsShownInReports) {
  start(1, GetParam(), kTimeout, 200ms);
  testing::internal::CaptureStderr();
  run(Blocks::kOneComputes, 1500, {3});
  const std::string text = testing::internal::GetCapturedStderr();
  for (const char* const part : {"rank 0, block 0: waits for ", "rank 0, block 2: computes in blocks_kernel.so"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST_P(BlockTeams, CountsOfAllBlocksAddUp) {
  start(2, GetParam());
  for (const int count : {1, 5}) {
    const RunReport report = run(Blocks::kPush, 0, {count}, {.observe = true});
    for (const RankReport& rank : report.submissions.at(0).ranks) {
      EXPECT_EQ(rank.puts, static_cast<std::uint64_t>(count));
      EXPECT_EQ(rank.notifies, static_cast<std::uint64_t>(count));
      EXPECT_EQ(rank.tiles, static_cast<std::uint64_t>(count));
      EXPECT_EQ(rank.barriers, 1U);
      ASSERT_EQ(rank.phases.size(), 1U);
      EXPECT_EQ(rank.phases[0].kind, "push");
      EXPECT_EQ(rank.phases[0].puts, static_cast<std::uint64_t>(count));
      EXPECT_EQ(rank.phases[0].bytes, static_cast<std::uint64_t>(count) * 32);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Conformance, BlockTeams, testing::Values(RanksAs::kProcess, RanksAs::kThread), kind_name);

class BlockDeaths : public testing::Test, public BlocksFixture {};

TEST_F(BlockDeaths, RankKilledInsideABlock) {
  start(3, RanksAs::kProcess);
  for (const int block : {0, 2}) {
    expect_error(ErrorCode::kRankDied, {"rank 2 (process ", "signal 9"}, [&] { run(Blocks::kKill, block, {3}); });
    expect_good_run();
  }
}

TEST_F(BlockDeaths, BlocksThatFaultTogetherLeaveOneReport) {
  if (kSanitized) {
    GTEST_SKIP() << "the sanitizer's own handler reports";
  }
  start(1, RanksAs::kProcess);
  for (int round = 0; round < 20; ++round) {
    expect_error(ErrorCode::kRankDied, {"rank 0 (process ", "signal 11", "at blocks_kernel.cpp:", "accessing 0x10"},
                 [&] { run(Blocks::kFault, kEveryBlock, {8}); });
  }
}

TEST_F(BlockDeaths, FaultInABlockNamesItsLine) {
  if (kSanitized) {
    GTEST_SKIP() << "the sanitizer's own handler reports";
  }
  start(2, RanksAs::kProcess);
  for (const int block : {0, 2}) {
    expect_error(ErrorCode::kRankDied, {"rank 1 (process ", "signal 11", "at blocks_kernel.cpp:", "accessing 0x10"},
                 [&] { run(Blocks::kFault, block, {3}); });
    expect_error(ErrorCode::kRankDied, {"rank 1 (process ", "signal 11", "at blocks_kernel.cpp:"},
                 [&] { run(Blocks::kOverflowStack, block, {3}); });
    expect_good_run();
  }
}

}  // namespace
}  // namespace tileput::test
