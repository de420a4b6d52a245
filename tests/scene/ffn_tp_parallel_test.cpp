// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The tensor-parallel layer: sizes that are no whole blocks, what it refuses, and that its golden and the checker see
// what is taken out of its kernels.

#include "ffn_tp_parallel/ffn_tp_parallel.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ffn_tp_parallel/kernels/ffn_window.hpp"
#include "reduce_examples.hpp"

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
  use_kernels();
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

using Shape = std::vector<std::uint32_t>;

class Orchestration : public testing::Test {
 protected:
  void SetUp() override {
    use_kernels();
    worker_.emplace(WorkerOptions{.ranks = 2, .timeout = std::chrono::seconds(60)});
    linear_.emplace(worker_->load({.orchestration = "kernels/ffn_orch.so",
                                   .entry = "ffn_linear",
                                   .kernels = {{0, Core::kAic, "kernels/ffn_local_linear_kernel.so"}}}));
    sum_.emplace(worker_->load({.orchestration = "kernels/ffn_orch.so",
                                .entry = "ffn_sum",
                                .kernels = {{0, Core::kAiv, "kernels/ffn_partial_sum_kernel.so"}}}));
  }

  void product(const Shape& x, const Shape& w, const Shape& partial, DataType type = DataType::kFloat32) {
    worker_->run([&](Orchestrator& o) {
      TaskArgs args;
      args.add_input(Tensor(in_[0].data(), type, x)).add_input(Tensor(in_[1].data(), type, w));
      args.add_output(Tensor(out_[0].data(), type, partial));
      o.submit(*linear_, 0, args);
    });
  }

  struct Sum {
    Shape partial{4, 4};
    Shape y{4, 4};
    std::int64_t ranks = 2;
    std::uint64_t scratch_missing = 0;  ///< bytes
    std::uint64_t scratch_offset = 0;   ///< bytes of another buffer before it
  };
  void sum(const Sum& what) {
    worker_->run([&](Orchestrator& o) {
      std::vector<BufferSpec> buffers{{.name = "scratch", .bytes = kNeeded - what.scratch_missing}};
      if (what.scratch_offset != 0) {
        buffers.insert(buffers.begin(), {.name = "other", .bytes = what.scratch_offset, .type = DataType::kInt8});
      }
      const Domain domain = o.allocate_domain({.buffers = buffers});
      std::vector<RankTask> group;
      for (int rank = 0; rank < 2; ++rank) {
        const auto r = static_cast<std::size_t>(rank);
        TaskArgs args;
        args.add_input(Tensor(in_[r].data(), DataType::kFloat32, what.partial));
        args.add_output(Tensor(out_[r].data(), DataType::kFloat32, what.y));
        args.add_inout(domain.buffer("scratch")).add_scalar(what.ranks).add_context(domain);
        group.push_back({rank, args});
      }
      o.submit_group(*sum_, group);
    });
  }

  static constexpr std::uint64_t kNeeded = ffn::window_of(2, 16).bytes;
  std::optional<Worker> worker_;
  std::optional<Callable> linear_;
  std::optional<Callable> sum_;
  std::vector<std::vector<float>> in_{2, std::vector<float>(16, 1)};
  std::vector<std::vector<float>> out_{2, std::vector<float>(16, -1)};
};

TEST_F(Orchestration, RefusesShapesThatAreNoProduct) {
  const auto refused = [&](const Shape& x, const Shape& w, const Shape& partial, const std::string& text) {
    expect_refused(text, [&] { product(x, w, partial); });
  };
  refused({4, 3}, {4, 4}, {4, 4}, "x is 4 x 3, w 4 x 4 and partial 4 x 4");
  refused({4, 4}, {4, 4}, {4, 3}, "partial 4 x 3");
  refused({16}, {4, 4}, {4, 4}, "x has 1 dimensions");
  refused({4, 4}, {4, 4}, {2, 2, 4}, "partial has 3 dimensions");
  refused({4, 0}, {0, 4}, {4, 4}, "x is 4 x 0");
  expect_refused("x has 2 dimensions of INT32", [&] { product({4, 4}, {4, 4}, {4, 4}, DataType::kInt32); });
  EXPECT_EQ(out_[0], std::vector<float>(16, -1));
  product({4, 4}, {4, 4}, {4, 4});
  EXPECT_EQ(out_[0], std::vector<float>(16, 4));
}

TEST_F(Orchestration, RefusesSumsThatDoNotFit) {
  const auto refused = [&](const Sum& what, const std::string& text) {
    expect_refused(text, [&] { sum(what); });
    EXPECT_EQ(out_[0], std::vector<float>(16, -1));
  };
  refused({.y = {4, 3}}, "partial is 4 x 4 and y 4 x 3");
  refused({.partial = {16}, .y = {16}}, "partial has 1 dimensions");
  refused({.ranks = 0}, "0 ranks; a CommContext has room for 1 to 64");
  refused({.ranks = 65}, "65 ranks; a CommContext has room for 1 to 64");
  refused({.ranks = 3}, "3 ranks in a domain of 2");
  refused({.scratch_missing = 1},
          "scratch has " + std::to_string(kNeeded - 1) + " bytes and needs " + std::to_string(kNeeded));
  refused({.scratch_offset = 4}, "scratch is not aligned to 64 bytes");
  sum({});
  EXPECT_EQ(out_[1], std::vector<float>(16, 2));
}

class Mutants : public testing::TestWithParam<Mutant> {};

TEST_P(Mutants, Show) { expect_shown(GetParam()); }

constexpr auto kFinding = Mutant::Shows::kFinding;
constexpr auto kWrongSum = Mutant::Shows::kWrongSum;

/// Two blocks to add up.
std::unique_ptr<example::Scene> two_blocks(int ranks) { return make(ranks, 16, 80, 16); }
std::unique_ptr<example::Scene> small(int ranks) { return make(ranks, 4, 4, 4); }

const Mutant kMutants[] = {
    {"linear_no_event", kFinding, small},
    {"linear_early_load", kFinding, two_blocks},
    {"linear_drops_blocks", kWrongSum, two_blocks},
    {"sum_no_fence", kFinding, small},
    {"sum_no_wait", kFinding, small},
    {"sum_one_mailbox_set", kFinding, small},
    {"sum_drops_one", kWrongSum, small},
    {"sum_doubles_one", kWrongSum, small},
};

INSTANTIATE_TEST_SUITE_P(All, Mutants, testing::ValuesIn(kMutants),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tileput::scene
