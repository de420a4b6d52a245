// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Tensors that the runtime allocates, scopes, and what else an orchestration may call.

#include "conformance/outputs.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/support.hpp"

namespace tileput::test {
namespace {

constexpr std::int32_t kUnseen = -1;
constexpr std::size_t kElements = 256;

class AllocatedOutputs : public testing::TestWithParam<RanksAs> {
 protected:
  void SetUp() override {
    worker_ = std::make_unique<Worker>(options_of(1, GetParam()));
    // No names: the default ones.
    callable_ = worker_->load(
        {.orchestration = "kernels/outputs_orch.so", .kernels = {{0, Core::kAiv, "kernels/outputs_kernel.so"}}});
    for (std::size_t i = 0; i < kElements; ++i) {
      in_[i] = static_cast<std::int32_t>(1000 + 3 * i);
    }
  }

  /// The number of core tasks.
  std::uint64_t run(Outputs what, std::int64_t value = 0, const TaskOptions& options = {}) {
    out_.fill(kUnseen);
    const RunReport report = run_on_all(
        *worker_, *callable_, {{.name = "scratch", .bytes = 64, .type = DataType::kInt32}},
        [&](int /*rank*/, const Domain& domain, TaskArgs& args) {
          args.add_input(tensor_of(in_)).add_inout(tensor_of(out_)).add_inout(domain.buffer("scratch"));
          args.add_scalar(what).add_scalar(value).add_context(domain);
        },
        options);
    return report.submissions.at(0).ranks.at(0).tasks;
  }
  void expect_refused(ErrorCode code, Outputs what, std::int64_t value, const std::vector<std::string>& parts) {
    SCOPED_TRACE(parts.front());
    expect_error(code, parts, [&] { run(what, value); });
    run(Outputs::kMixed);
    EXPECT_EQ(out_[0], in_[0] + 1) << "the next run";
  }

  std::unique_ptr<Worker> worker_;
  std::optional<Callable> callable_;
  std::array<std::int32_t, kElements> in_{};
  std::array<std::int32_t, kElements> out_{};
};

TEST_P(AllocatedOutputs, MixWithExistingOnesInTheOrderOfAddition) {
  EXPECT_EQ(run(Outputs::kMixed), 5U);
  for (std::size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(out_[i], in_[i] + 1);
    EXPECT_EQ(out_[128 + i], in_[i] + 13);
  }
  EXPECT_EQ(out_[64], kUnseen);
  EXPECT_EQ(out_[100], 2) << "size()";
  EXPECT_EQ(out_[101], 2) << "task_id()";
  EXPECT_EQ(out_[102], 256) << "bytes";
  EXPECT_EQ(out_[103], 2161) << "dimensions, an extent, manual_dep";
  EXPECT_EQ(out_[104], 1) << "type, dense";
  EXPECT_EQ(out_[105], 0) << "alignment";
  EXPECT_EQ(out_[106], 1) << "owner";
}

TEST_P(AllocatedOutputs, HaveAnySize) {
  EXPECT_EQ(run(Outputs::kEmpty), 2U);
  EXPECT_EQ(out_[0], 1);
  EXPECT_EQ(run(Outputs::kManySizes), 22U);
  for (std::size_t i = 0; i <= 10; ++i) {
    EXPECT_EQ(out_[i], 1 << (2 * i));
  }
}

TEST_P(AllocatedOutputs, ScopesNestAndAreLeftInEveryWay) {
  EXPECT_EQ(run(Outputs::kScopes, 0, {.calls = 3}), 30U);
  for (std::size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(out_[i], in_[i] + (i < 32 ? 2 : 122));
  }
  EXPECT_EQ(out_[100], 6);
  expect_refused(ErrorCode::kBadArgument, Outputs::kAfterScope, 0, {"an output of task 0, whose scope has ended"});
}

TEST_P(AllocatedOutputs, MemoryIsGivenBackByScopesAndByCalls) {
  const auto peak_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);  // a rank that is a process has its own, which this does not see
    return usage.ru_maxrss;
  };
  run(Outputs::kLarge, 2);
  run(Outputs::kManySizes);
  const long before = peak_kib();
  run(Outputs::kLarge, 100);
  EXPECT_EQ(out_[63], in_[63] + 2);
  run(Outputs::kManySizes, 0, {.calls = 50});
  EXPECT_LT(peak_kib() - before, 64L << 10) << "of 680 MiB that were allocated";
}

TEST_P(AllocatedOutputs, WhatMemoryDoesNotHoldIsRefusedByName) {
  expect_refused(ErrorCode::kOutOfMemory, Outputs::kTooLarge, 0, {"output 0 of", " of 64 TiB", "does not fit"});
  expect_refused(ErrorCode::kOutOfMemory, Outputs::kNoMemoryOrder, 0, {"output 0 of task 0", "elements of 8 bytes"});
}

TEST_P(AllocatedOutputs, AccessesBeyondThemAreRefusedByName) {
  expect_refused(ErrorCode::kOutOfWindow, Outputs::kBeyond, 0,
                 {"TLOAD at outputs_kernel.cpp:", "output 0 of task 0 ends there"});
  expect_refused(ErrorCode::kBadArgument, Outputs::kNoSuchOutput, 0,
                 {"output 1 of the 1 that were allocated for task 0"});
}

TEST_P(AllocatedOutputs, OrchestrationsAccessElementsByIndex) {
  EXPECT_EQ(run(Outputs::kHostElements), 1U);
  EXPECT_EQ(out_[0], in_[5 * 16 + 3] + 1);
  EXPECT_EQ(out_[3 * 16 + 5], 77 + 1);
  const auto refused = [&](std::int64_t mistake, ErrorCode code, const std::vector<std::string>& parts) {
    expect_refused(code, Outputs::kHostElements, mistake, parts);
  };
  refused(1, ErrorCode::kBadArgument, {"get_tensor_data", "2 indices for a tensor of 1 dimensions"});
  refused(2, ErrorCode::kBadArgument, {"get_tensor_data", "a value of 8 bytes for elements of INT32, which have 4"});
  refused(3, ErrorCode::kBadArgument, {"set_tensor_data", "index 16 of dimension 1, which has 16 elements"});
  refused(4, ErrorCode::kOutOfWindow, {"get_tensor_data", "not inside a window or tensor"});
}

TEST_P(AllocatedOutputs, ArgumentsAreCheckedAndCanBeReset) {
  EXPECT_EQ(run(Outputs::kArguments), 1U);
  EXPECT_EQ(out_[0], in_[0] - 1);
  EXPECT_EQ(out_[31], in_[31] - 1);
  EXPECT_EQ(out_[32], kUnseen);
  const auto refused = [&](std::int64_t mistake, const char* text) {
    expect_refused(ErrorCode::kOrchestration, Outputs::kBadArguments, mistake, {text});
  };
  refused(0, "at most 32 tensors");
  refused(1, "at most 16 scalars");
  refused(2, "add_scalars() with a negative count, or without values");
  refused(3, "set_dependencies() with a negative count, or without tasks");
  refused(4, "a tensor was added after a scalar");
}

TEST_P(AllocatedOutputs, OrchestrationThatSubmitsNothingSucceeds) {
  EXPECT_EQ(run(Outputs::kNothing, 0, {.calls = 3}), 0U);
  EXPECT_EQ(out_[0], kUnseen);
}

TEST_P(AllocatedOutputs, DefaultConfigurationIsFound) {
  expect_error(ErrorCode::kTooFewArguments, {"expects 6 arguments and got 0 tensors and 1 scalars"}, [&] {
    worker_->run([&](Orchestrator& o) {
      RankTask task{0, {}};
      task.args.add_scalar(Outputs::kNothing);
      o.submit_group(*callable_, {task});
    });
  });
}

TEST_P(AllocatedOutputs, LogLinesNameRankAndPlace) {
  testing::internal::CaptureStderr();
  run(Outputs::kLog);
  const std::string text = testing::internal::GetCapturedStderr();
  if (GetParam() == RanksAs::kThread) {  // a process was started with the stderr of before
    EXPECT_NE(text.find("[error] rank 0: outputs_orch.cpp:"), std::string::npos) << text;
    EXPECT_NE(text.find(": error 1\n"), std::string::npos) << text;
    EXPECT_NE(text.find("[warning] rank 0: "), std::string::npos) << text;
    EXPECT_NE(text.find(": warning two\n"), std::string::npos) << text;
    EXPECT_NE(text.find(": information\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("detail"), std::string::npos) << text;
  }
}

TEST(CheckedOutputs, ReadsByTheOrchestrationRaceWithWhatNothingOrders) {
  WorkerOptions options = options_of(2, RanksAs::kThread);
  options.platform = Platform::kCheck;
  Worker worker(options);
  const Callable callable = worker.load(
      {.orchestration = "kernels/outputs_orch.so", .kernels = {{0, Core::kAiv, "kernels/outputs_kernel.so"}}});
  std::array<std::int32_t, kElements> in{};
  std::array<std::array<std::int32_t, kElements>, 2> out{};
  const RunReport report = worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = {{.name = "scratch", .bytes = 64, .type = DataType::kInt32}}});
    std::vector<RankTask> group;
    for (int rank = 0; rank < 2; ++rank) {
      group.push_back({rank, {}});
      TaskArgs& args = group.back().args;
      args.add_input(tensor_of(in)).add_inout(tensor_of(out[static_cast<std::size_t>(rank)]));
      args.add_inout(domain.buffer("scratch")).add_scalar(Outputs::kRace).add_scalar(0).add_context(domain);
    }
    o.submit_group(callable, group);
  });
  ASSERT_FALSE(report.check.findings.empty());
  for (const CheckFinding& finding : report.check.findings) {
    EXPECT_EQ(finding.region, "scratch") << finding.text;
    EXPECT_NE(finding.place.find("get_tensor_data outputs_orch.cpp:"), std::string::npos) << finding.text;
    EXPECT_NE(finding.place.find("TSTORE outputs_kernel.cpp:"), std::string::npos) << finding.text;
  }
}

INSTANTIATE_TEST_SUITE_P(Conformance, AllocatedOutputs, testing::Values(RanksAs::kProcess, RanksAs::kThread),
                         kind_name);

}  // namespace
}  // namespace tileput::test
