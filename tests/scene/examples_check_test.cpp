// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Every example on the checked machine: three calls back to back, no findings, and right results in every schedule.

#include <gtest/gtest.h>

#include "examples.hpp"

namespace tileput::scene {
namespace {

constexpr std::uint32_t kCalls = 3;
constexpr std::uint64_t kSchedules = 20;

class ExamplesCheck : public testing::TestWithParam<Example> {};

TEST_P(ExamplesCheck, IsClean) {
  use_example_kernels();
  for (const int ranks : GetParam().checked_ranks) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks");
    Worker worker({.ranks = ranks, .platform = Platform::kCheck});
    const auto scene = GetParam().make(ranks, example::Payload::kRandom);
    scene->load(worker);
    for (std::uint64_t schedule = 0; schedule < kSchedules; ++schedule) {
      ASSERT_EQ(run_and_compare(worker, *scene, schedule, kCalls), "") << "seed " << worker.last_check().seed;
      for (const CheckFinding& finding : worker.last_check().findings) {
        ADD_FAILURE() << "seed " << worker.last_check().seed << ": " << finding.text;
      }
      ASSERT_GT(worker.last_check().events, 0U);
    }
  }
}

std::string example_name(const testing::TestParamInfo<Example>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(All, ExamplesCheck, testing::ValuesIn(examples()), example_name);

}  // namespace
}  // namespace tileput::scene
