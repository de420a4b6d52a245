// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What the example's orchestration refuses, as the program that submits it sees it, and that the worker stays good.

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "example_run.hpp"

namespace tileput::scene {
namespace {

constexpr int kRanks = 2;
using Words = std::vector<std::int32_t>;

/// What each of two ranks is given; what it is by default is right.
struct Submission {
  std::vector<std::uint32_t> in_shape{128};
  std::vector<std::uint32_t> out_shape{128};
  DataType in_type = DataType::kInt32;
  DataType out_type = DataType::kInt32;
  std::int64_t ranks = kRanks;
  std::uint64_t scratch_missing = 0;  ///< bytes
  std::uint64_t scratch_offset = 0;   ///< bytes of another buffer before it
};

class Orchestration : public testing::TestWithParam<std::string> {
 protected:
  Orchestration() : worker_(example_options(kRanks)), callable_(load_example(worker_, GetParam())) {}

  void submit(const Submission& what) {
    const std::uint64_t bytes = all_to_all::window_of(slot_sets_of(GetParam()), kRanks, 64).bytes;
    worker_.run([&](Orchestrator& o) {
      std::vector<BufferSpec> buffers{{.name = "scratch", .bytes = bytes - what.scratch_missing}};
      if (what.scratch_offset != 0) {
        buffers.insert(buffers.begin(), {.name = "other", .bytes = what.scratch_offset, .type = DataType::kInt8});
      }
      const Domain domain = o.allocate_domain({.buffers = buffers});
      std::vector<RankTask> group;
      for (int rank = 0; rank < kRanks; ++rank) {
        const auto r = static_cast<std::size_t>(rank);
        TaskArgs args;
        args.add_input({in_[r].data(), what.in_type, what.in_shape});
        args.add_output({out_[r].data(), what.out_type, what.out_shape});
        args.add_inout(domain.buffer("scratch")).add_scalar(what.ranks).add_context(domain);
        group.push_back({rank, args});
      }
      o.submit_group(callable_, group);
    });
  }

  void expect_refused(const Submission& what, const std::string& text) {
    SCOPED_TRACE(text);
    for (Words& out : out_) {
      std::fill(out.begin(), out.end(), -1);
    }
    try {
      submit(what);
      ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kOrchestration) << error.what();
      EXPECT_NE(error.detail().find(text), std::string::npos) << error.what();
      EXPECT_NE(error.detail().find("all_to_all_orch.so"), std::string::npos) << error.what();
    }
    for (const Words& out : out_) {
      EXPECT_EQ(out, Words(out.size(), -1)) << "outputs are written only on success";
    }
  }

  void expect_good_run() {
    for (std::size_t rank = 0; rank < kRanks; ++rank) {
      std::iota(in_[rank].begin(), in_[rank].end(), static_cast<std::int32_t>(1000 * rank));
    }
    submit({});
    for (std::size_t rank = 0; rank < kRanks; ++rank) {
      for (std::size_t i = 0; i < 128; ++i) {
        EXPECT_EQ(out_[rank][i], in_[i / 64][rank * 64 + i % 64]) << "rank " << rank << ", element " << i;
      }
    }
  }

  Worker worker_;
  Callable callable_;
  std::vector<Words> in_{kRanks, Words(256)};
  std::vector<Words> out_{kRanks, Words(256)};
};

TEST_P(Orchestration, RefusesOtherRankCountsThanItsDomainHas) {
  expect_refused({.ranks = 1}, "1 ranks in a domain of 2");
  expect_refused({.ranks = 3}, "3 ranks in a domain of 2");
  expect_refused({.ranks = 0}, "0 ranks; a CommContext has room for 1 to 64");
  expect_refused({.ranks = 65}, "65 ranks; a CommContext has room for 1 to 64");
  expect_refused({.ranks = -1}, "a CommContext has room for 1 to 64");
  expect_good_run();
}

TEST_P(Orchestration, RefusesARemainder) {
  expect_refused({.in_shape = {127}, .out_shape = {127}}, "in has 127 and out 127 elements for 2 ranks");
  // 63 elements of 2 bytes for each rank: no whole words.
  expect_refused({.in_shape = {126}, .out_shape = {126}, .in_type = DataType::kInt16, .out_type = DataType::kInt16},
                 "whole 4-byte words");
  expect_good_run();
}

TEST_P(Orchestration, RefusesOutputsUnlikeTheInput) {
  expect_refused({.out_shape = {126}}, "in has 128 and out 126 elements");
  expect_refused({.out_shape = {256}}, "in has 128 and out 256 elements");
  expect_refused({.out_type = DataType::kFloat32}, "of one type");
  expect_refused({.in_type = DataType::kInt16, .out_type = DataType::kFloat16}, "of one type");
  expect_good_run();
}

TEST_P(Orchestration, RefusesMatrices) {
  expect_refused({.in_shape = {2, 64}}, "in has 2 and out 1 dimensions");
  expect_refused({.out_shape = {2, 64}}, "in has 1 and out 2 dimensions");
  expect_good_run();
}

TEST_P(Orchestration, RefusesAScratchThatIsSmallOrNotAligned) {
  const std::uint64_t needed = all_to_all::window_of(slot_sets_of(GetParam()), kRanks, 64).bytes;
  expect_refused({.scratch_missing = 1},
                 "scratch has " + std::to_string(needed - 1) + " bytes and needs " + std::to_string(needed));
  expect_refused({.scratch_missing = needed - 64}, "scratch has 64 bytes and needs " + std::to_string(needed));
  expect_refused({.scratch_offset = 4}, "scratch is not aligned to 64 bytes");
  expect_good_run();
}

INSTANTIATE_TEST_SUITE_P(Variants, Orchestration, testing::Values("push", "pull"),
                         [](const auto& variant) { return variant.param; });

}  // namespace
}  // namespace tileput::scene
