// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What the orchestration of the all-to-all refuses, as the program that submits it sees it, and that the worker stays
// good.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "example_run.hpp"
#include "two_ranks.hpp"

namespace tileput::scene {
namespace {

class Orchestration : public testing::TestWithParam<std::string> {
 protected:
  void TearDown() override {
    std::vector<float> out(128, 1);
    std::fill(out.begin() + 64, out.end(), 2.0F);
    ranks_.expect_right({out, out});
  }

  TwoRanks ranks_{{.orchestration = EXAMPLE_ORCHESTRATION,
                   .entry = "all_to_all_" + GetParam(),
                   .kernels = {{0, Core::kAiv, GetParam() == "push" ? EXAMPLE_PUSH : EXAMPLE_PULL}}},
                  {.in_shape = {128},
                   .out_shape = {128},
                   .scratch_bytes = all_to_all::window_of(slot_sets_of(GetParam()), 2, 64).bytes}};
};

TEST_P(Orchestration, RefusesOtherRanksAndWindowsThanItNeeds) { ranks_.expect_common_refusals(); }

TEST_P(Orchestration, RefusesARemainder) {
  ranks_.expect_refused("in has 127 and out 127 elements for 2 ranks",
                        [](Submission& s) { s.in_shape = s.out_shape = {127}; });
  // 63 elements of 2 bytes for each rank: no whole words.
  ranks_.expect_refused("whole 4-byte words", [](Submission& s) {
    s.in_shape = s.out_shape = {126};
    s.in_type = s.out_type = DataType::kInt16;
  });
}

TEST_P(Orchestration, RefusesOutputsUnlikeTheInput) {
  ranks_.expect_refused("in has 128 and out 126 elements", [](Submission& s) { s.out_shape = {126}; });
  ranks_.expect_refused("in has 128 and out 256 elements", [](Submission& s) { s.out_shape = {256}; });
  ranks_.expect_refused("of one type", [](Submission& s) { s.out_type = DataType::kInt32; });
  ranks_.expect_refused("of one type", [](Submission& s) {
    s.in_type = DataType::kInt16;
    s.out_type = DataType::kFloat16;
  });
}

TEST_P(Orchestration, RefusesMatrices) {
  ranks_.expect_refused("in has 2 and out 1 dimensions", [](Submission& s) { s.in_shape = {2, 64}; });
  ranks_.expect_refused("in has 1 and out 2 dimensions", [](Submission& s) { s.out_shape = {2, 64}; });
}

INSTANTIATE_TEST_SUITE_P(Variants, Orchestration, testing::Values("push", "pull"),
                         [](const auto& variant) { return variant.param; });

}  // namespace
}  // namespace tileput::scene
