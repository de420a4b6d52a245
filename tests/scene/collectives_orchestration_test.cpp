// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What the orchestrations of allgather, broadcast and reduce-scatter refuse, with which words, and that the worker
// stays good.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broadcast_distributed/kernels/broadcast_window.hpp"
#include "common/kernels/slot_window.hpp"
#include "two_ranks.hpp"

namespace tileput::scene {
namespace {

constexpr std::uint32_t kCount = 64;

TwoRanks two_ranks(const std::string& collective, const Submission& right) {
  use_example_kernels();
  return {{.orchestration = "kernels/" + collective + "_orch.so",
           .entry = collective,
           .kernels = {{0, Core::kAiv, "kernels/" + collective + "_kernel.so"}}},
          right};
}

void expect_matrices_refused(TwoRanks& ranks) {
  ranks.expect_refused("in has 2 and out 1 dimensions; they have one", [](Submission& s) { s.in_shape = {2, 32}; });
  ranks.expect_refused("in has 1 and out 3 dimensions; they have one", [](Submission& s) { s.out_shape = {2, 2, 32}; });
}

std::vector<float> joined(std::vector<float> first, const std::vector<float>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST(Allgather, RefusesWhatItCannotGather) {
  TwoRanks ranks =
      two_ranks("allgather", {.out_shape = {2 * kCount}, .scratch_bytes = slot_window::window_of(2, kCount).bytes});
  ranks.expect_common_refusals();
  expect_matrices_refused(ranks);
  ranks.expect_refused("in has 64 and out 64 elements for 2 ranks", [](Submission& s) { s.out_shape = {64}; });
  ranks.expect_refused("in has 64 and out 129 elements for 2 ranks", [](Submission& s) { s.out_shape = {129}; });
  ranks.expect_refused("both are of one type", [](Submission& s) { s.out_type = DataType::kInt32; });
  ranks.expect_refused("in is whole 4-byte words", [](Submission& s) {
    s.in_type = s.out_type = DataType::kInt16;
    s.in_shape = {63};
    s.out_shape = {126};
  });
  const std::vector<float> out = joined(std::vector<float>(kCount, 1), std::vector<float>(kCount, 2));
  ranks.expect_right({out, out});
}

TEST(Broadcast, RefusesWhatItCannotSend) {
  TwoRanks ranks =
      two_ranks("broadcast", {.scalars = {1}, .scratch_bytes = broadcast_window::window_of(2, kCount).bytes});
  ranks.expect_common_refusals();
  expect_matrices_refused(ranks);
  ranks.expect_refused("root 2 of 2 ranks", [](Submission& s) { s.scalars = {2}; });
  ranks.expect_refused("root 18446744073709551615 of 2 ranks", [](Submission& s) { s.scalars = {~std::uint64_t{0}}; });
  ranks.expect_refused("in has 64 and out 63 elements; they must be equal", [](Submission& s) { s.out_shape = {63}; });
  ranks.expect_refused("in has 63 and out 64 elements; they must be equal", [](Submission& s) { s.in_shape = {63}; });
  ranks.expect_refused("of one type", [](Submission& s) { s.out_type = DataType::kInt32; });
  ranks.expect_refused("whole 4-byte words", [](Submission& s) {
    s.in_type = s.out_type = DataType::kInt16;
    s.in_shape = s.out_shape = {63};
  });
  ranks.expect_right({std::vector<float>(kCount, 2), std::vector<float>(kCount, 2)});
}

TEST(ReduceScatter, RefusesWhatItCannotSum) {
  TwoRanks ranks =
      two_ranks("reduce_scatter", {.in_shape = {2 * kCount}, .scratch_bytes = slot_window::window_of(2, kCount).bytes});
  ranks.expect_common_refusals();
  expect_matrices_refused(ranks);
  const std::string hint = " for 2 ranks; both are float, and in has what out has for each rank";
  ranks.expect_refused("in has 64 FLOAT32 and out 64 FLOAT32" + hint, [](Submission& s) { s.in_shape = {64}; });
  ranks.expect_refused("in has 128 FLOAT32 and out 65 FLOAT32" + hint, [](Submission& s) { s.out_shape = {65}; });
  ranks.expect_refused("in has 128 INT32 and out 64 FLOAT32" + hint,
                       [](Submission& s) { s.in_type = DataType::kInt32; });
  ranks.expect_refused("in has 128 FLOAT32 and out 64 INT32" + hint,
                       [](Submission& s) { s.out_type = DataType::kInt32; });
  ranks.expect_right({std::vector<float>(kCount, 3), std::vector<float>(kCount, 3)});
}

}  // namespace
}  // namespace tileput::scene
