// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What the orchestration of the mixture-of-experts example refuses, and with which words. Submitted by hand, because
// the example's own host would not submit it.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ep_dispatch_combine/kernels/ep_window.hpp"
#include "ep_run.hpp"

namespace tileput::scene {
namespace {

using Extents = std::vector<std::uint32_t>;

constexpr std::uint32_t kTokens = 4;
constexpr std::uint32_t kTopk = 2;
constexpr std::uint32_t kHidden = 16;
constexpr std::uint32_t kExperts = 2;
constexpr std::uint32_t kCapacity = 8;
constexpr std::uint32_t kRoutes = kTokens * kTopk;
constexpr std::uint32_t kElementsMax = kExperts * kCapacity * kHidden;
constexpr std::size_t kIndices = 0;
constexpr std::size_t kRoutedY = 9;

/// One tensor of a submission; bytes for the largest of them.
struct Argument {
  DataType type = DataType::kInt32;
  Extents extents;
  std::vector<std::int32_t> words = std::vector<std::int32_t>(kElementsMax, 0);
};

/// A right submission on one rank, of which a case changes one thing.
struct Submission {
  std::vector<Argument> tensors{{DataType::kInt32, {kTokens, kTopk}},
                                {DataType::kBfloat16, {kTokens, kHidden}},
                                {DataType::kFloat32, {kRoutes, 8}},
                                {DataType::kInt32, {kRoutes, 8}},
                                {DataType::kBfloat16, {kExperts, kCapacity, kHidden}},
                                {DataType::kFloat32, {kExperts, kCapacity}},
                                {DataType::kInt32, {kExperts, kCapacity}},
                                {DataType::kInt32, {kExperts, 1}},
                                {DataType::kBfloat16, {kExperts, kCapacity, kHidden}},
                                {DataType::kFloat32, {kTokens, kHidden}}};
  std::uint64_t window_bytes = ::ep::window_of({1, kExperts, kCapacity, kHidden, kRoutes}).bytes;
  std::uint64_t bytes_before = 0;  ///< of a buffer before scratch
  std::uint64_t ranks = 1;
  bool has_ranks = true;

  Submission() {
    for (std::uint32_t route = 0; route < kRoutes; ++route) {
      tensors[kIndices].words[route] = static_cast<std::int32_t>(route % kExperts);
      tensors[3].words[std::size_t{route} * 8] = static_cast<std::int32_t>(route);
    }
  }
};

/// The error that a submission ends with; empty: none.
std::string outcome_of(Submission submission) {
  Worker worker(ep_worker(1));
  const Callable callable = worker.load(
      {.orchestration = EP_ORCHESTRATION,
       .entry = "ep_dispatch_combine",
       .kernels = {{0, Core::kAiv, EP_DISPATCH}, {1, Core::kAiv, EP_LOCAL_EXPERT}, {2, Core::kAiv, EP_COMBINE}}});
  try {
    worker.run([&](Orchestrator& o) {
      std::vector<BufferSpec> buffers;
      if (submission.bytes_before != 0) {
        buffers.push_back({.name = "before", .bytes = submission.bytes_before});
      }
      buffers.push_back({.name = "scratch", .bytes = submission.window_bytes});
      const Domain domain = o.allocate_domain({.buffers = buffers});
      TaskArgs args;
      for (std::size_t i = 0; i < submission.tensors.size(); ++i) {
        Argument& argument = submission.tensors[i];
        const Tensor tensor(argument.words.data(), argument.type, argument.extents);
        i < 4 ? args.add_input(tensor) : args.add_output(tensor);
      }
      args.add_inout(domain.buffer("scratch"));
      if (submission.has_ranks) {
        args.add_scalar(submission.ranks);
      }
      args.add_context(domain);
      o.submit(callable, 0, args);
    });
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kOrchestration || error.code() == ErrorCode::kTooFewArguments)
        << error.what();
    return error.what();
  }
  return "";
}

TEST(EpOrchestration, TakesWhatIsRight) { EXPECT_EQ(outcome_of({}), ""); }

TEST(EpOrchestration, RefusesWhatDoesNotFitTogether) {
  struct Case {
    const char* words;
    std::function<void(Submission&)> change;
  };
  const Case cases[] = {
      {"0 ranks", [](Submission& s) { s.ranks = 0; }},
      {"65 ranks", [](Submission& s) { s.ranks = 65; }},
      {"2 ranks in a domain of 1", [](Submission& s) { s.ranks = 2; }},
      {"expects 13 arguments", [](Submission& s) { s.has_ranks = false; }},
      {"1, 2 and 3 dimensions", [](Submission& s) { s.tensors[kIndices].extents = {kRoutes}; }},
      {"0 experts per token",
       [](Submission& s) {
         s.tensors[kIndices].extents = {kTokens, 0};
       }},
      {"indices is", [](Submission& s) { s.tensors[kIndices].type = DataType::kFloat32; }},
      {"x_norm is",
       [](Submission& s) {
         s.tensors[1].extents = {kTokens + 1, kHidden};
       }},
      {"w_padded is",
       [](Submission& s) {
         s.tensors[2].extents = {kRoutes, 4};
       }},
      {"idx_padded is",
       [](Submission& s) {
         s.tensors[3].extents = {kRoutes - 1, 8};
       }},
      {"recv_x_out is", [](Submission& s) { s.tensors[4].type = DataType::kFloat16; }},
      {"recv_w_out is",
       [](Submission& s) {
         s.tensors[5].extents = {kCapacity, kExperts};
       }},
      {"recv_idx_out is", [](Submission& s) { s.tensors[6].extents = {kExperts * kCapacity}; }},
      {"recv_count_out is", [](Submission& s) { s.tensors[7].extents = {kExperts}; }},
      {"recv_y is",
       [](Submission& s) {
         s.tensors[8].extents = {kExperts, kCapacity, kHidden - 1};
       }},
      {"routed_y is", [](Submission& s) { s.tensors[kRoutedY].type = DataType::kBfloat16; }},
      {"bytes and needs", [](Submission& s) { s.window_bytes -= 64; }},
      {"not aligned", [](Submission& s) { s.bytes_before = 32; }},
      {"token 3 is routed to expert 2 of 2", [](Submission& s) { s.tensors[kIndices].words[7] = 2; }},
      {"token 0 is routed to expert -1", [](Submission& s) { s.tensors[kIndices].words[0] = -1; }},
      {"row 5 of idx_padded sums to 8", [](Submission& s) { s.tensors[3].words[5 * 8] = 8; }},
      {"row 2 of idx_padded sums to 3", [](Submission& s) { s.tensors[3].words[2 * 8 + 7] = 1; }},
      {"gets 5 rows from rank 0 alone, 4 fit",
       [](Submission& s) {
         s.tensors[kIndices].words[0] = 1;
         for (const std::size_t i : {4, 8}) {
           s.tensors[i].extents[1] = 4;
         }
         s.tensors[5].extents[1] = 4;
         s.tensors[6].extents[1] = 4;
       }},
  };
  for (const Case& wrong : cases) {
    SCOPED_TRACE(wrong.words);
    Submission submission;
    wrong.change(submission);
    const std::string text = outcome_of(submission);
    EXPECT_NE(text.find(wrong.words), std::string::npos) << text;
  }
}

/// One rank's tensors for 4 tokens with one expert each, one expert a rank with room for 4 rows of 16 elements.
struct SmallRank {
  std::vector<std::int32_t> indices = std::vector<std::int32_t>(4);
  std::vector<std::uint16_t> x = std::vector<std::uint16_t>(std::size_t{4} * 16, 0x3f80);  // 1
  std::vector<float> weights = std::vector<float>(std::size_t{4} * 8, 0);
  std::vector<std::int32_t> routes = std::vector<std::int32_t>(std::size_t{4} * 8, 0);
  std::vector<std::uint16_t> recv_x = std::vector<std::uint16_t>(std::size_t{4} * 16);
  std::vector<float> recv_w = std::vector<float>(4);
  std::vector<std::int32_t> recv_idx = std::vector<std::int32_t>(4);
  std::vector<std::int32_t> recv_count = std::vector<std::int32_t>(1);
  std::vector<std::uint16_t> recv_y = std::vector<std::uint16_t>(std::size_t{4} * 16);
  std::vector<float> routed_y = std::vector<float>(std::size_t{4} * 16);

  TaskArgs args(const Domain& domain) {
    TaskArgs all;
    all.add_input({indices.data(), DataType::kInt32, {4, 1}}).add_input({x.data(), DataType::kBfloat16, {4, 16}});
    all.add_input({weights.data(), DataType::kFloat32, {4, 8}}).add_input({routes.data(), DataType::kInt32, {4, 8}});
    all.add_output({recv_x.data(), DataType::kBfloat16, {1, 4, 16}});
    all.add_output({recv_w.data(), DataType::kFloat32, {1, 4}});
    all.add_output({recv_idx.data(), DataType::kInt32, {1, 4}});
    all.add_output({recv_count.data(), DataType::kInt32, {1, 1}});
    all.add_output({recv_y.data(), DataType::kBfloat16, {1, 4, 16}});
    all.add_output({routed_y.data(), DataType::kFloat32, {4, 16}});
    all.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
    return all;
  }
};

/// A call that moved nothing because rows did not fit leaves nothing behind for the next one on the same window: its
/// counts are not counted again.
TEST(EpOrchestration, ACallAfterARefusedOneIsRight) {
  constexpr int kRanks = 2;
  Worker worker(ep_worker(kRanks));
  const Callable callable = worker.load(
      {.orchestration = EP_UNWARY_ORCHESTRATION,
       .entry = "ep_dispatch_combine",
       .kernels = {{0, Core::kAiv, EP_DISPATCH}, {1, Core::kAiv, EP_LOCAL_EXPERT}, {2, Core::kAiv, EP_COMBINE}}});
  std::vector<SmallRank> refused(kRanks);
  std::vector<SmallRank> good(kRanks);
  for (int rank = 0; rank < kRanks; ++rank) {
    for (std::size_t token = 0; token < 4; ++token) {
      for (std::vector<SmallRank>* const call : {&refused, &good}) {
        SmallRank& tensors = (*call)[static_cast<std::size_t>(rank)];
        tensors.weights[token * 8] = static_cast<float>(10 * rank + static_cast<int>(token) + 1);
        tensors.routes[token * 8] = static_cast<std::int32_t>(token);
      }
      refused[static_cast<std::size_t>(rank)].indices[token] = 0;  // 8 rows for 4
      good[static_cast<std::size_t>(rank)].indices[token] = 1 - rank;
    }
  }
  worker.run([&](Orchestrator& o) {
    const Domain domain =
        o.allocate_domain({.buffers = {{.name = "scratch", .bytes = ::ep::window_of({kRanks, 1, 4, 16, 4}).bytes}}});
    for (std::vector<SmallRank>* const call : {&refused, &good}) {
      std::vector<RankTask> group;
      for (int rank = 0; rank < kRanks; ++rank) {
        group.push_back({rank, (*call)[static_cast<std::size_t>(rank)].args(domain)});
      }
      o.submit_group(callable, group);
    }
  });
  EXPECT_EQ(refused[0].recv_count[0], 8);
  EXPECT_EQ(refused[1].recv_count[0], 0);
  for (int rank = 0; rank < kRanks; ++rank) {
    SCOPED_TRACE(rank);
    const SmallRank& tensors = good[static_cast<std::size_t>(rank)];
    EXPECT_EQ(tensors.recv_count[0], 4);
    for (std::size_t token = 0; token < 4; ++token) {
      EXPECT_EQ(tensors.recv_idx[token], static_cast<std::int32_t>(token));
      EXPECT_EQ(tensors.recv_w[token], static_cast<float>(10 * (1 - rank) + static_cast<int>(token) + 1));
      for (std::size_t d = 0; d < 16; ++d) {
        EXPECT_EQ(tensors.routed_y[token * 16 + d], tensors.weights[token * 8]);
      }
    }
  }
}

}  // namespace
}  // namespace tileput::scene
