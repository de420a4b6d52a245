// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The allreduce example: sums in the order that each mode promises, all counts, and what it refuses.

#include "allreduce_distributed/allreduce_distributed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "allreduce_distributed/kernels/allreduce_window.hpp"
#include "common/kernels/slot_window.hpp"
#include "two_ranks.hpp"

namespace tileput::scene {
namespace {

using example::AllreduceDistributedOptions;
using example::Payload;

std::unique_ptr<example::Scene> make(const std::string& mode, int ranks, std::uint64_t count = 37,
                                     bool fractions = true) {
  return example::make_allreduce_distributed(
      {.ranks = ranks, .mode = mode, .count = count, .payload = Payload::kRandom, .fractions = fractions});
}

class Mode : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] std::vector<int> ranks() const {
    return GetParam() == "ibing" ? std::vector<int>{2} : std::vector<int>{1, 2, 3, 4, 8};
  }
};

/// Fractions: all ranks have the bits of one order of summing.
TEST_P(Mode, SumsInItsOrderForEveryCount) {
  for (const int n : ranks()) {
    use_example_kernels();
    Worker worker(example_worker(n, RanksAs::kThread));
    const auto u = static_cast<std::uint64_t>(n);
    for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{1}, u - 1, u, u + 1, 2 * u - 1, 2 * u + 1,
                                      std::uint64_t{256}, std::uint64_t{slot_window::kTileWords} + 1}) {
      const auto scene = make(GetParam(), n, count);
      scene->load(worker);
      for (std::uint64_t round = 0; round < 2; ++round) {
        EXPECT_EQ(run_and_compare(worker, *scene, round, 3), "") << n << " ranks, " << count << " elements";
      }
    }
  }
}

/// Chunks of more than one tile: each rank reduces at least two.
TEST_P(Mode, CutsLongChunks) {
  expect_golden(*make(GetParam(), 2, 4 * std::uint64_t{slot_window::kTileWords} + 7, false));
}

TEST_P(Mode, IsCleanOnTheCheckedMachine) {
  for (const int n : ranks()) {
    if (n <= 4) {
      const auto scene = make(GetParam(), n);
      expect_clean(*scene, 20);
    }
  }
}

/// Also with a rank whose chunk is empty, and with transfers of more than one tile.
TEST_P(Mode, IsCleanWithEmptyAndLongChunks) {
  if (GetParam() != "ibing") {
    const auto empty = make(GetParam(), 3, 2);
    expect_clean(*empty, 5);
  }
  const auto longer = make(GetParam(), 2, 4 * std::uint64_t{slot_window::kTileWords} + 7);
  expect_clean(*longer, 2);
}

TEST_P(Mode, RefusesWhatItCannotReduce) {
  use_example_kernels();
  const auto id = std::find(example::allreduce_modes().begin(), example::allreduce_modes().end(), GetParam()) -
                  example::allreduce_modes().begin();
  TwoRanks two({.orchestration = "kernels/allreduce_orch.so",
                .entry = "allreduce_" + GetParam(),
                .kernels = {{0, Core::kAiv, "kernels/allreduce_" + GetParam() + "_kernel.so"}}},
               {.scratch_bytes = allreduce::window_of(static_cast<allreduce::Mode>(id), 2, 64).bytes});
  two.expect_common_refusals();
  two.expect_refused("in has 1 dimensions and 64 elements, out 1 and 63", [](Submission& s) { s.out_shape = {63}; });
  two.expect_refused("in has 2 dimensions", [](Submission& s) { s.in_shape = {8, 8}; });
  two.expect_refused("in is of INT32", [](Submission& s) { s.in_type = DataType::kInt32; });
  two.expect_refused("out of INT32", [](Submission& s) { s.out_type = DataType::kInt32; });
  two.expect_right({std::vector<float>(64, 3), std::vector<float>(64, 3)});
}

INSTANTIATE_TEST_SUITE_P(All, Mode, testing::ValuesIn(example::allreduce_modes()),
                         [](const auto& mode) { return mode.param; });

TEST(Ibing, IsForTwoRanks) {
  for (const int n : {1, 3, 64}) {
    EXPECT_THROW(make("ibing", n), Error);
  }
  use_example_kernels();
  Worker worker(example_worker(3));
  const Callable callable = worker.load({.orchestration = "kernels/allreduce_orch.so",
                                         .entry = "allreduce_ibing",
                                         .kernels = {{0, Core::kAiv, "kernels/allreduce_ibing_kernel.so"}}});
  std::vector<std::vector<float>> data(6, std::vector<float>(8));
  expect_refused("ibing with 3 ranks", [&] {
    worker.run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = {{.name = "scratch", .bytes = 4096}}});
      std::vector<RankTask> group;
      for (int rank = 0; rank < 3; ++rank) {
        const auto r = static_cast<std::size_t>(rank);
        TaskArgs args;
        args.add_input(Tensor::of(data[r])).add_output(Tensor::of(data[3 + r]));
        args.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
        group.push_back({rank, args});
      }
      o.submit_group(callable, group);
    });
  });
}

TEST(Options, AreRefusedByName) {
  EXPECT_THROW(make("threephase", 2), Error);
  EXPECT_THROW(make("ring", 0), Error);
  EXPECT_THROW(make("ring", 65), Error);
  EXPECT_THROW(make("ring", 2, std::uint64_t{1} << 32U), Error);
}

TEST(Ring, TakesManyRanks) {
  for (const char* const mode : {"ring", "bidirectional_ring", "twophase", "onephase"}) {
    const auto scene = make(mode, 24, 130);
    expect_golden(*scene, RanksAs::kThread);
  }
}

}  // namespace
}  // namespace tileput::scene
