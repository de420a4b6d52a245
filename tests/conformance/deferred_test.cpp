// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Deferred completion: what waits for a task whose counters have not risen, and what does not.
//
// That a task does not wait is shown by order: it sends what the pending one needs to complete.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/deferred.hpp"
#include "conformance/support.hpp"

namespace tileput::test {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kUnseen = -1;

class Deferring : public testing::TestWithParam<RanksAs> {
 protected:
  void start(int ranks, std::chrono::nanoseconds timeout = kTimeout) {
    WorkerOptions options = options_of(ranks, GetParam());
    options.timeout = timeout;
    worker_ = std::make_unique<Worker>(options);
    callable_ = worker_->load({.orchestration = "kernels/deferred_orch.so",
                               .entry = "steps",
                               .kernels = {{0, Core::kAiv, "kernels/deferred_kernel.so"}}});
  }

  /// Rank i executes lists[i].
  RunReport run(const std::vector<std::vector<Step>>& lists, const TaskOptions& options = {}) {
    out_.resize(lists.size());
    for (auto& out : out_) {
      out.fill(kUnseen);
    }
    return run_on_all(
        *worker_, *callable_,
        {{.name = "counters", .bytes = 4 * (kCountersMax + 8), .type = DataType::kInt32},
         {.name = "data", .bytes = 64, .type = DataType::kInt32},
         {.name = "side", .bytes = 64, .type = DataType::kInt32}},
        [&](int rank, const Domain& domain, TaskArgs& args) {
          const std::vector<Step>& list = lists[static_cast<std::size_t>(rank)];
          args.add_inout(tensor_of(out_[static_cast<std::size_t>(rank)])).add_inout(domain.buffer("counters"));
          args.add_inout(domain.buffer("data")).add_inout(domain.buffer("side"));
          args.add_context(domain).add_scalar(static_cast<std::int32_t>(list.size()));
          for (const Step& step : list) {
            args.add_scalar(step.what).add_scalar(step.at).add_scalar(step.value).add_scalar(step.which);
            args.add_scalar(step.use).add_scalar(step.after).add_scalar(step.blocks);
          }
        },
        options);
  }

  [[nodiscard]] std::int64_t out(int rank, std::size_t word) const {
    return out_[static_cast<std::size_t>(rank)].at(word);
  }

  /// Rank 0 defers a task with `pending` on counter 0; a task with `between` lets rank 1 raise it, so it must not wait.
  /// A task with `consumer`, which must wait, sees what rank 1 wrote before.
  void expect_order(const Step& pending, const Step& between, const Step& consumer) {
    Step deferred = pending;
    deferred.what = Deferred::kDefer;
    deferred.value = 1;
    Step release = between;
    release.what = Deferred::kNotify;
    release.at = 1;
    release.value = 1;
    Step looks = consumer;
    looks.what = Deferred::kSeeData;
    run({{deferred, release, looks},
         {{.what = Deferred::kAwait, .at = 1, .value = 1}, {.what = Deferred::kPush, .value = 4711}}});
    EXPECT_EQ(out(0, 0), 4711);
  }

  void expect_good_run() { expect_order({.which = Which::kData, .use = Use::kOutput}, {}, {.which = Which::kData}); }

  std::unique_ptr<Worker> worker_;
  std::optional<Callable> callable_;
  std::vector<std::array<std::int64_t, 8>> out_;
};

TEST_P(Deferring, TasksWaitForMemoryThatOneOfBothWrites) {
  start(2);
  const Step writes{.which = Which::kData, .use = Use::kOutput};
  const Step updates{.which = Which::kData, .use = Use::kInOut};
  const Step reads{.which = Which::kData, .use = Use::kInput};
  const Step elsewhere{.which = Which::kSide, .use = Use::kInOut};
  for (const Step& pending : {writes, updates}) {
    for (const Step& consumer : {reads, updates, writes}) {
      expect_order(pending, elsewhere, consumer);
    }
  }
  expect_order(reads, elsewhere, writes);
  expect_order(reads, reads, updates);
}

TEST_P(Deferring, OverlapIsJudgedByAddresses) {
  start(2);
  const Step half{.which = Which::kFirstHalf, .use = Use::kOutput};
  const Step other{.which = Which::kSecondHalf, .use = Use::kOutput};
  expect_order(half, other, half);
  expect_order(half, other, {.which = Which::kData});
  expect_order({.which = Which::kSecondHalf, .use = Use::kInput}, half, {.which = Which::kData, .use = Use::kOutput});
}

TEST_P(Deferring, ViewsOverlapWhereTheirExtentsDo) {
  start(2);
  const Step columns{.which = Which::kLeftColumns, .use = Use::kOutput};
  const Step row{.which = Which::kLastRow, .use = Use::kInput};
  expect_order(columns, {.which = Which::kSide, .use = Use::kInOut}, row);
  expect_order(row, {.which = Which::kLastRow}, columns);
  expect_order(row, {.which = Which::kFirstHalf, .use = Use::kOutput},
               {.which = Which::kSecondHalf, .use = Use::kInOut});
}

TEST_P(Deferring, AllocatedOutputsAreWaitedForLikeOthers) {
  start(2);
  const Step made{.which = Which::kFresh, .use = Use::kOutput};
  expect_order(made, {.which = Which::kData, .use = Use::kInOut}, {.which = Which::kFresh});
  expect_order(made, {.which = Which::kSide}, {.which = Which::kFresh, .use = Use::kOutput});
}

TEST_P(Deferring, ManualTensorsAreOrderedByNameAlone) {
  start(2);
  const Step manual{.which = Which::kManual, .use = Use::kInOut};
  const Step plain{.which = Which::kData, .use = Use::kInOut};
  Step named = plain;
  named.after = 0;
  expect_order(manual, plain, named);
  expect_order(plain, manual, named);
  expect_order({.which = Which::kFreshManual, .use = Use::kOutput}, {.which = Which::kFreshManual, .use = Use::kInOut},
               {.which = Which::kFreshManual, .after = 0});
}

TEST_P(Deferring, OrchestrationReadsAfterThePendingWriter) {
  start(2);
  for (const Which which : {Which::kData, Which::kManual}) {
    run({{{.what = Deferred::kDefer, .value = 1, .which = which, .use = Use::kOutput},
          {.what = Deferred::kHostRead, .which = Which::kSide},  // must not wait
          {.what = Deferred::kNotify, .at = 1, .value = 1},
          {.what = Deferred::kHostRead, .value = 3, .which = Which::kFirstHalf}},
         {{.what = Deferred::kAwait, .at = 1, .value = 1}, {.what = Deferred::kPush, .value = 4711}}});
    EXPECT_EQ(out(0, 3), 4711);
    EXPECT_EQ(out(0, 0), 0);
  }
}

TEST_P(Deferring, OrchestrationWritesAfterThePendingReader) {
  start(2);
  run({{{.what = Deferred::kDefer, .value = 1, .which = Which::kData, .use = Use::kInput},
        {.what = Deferred::kHostRead, .value = 2, .which = Which::kData},  // beside another reader
        {.what = Deferred::kNotify, .at = 1, .value = 1},
        {.what = Deferred::kHostWrite, .at = 7, .value = -5, .which = Which::kData},
        {.what = Deferred::kSeeCounter, .at = 0, .value = 1},
        {.what = Deferred::kHostRead, .at = 7, .value = 3, .which = Which::kData}},
       {{.what = Deferred::kAwait, .at = 1, .value = 1}, {.what = Deferred::kNotify, .at = 0, .value = 1}}});
  EXPECT_EQ(out(0, 1), 1) << "it did not wait";
  EXPECT_EQ(out(0, 2), 0);
  EXPECT_EQ(out(0, 3), -5);
}

TEST_P(Deferring, TensorsWithoutDependencyDoNotCount) {
  start(2);
  const Step writes{.which = Which::kData, .use = Use::kOutput};
  const Step passes{.which = Which::kData, .use = Use::kNoDep};
  expect_order(writes, passes, writes);
  expect_order({.which = Which::kFirstHalf, .use = Use::kOutput}, passes, writes);
  // A pending task that only passes the tensor holds nobody up; the dependency is named instead.
  expect_order(passes, writes, {.which = Which::kSide, .after = 0});
}

TEST_P(Deferring, NamedTasksAreWaitedFor) {
  start(2);
  expect_order({.which = Which::kData, .use = Use::kOutput}, {.which = Which::kSide},
               {.which = Which::kSide, .use = Use::kInOut, .after = 0});
  expect_order({.which = Which::kData, .use = Use::kInput}, {.which = Which::kData},
               {.which = Which::kData, .after = 0});
  expect_error(ErrorCode::kBadArgument, {"a dependency on task 5 of 0"}, [&] {
    run({{{.what = Deferred::kReturn, .after = 5}}, {}});
  });
  expect_good_run();
}

TEST_P(Deferring, CounterMayRiseBeforeItIsRegistered) {
  start(1);
  run({{{.what = Deferred::kRaiseOwn, .at = 3, .value = 9, .which = Which::kData, .use = Use::kOutput},
        {.what = Deferred::kSeeCounter, .at = 3, .value = 1, .which = Which::kData}}});
  EXPECT_EQ(out(0, 1), 9);
}

TEST_P(Deferring, EndOfEveryCallWaitsForAll) {
  start(2);
  run({{{.what = Deferred::kSeeCounter, .at = 0, .value = 1},
        {.what = Deferred::kDefer, .value = 1, .which = Which::kData, .use = Use::kOutput},
        {.what = Deferred::kDefer, .value = 1, .which = Which::kSide, .use = Use::kOutput}},
       {{.what = Deferred::kPush, .value = 1}}},
      {.calls = 2});
  EXPECT_GE(out(0, 1), 1) << "the second call began before the first was complete";
}

TEST_P(Deferring, CountersAreUnsigned) {
  start(2);
  // 1 is less than 2^31 + 1, which as a signed number is negative.
  run({{{.what = Deferred::kRaiseOwn, .at = 0, .value = 1},
        {.what = Deferred::kDefer, .at = 0, .value = 0x80000001, .which = Which::kData, .use = Use::kOutput},
        {.what = Deferred::kNotify, .at = 1, .value = 1},
        {.what = Deferred::kSeeCounter, .at = 0, .value = 1, .which = Which::kData}},
       {{.what = Deferred::kAwait, .at = 1, .value = 1}, {.what = Deferred::kNotify, .at = 0, .value = INT32_MIN}}});
  EXPECT_EQ(static_cast<std::uint32_t>(out(0, 1)), 0x80000001U);
  // And 2^31 is at least 1.
  run({{{.what = Deferred::kRaiseOwn, .at = 0, .value = INT32_MIN},
        {.what = Deferred::kDefer, .at = 0, .value = 1, .which = Which::kData, .use = Use::kOutput},
        {.what = Deferred::kSeeCounter, .at = 0, .value = 1, .which = Which::kData}},
       {}});
  EXPECT_EQ(static_cast<std::uint32_t>(out(0, 1)), 0x80000000U);
}

TEST_P(Deferring, SixtyFourConditionsAndNotOneMore) {
  start(2);
  run({{{.what = Deferred::kDeferMany, .value = 64, .which = Which::kData, .use = Use::kOutput},
        {.what = Deferred::kNotify, .at = 100, .value = 1},
        {.what = Deferred::kSeeCounter, .at = 63, .value = 1, .which = Which::kData},
        {.what = Deferred::kSeeCounter, .at = 0, .value = 2}},
       {{.what = Deferred::kAwait, .at = 100, .value = 1}, {.what = Deferred::kNotifyMany, .value = 64}}});
  EXPECT_EQ(out(0, 1), 1);
  EXPECT_EQ(out(0, 2), 1);
  expect_error(ErrorCode::kBadArgument, {"deferred_kernel.so on rank 0", "more than 64 completion conditions"}, [&] {
    run({{{.what = Deferred::kDeferMany, .value = 65}}, {}});
  });
  expect_good_run();
}

TEST_P(Deferring, BlocksOfATaskDeferItTogether) {
  start(2);
  run({{{.what = Deferred::kDefer, .at = 0, .value = 1, .which = Which::kData, .use = Use::kOutput, .blocks = 8},
        {.what = Deferred::kNotify, .at = 100, .value = 1},
        {.what = Deferred::kSeeCounter, .at = 0, .value = 1, .which = Which::kData}},
       {{.what = Deferred::kAwait, .at = 100, .value = 1}, {.what = Deferred::kNotifyMany, .value = 8}}});
  EXPECT_EQ(out(0, 1), 1) << "counter 0 is raised last";
}

TEST_P(Deferring, CallsFollowEachOtherOnAllRanks) {
  constexpr int kRanks = 3;
  start(kRanks);
  const std::vector<Step> list{
      {.what = Deferred::kDeferNext, .at = 0, .which = Which::kData, .use = Use::kOutput},
      {.what = Deferred::kPushNext, .at = 0},
      {.what = Deferred::kCheckNext, .value = 1, .which = Which::kData},
  };
  run(std::vector<std::vector<Step>>(kRanks, list), {.calls = 200});
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(out(rank, 1), kUnseen) << "calls that saw old data on rank " << rank;
  }
}

TEST_P(Deferring, PendingTasksOfTwoRanksReleaseEachOther) {
  start(2);
  // Rank 0 defers on counter 0, rank 1 on counter 1; each raises the other's only when its own consumer is not due.
  const std::vector<Step> first{
      {.what = Deferred::kDefer, .at = 0, .value = 2, .which = Which::kData, .use = Use::kOutput},
      {.what = Deferred::kNotify, .at = 1, .value = 1},
      {.what = Deferred::kDefer, .at = 2, .value = 1, .which = Which::kSide, .use = Use::kOutput},
      {.what = Deferred::kSeeCounter, .at = 0, .value = 1, .which = Which::kData},
      {.what = Deferred::kSeeCounter, .at = 2, .value = 2, .which = Which::kSide}};
  const std::vector<Step> second{
      {.what = Deferred::kDefer, .at = 1, .value = 1, .which = Which::kData, .use = Use::kOutput},
      {.what = Deferred::kNotify, .at = 0, .value = 1},
      {.what = Deferred::kNotify, .at = 0, .value = 1, .which = Which::kData},
      {.what = Deferred::kNotify, .at = 2, .value = 1}};
  run({first, second});
  EXPECT_EQ(out(0, 1), 2);
  EXPECT_EQ(out(0, 2), 1);
}

TEST_P(Deferring, CounterThatNeverComesIsReportedWithTheLineOfItsRegistration) {
  start(2, 0ns);
  for (const bool is_consumed : {false, true}) {
    std::vector<Step> list{
        {.what = Deferred::kDefer, .at = 2, .value = 4000000000, .which = Which::kData, .use = Use::kOutput}};
    if (is_consumed) {
      list.push_back({.what = Deferred::kReturn, .which = Which::kData});
    }
    expect_error(ErrorCode::kNoProgress,
                 {"rank 0 waits for a notify that never comes: rank 1 has returned without it",
                  "for a deferred task, registered at deferred_kernel.cpp:", "(deferred_kernel.so)",
                  "byte 8 of 'counters' in rank 0's window", ">= 4000000000, sees 0"},
                 [&] {
                   run({list, {}});
                 });
    expect_good_run();
  }
}

TEST_P(Deferring, WaitEndsWhenAPeerFails) {
  start(2);
  expect_error(ErrorCode::kKernel, {"deferred_kernel.so on rank 1", "on purpose"}, [&] {
    run({{{.what = Deferred::kDefer, .value = 1}}, {{.what = Deferred::kThrow, .value = 100}}});
  });
  expect_good_run();
}

TEST_P(Deferring, WhatCannotBeRegisteredIsRefused) {
  start(2);
  const auto refused = [&](ErrorCode code, const Step& step, const std::vector<std::string>& parts) {
    expect_error(code, parts, [&] { run({{step}, {}}); });
  };
  const std::string at = "register_completion_condition at deferred_kernel.cpp:";
  refused(ErrorCode::kBadArgument, {.what = Deferred::kNoTask}, {at, "belongs to no task"});
  refused(ErrorCode::kBadArgument, {.what = Deferred::kUnaligned}, {at, "is not aligned"});
  refused(ErrorCode::kOutOfWindow, {.what = Deferred::kOutside, .value = 4}, {at, "begins 4 bytes after that"});
  run({{{.what = Deferred::kIsDeferred}}, {}});
  EXPECT_EQ(out(0, 0), 1);
  EXPECT_EQ(out(0, 1), 0);
}

INSTANTIATE_TEST_SUITE_P(Conformance, Deferring, testing::Values(RanksAs::kProcess, RanksAs::kThread), kind_name);

}  // namespace
}  // namespace tileput::test
