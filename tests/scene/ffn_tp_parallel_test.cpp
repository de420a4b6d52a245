// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The tensor-parallel layer: sizes that are no whole blocks, and what it refuses.

#include "ffn_tp_parallel/ffn_tp_parallel.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/kernels/slot_window.hpp"
#include "two_ranks.hpp"

namespace tileput::scene {
namespace {

using example::FfnTpParallelOptions;
using example::Payload;

std::unique_ptr<example::Scene> make(int ranks, std::uint32_t rows = 64, std::uint32_t inner = 64,
                                     std::uint32_t columns = 64) {
  return example::make_ffn_tp_parallel(
      {.ranks = ranks, .rows = rows, .inner = inner, .columns = columns, .payload = Payload::kRandom});
}

TEST(Sizes, NeedNoWholeBlocks) {
  constexpr std::uint32_t kSizes[][3] = {{1, 1, 1},   {16, 16, 16},   {15, 17, 63},
                                         {65, 1, 64}, {70, 130, 200}, {129, 64, 130}};
  use_example_kernels();
  for (const int ranks : {1, 3}) {
    for (const auto& size : kSizes) {
      SCOPED_TRACE(std::to_string(size[0]) + " x " + std::to_string(size[1]) + " x " + std::to_string(size[2]));
      const auto scene = make(ranks, size[0], size[1], size[2]);
      expect_golden(*scene, RanksAs::kThread);
    }
  }
}

TEST(Sizes, AreCleanOnTheCheckedMachine) {
  const auto scene = make(3, 70, 130, 200);
  expect_clean(*scene, 5);
}

TEST(Ranks, CanBeMany) {
  const auto scene = make(24, 16, 16, 16);
  expect_golden(*scene, RanksAs::kThread);
}

TEST(Options, AreRefused) {
  EXPECT_THROW(make(0), Error);
  EXPECT_THROW(make(65), Error);
  EXPECT_THROW(make(2, 0), Error);
  EXPECT_THROW(make(2, 64, 0), Error);
  EXPECT_THROW(make(2, 64, 64, 0), Error);
  EXPECT_THROW(make(2, 1U << 16U, 1U << 16U, 1), Error);
  EXPECT_THROW(make(2, 1, (1U << 24U) + 1, 1), Error) << "random sums would not be exact";
}

TEST(Product, RefusesShapesThatAreNone) {
  using Shape = std::vector<std::uint32_t>;
  use_example_kernels();
  Worker worker(example_worker(1));
  const Callable linear = worker.load({.orchestration = "kernels/ffn_orch.so",
                                       .entry = "ffn_linear",
                                       .kernels = {{0, Core::kAic, "kernels/ffn_local_linear_kernel.so"}}});
  const std::vector<float> in(16, 1);
  std::vector<float> out(16, -1);
  const auto product = [&](const Shape& x, const Shape& w, const Shape& partial, DataType type = DataType::kFloat32) {
    worker.run([&](Orchestrator& o) {
      TaskArgs args;
      args.add_input(Tensor(in.data(), type, x)).add_input(Tensor(in.data(), type, w));
      args.add_output(Tensor(out.data(), type, partial));
      o.submit(linear, 0, args);
    });
  };
  const auto refused = [&](const Shape& x, const Shape& w, const Shape& partial, const std::string& text) {
    expect_refused(text, [&] { product(x, w, partial); });
  };
  refused({4, 3}, {4, 4}, {4, 4}, "x is 4 x 3, w 4 x 4 and partial 4 x 4");
  refused({4, 4}, {4, 4}, {4, 3}, "partial 4 x 3");
  refused({16}, {4, 4}, {4, 4}, "x has 1 dimensions");
  refused({4, 4}, {4, 4}, {2, 2, 4}, "partial has 3 dimensions");
  refused({4, 0}, {0, 4}, {4, 4}, "x is 4 x 0");
  expect_refused("x has 2 dimensions of INT32", [&] { product({4, 4}, {4, 4}, {4, 4}, DataType::kInt32); });
  EXPECT_EQ(out, std::vector<float>(16, -1));
  product({4, 4}, {4, 4}, {4, 4});
  EXPECT_EQ(out, std::vector<float>(16, 4));
}

TEST(Sum, RefusesWhatDoesNotFit) {
  use_example_kernels();
  TwoRanks two({.orchestration = "kernels/ffn_orch.so",
                .entry = "ffn_sum",
                .kernels = {{0, Core::kAiv, "kernels/ffn_partial_sum_kernel.so"}}},
               {.in_shape = {4, 4}, .out_shape = {4, 4}, .scratch_bytes = slot_window::window_of(2, 16).bytes});
  two.expect_common_refusals();
  two.expect_refused("partial is 4 x 4 and y 4 x 3", [](Submission& s) { s.out_shape = {4, 3}; });
  two.expect_refused("partial has 1 dimensions", [](Submission& s) { s.in_shape = s.out_shape = {16}; });
  two.expect_right({std::vector<float>(16, 3), std::vector<float>(16, 3)});
}

}  // namespace
}  // namespace tileput::scene
