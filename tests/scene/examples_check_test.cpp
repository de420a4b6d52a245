// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Every example on the checked machine: three calls back to back, no findings, and right results in every schedule.

#include <gtest/gtest.h>

#include "expect_examples.hpp"

namespace tileput::scene {
namespace {

constexpr std::uint64_t kSchedules = 20;

class ExamplesCheck : public testing::TestWithParam<Example> {};

TEST_P(ExamplesCheck, IsClean) {
  for (const int ranks : GetParam().checked_ranks) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks");
    const auto scene = GetParam().make(ranks, example::Payload::kRandom);
    expect_clean(*scene, kSchedules);
  }
}

std::string example_name(const testing::TestParamInfo<Example>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(All, ExamplesCheck, testing::ValuesIn(examples()), example_name);

}  // namespace
}  // namespace tileput::scene
