// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The allreduce example: sums in the order that each mode promises, all counts, what it refuses, and that its golden
// and the checker see what is taken out of its kernels.

#include "allreduce_distributed/allreduce_distributed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "allreduce_distributed/kernels/allreduce_window.hpp"
#include "reduce_examples.hpp"

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
    use_kernels();
    Worker worker({.ranks = n, .ranks_as = RanksAs::kThread, .timeout = std::chrono::seconds(60)});
    const auto u = static_cast<std::uint64_t>(n);
    for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{1}, u - 1, u, u + 1, 2 * u - 1, 2 * u + 1,
                                      std::uint64_t{256}, std::uint64_t{allreduce::kTileElements} + 1}) {
      const auto scene = make(GetParam(), n, count);
      scene->load(worker);
      for (std::uint64_t round = 0; round < 2; ++round) {
        scene->fill(round);
        worker.run([&](Orchestrator& o) { scene->submit(o, {.calls = 3}); });
        EXPECT_TRUE(all_match(*scene)) << n << " ranks, " << count << " elements\n" << details(*scene);
      }
    }
  }
}

/// Chunks of more than one tile: each rank reduces at least two.
TEST_P(Mode, CutsLongChunks) {
  expect_golden(*make(GetParam(), 2, 4 * std::uint64_t{allreduce::kTileElements} + 7, false));
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
  const auto longer = make(GetParam(), 2, 4 * std::uint64_t{allreduce::kTileElements} + 7);
  expect_clean(*longer, 2);
}

/// What each of two ranks is given; what it is by default is right.
struct Submission {
  std::vector<std::uint32_t> in_shape{64};
  std::vector<std::uint32_t> out_shape{64};
  DataType type = DataType::kFloat32;
  std::int64_t ranks = 2;
  std::uint64_t scratch_missing = 0;  ///< bytes
  std::uint64_t scratch_offset = 0;   ///< bytes of another buffer before it
};

TEST_P(Mode, RefusesWhatItCannotReduce) {
  use_kernels();
  Worker worker({.ranks = 2, .timeout = std::chrono::seconds(60)});
  const Callable callable =
      worker.load({.orchestration = "kernels/allreduce_orch.so",
                   .entry = "allreduce_" + GetParam(),
                   .kernels = {{0, Core::kAiv, "kernels/allreduce_" + GetParam() + "_kernel.so"}}});
  const auto id = std::find(example::allreduce_modes().begin(), example::allreduce_modes().end(), GetParam()) -
                  example::allreduce_modes().begin();
  const std::uint64_t needed = allreduce::window_of(static_cast<allreduce::Mode>(id), 2, 64).bytes;
  std::vector<std::vector<float>> in(2, std::vector<float>(64, 1));
  std::vector<std::vector<float>> out(2, std::vector<float>(64, -1));
  const auto submit = [&](const Submission& what) {
    worker.run([&](Orchestrator& o) {
      std::vector<BufferSpec> buffers{{.name = "scratch", .bytes = needed - what.scratch_missing}};
      if (what.scratch_offset != 0) {
        buffers.insert(buffers.begin(), {.name = "other", .bytes = what.scratch_offset, .type = DataType::kInt8});
      }
      const Domain domain = o.allocate_domain({.buffers = buffers});
      std::vector<RankTask> group;
      for (int rank = 0; rank < 2; ++rank) {
        const auto r = static_cast<std::size_t>(rank);
        TaskArgs args;
        args.add_input(Tensor(in[r].data(), what.type, what.in_shape));
        args.add_output(Tensor(out[r].data(), what.type, what.out_shape));
        args.add_inout(domain.buffer("scratch")).add_scalar(what.ranks).add_context(domain);
        group.push_back({rank, args});
      }
      o.submit_group(callable, group);
    });
  };
  const auto refused = [&](const Submission& what, const std::string& text) {
    expect_refused(text, [&] { submit(what); });
    EXPECT_EQ(out, std::vector<std::vector<float>>(2, std::vector<float>(64, -1)));
  };
  refused({.ranks = 0}, "0 ranks; a CommContext has room for 1 to 64");
  refused({.ranks = 65}, "65 ranks; a CommContext has room for 1 to 64");
  refused({.ranks = 1}, "1 ranks in a domain of 2");
  refused({.ranks = 3}, "3 ranks in a domain of 2");
  refused({.out_shape = {63}}, "in has 1 dimensions and 64 elements, out 1 and 63");
  refused({.in_shape = {8, 8}}, "in has 2 dimensions");
  refused({.type = DataType::kInt32}, "in is of INT32");
  refused({.scratch_missing = 1},
          "scratch has " + std::to_string(needed - 1) + " bytes and needs " + std::to_string(needed));
  refused({.scratch_offset = 4}, "scratch is not aligned to 64 bytes");
  submit({});
  EXPECT_EQ(out, std::vector<std::vector<float>>(2, std::vector<float>(64, 2)));
}

INSTANTIATE_TEST_SUITE_P(All, Mode, testing::ValuesIn(example::allreduce_modes()),
                         [](const auto& mode) { return mode.param; });

TEST(Ibing, IsForTwoRanks) {
  for (const int n : {1, 3, 64}) {
    EXPECT_THROW(make("ibing", n), Error);
  }
  use_kernels();
  Worker worker({.ranks = 3, .timeout = std::chrono::seconds(60)});
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

class Mutants : public testing::TestWithParam<Mutant> {};

TEST_P(Mutants, Show) { expect_shown(GetParam()); }

constexpr auto kFinding = Mutant::Shows::kFinding;
constexpr auto kWrongSum = Mutant::Shows::kWrongSum;

template <int kMode>
std::unique_ptr<example::Scene> integers(int ranks) {
  return make(example::allreduce_modes()[kMode], ranks, 37, false);
}

const Mutant kMutants[] = {
    {"onephase_no_fence", kFinding, integers<0>},
    {"onephase_one_mailbox_set", kFinding, integers<0>},
    {"onephase_drops_one", kWrongSum, integers<0>},
    {"onephase_doubles_one", kWrongSum, integers<0>},
    {"twophase_no_fence", kFinding, integers<1>},
    {"twophase_no_second_barrier", kFinding, integers<1>},
    {"twophase_doubles_one", kWrongSum, integers<1>},
    {"ring_no_fence", kFinding, integers<2>},
    {"ring_one_chunk_set", kFinding, integers<2>},
    {"ring_drops_own", kWrongSum, integers<2>},
    {"ring_doubles_own", kWrongSum, integers<2>},
    {"bidirectional_ring_no_fence", kFinding, integers<3>},
    {"bidirectional_ring_no_staged_signal", kFinding, integers<3>},
    {"bidirectional_ring_overwrites", kWrongSum, integers<3>},
    {"ibing_no_fence", kFinding, integers<4>, {2}},
    {"ibing_no_staged_signal", kFinding, integers<4>, {2}},
    {"ibing_overwrites", kWrongSum, integers<4>, {2}},
};

INSTANTIATE_TEST_SUITE_P(All, Mutants, testing::ValuesIn(kMutants),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tileput::scene
