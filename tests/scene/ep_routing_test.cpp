// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Routings at the edges, what is refused and with which words, and kernels with one mistake each.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "ep_run.hpp"

namespace tileput::scene {
namespace {

using example::EpDispatchCombineOptions;
using example::Payload;

/// Outputs are exact after one and after three calls.
void expect_exact(const EpDispatchCombineOptions& options) {
  Worker worker(ep_worker(options.ranks));
  const auto scene = example::make_ep_dispatch_combine(options);
  scene->load(worker);
  for (const std::uint32_t calls : {1, 3}) {
    SCOPED_TRACE(calls);
    run_ep(worker, *scene, calls, calls);
    EXPECT_EQ(differences_of(*scene), "");
  }
}

std::string error_of(const std::function<void()>& what, ErrorCode code) {
  try {
    what();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

/// Each rank's indices, all to one expert with one expert per token.
EpDispatchCombineOptions all_to_one_expert(int ranks, std::int32_t expert, std::uint32_t capacity) {
  EpDispatchCombineOptions options = small_ep(ranks);
  options.topk = 1;
  options.capacity = capacity;
  options.routing.assign(static_cast<std::size_t>(ranks), std::vector<std::int32_t>(options.tokens, expert));
  return options;
}

TEST(EpRouting, ARankWithoutTokens) {
  for (const int idle : {0, 2}) {
    SCOPED_TRACE(idle);
    EpDispatchCombineOptions options = small_ep(3);
    for (int rank = 0; rank < 3; ++rank) {
      std::vector<std::int32_t>& indices = options.routing.emplace_back();
      for (std::int32_t route = 0; route < 15; ++route) {
        // Three distinct experts of the eight that the other ranks have.
        const std::int32_t other = (rank + route) % 8;
        indices.push_back((other + (idle == 0 ? 4 : 0)) % 12);
      }
    }
    expect_exact(options);
  }
}

TEST(EpRouting, OneExpertGetsEverythingAndIsFull) { expect_exact(all_to_one_expert(3, 5, 15)); }

TEST(EpRouting, NoTokens) {
  for (const Payload payload : {Payload::kFormula, Payload::kRandom}) {
    EpDispatchCombineOptions options = small_ep(2, payload);
    options.tokens = 0;
    expect_exact(options);
  }
}

TEST(EpRouting, NoRoomAndNoTokens) {
  EpDispatchCombineOptions options = small_ep(2);
  options.tokens = 0;
  options.capacity = 0;
  expect_exact(options);
}

TEST(EpRouting, MoreRowsThanOneCompactingTile) {
  EpDispatchCombineOptions options = all_to_one_expert(2, 1, 0);
  for (const std::uint32_t tokens : {128, 129}) {  // two ranks: 256 rows, which is a tile, and two more
    options.tokens = tokens;
    options.capacity = 2 * tokens;
    options.hidden = 3;
    options.routing.assign(2, std::vector<std::int32_t>(tokens, 1));
    expect_exact(options);
  }
}

TEST(EpRouting, TheSameExpertTwiceForOneToken) {
  EpDispatchCombineOptions options = small_ep(2);
  options.routing.assign(2, std::vector<std::int32_t>(15, 6));
  options.capacity = 30;
  expect_exact(options);
}

TEST(EpRouting, SixtyFourRanks) {
  EpDispatchCombineOptions options = small_ep(64);
  options.tokens = 2;
  options.topk = 2;
  options.hidden = 5;
  options.experts_per_rank = 1;
  options.capacity = 16;
  expect_exact(options);
}

TEST(EpRefusals, TheHostNamesTheExpertWithoutRoom) {
  const std::string text =
      error_of([] { example::make_ep_dispatch_combine(all_to_one_expert(2, 5, 9)); }, ErrorCode::kBadArgument);
  EXPECT_NE(text.find("expert 1 of rank 1 gets 10 rows, 9 fit"), std::string::npos) << text;
}

TEST(EpRefusals, TheHostRefusesWhatCannotBeDrawn) {
  EpDispatchCombineOptions options = small_ep(2);
  options.capacity = 3;  // 24 places for 30 rows
  const std::string text = error_of([&] { example::make_ep_dispatch_combine(options); }, ErrorCode::kBadArgument);
  EXPECT_NE(text.find("3 fit"), std::string::npos) << text;
}

TEST(EpRefusals, SizesThatNoKernelCanHave) {
  const auto refused = [](const std::function<void(EpDispatchCombineOptions&)>& change) {
    EpDispatchCombineOptions options = small_ep(2);
    change(options);
    return error_of([&] { example::make_ep_dispatch_combine(options); }, ErrorCode::kBadArgument);
  };
  EXPECT_NE(refused([](auto& o) { o.ranks = 0; }).find("0 ranks"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.ranks = 65; }).find("65 ranks"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.topk = 9; }).find("9 of 8 experts"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.topk = 0; }).find("0 of 8 experts"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.hidden = 0; }).find("0 elements per row"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.experts_per_rank = 0; }).find("0 experts per rank"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.tokens = 0xffffffffU; }).find("2^32"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.routing.assign(1, {}); }).find("routes of 1 ranks for 2"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.routing.assign(2, {}); }).find("0 routes of rank 0"), std::string::npos);
  EXPECT_NE(refused([](auto& o) {
              o.routing.assign(2, std::vector<std::int32_t>(15, 8));
            }).find("token 0 of rank 0 is routed to expert 8"),
            std::string::npos);
}

/// Each rank's own rows fit, all together do not: only the counts of all show it.
EpDispatchCombineOptions over_capacity_together(int ranks) {
  EpDispatchCombineOptions options = all_to_one_expert(ranks, 6, 9);
  options.checks_capacity = false;
  return options;
}

TEST(EpRefusals, TheOrchestrationNamesTheExpertWithoutRoom) {
  for (const Platform platform : {Platform::kCpu, Platform::kCheck}) {
    for (const int ranks : {2, 3}) {
      SCOPED_TRACE(ranks);
      WorkerOptions worker_options = ep_worker(ranks);
      worker_options.platform = platform;
      Worker worker(worker_options);
      const auto scene = example::make_ep_dispatch_combine(over_capacity_together(ranks));
      scene->load(worker);
      const std::string text = error_of([&] { run_ep(worker, *scene, 0, 1); }, ErrorCode::kOrchestration);
      EXPECT_NE(text.find("expert 2 of rank 1 gets " + std::to_string(5 * ranks) + " rows, 9 fit"), std::string::npos)
          << text;

      // The next run finds nothing of it.
      const auto good = example::make_ep_dispatch_combine(small_ep(ranks));
      good->load(worker);
      run_ep(worker, *good, 1, 3);
      EXPECT_EQ(differences_of(*good), "");
    }
  }
}

TEST(EpRefusals, TheOrchestrationRefusesOwnRowsBeforeAnythingIsSent) {
  Worker worker(ep_worker(2));
  EpDispatchCombineOptions options = all_to_one_expert(2, 3, 4);
  options.checks_capacity = false;
  const auto scene = example::make_ep_dispatch_combine(options);
  scene->load(worker);
  const std::string text = error_of([&] { run_ep(worker, *scene, 0, 1); }, ErrorCode::kOrchestration);
  EXPECT_NE(text.find("expert 3 of rank 0 gets 5 rows from rank"), std::string::npos) << text;
}

/// With an orchestration that does not look at the counts: nothing is moved anywhere, and nothing outside its place is
/// touched in later calls.
TEST(EpRefusals, WithoutTheOrchestrationTheKernelsMoveNothing) {
  Worker worker(ep_worker(3));
  EpDispatchCombineOptions options = over_capacity_together(3);
  options.orchestration = EP_UNWARY_ORCHESTRATION;
  const auto scene = example::make_ep_dispatch_combine(options);
  scene->load(worker);
  run_ep(worker, *scene, 0, 3);
  // Every output but the counts still has its poison, so that all ranks differ, and rank 1 in more than the count.
  for (const example::RankCheck& check : scene->check()) {
    EXPECT_FALSE(check.matches);
    EXPECT_NE(check.detail.find(check.rank == 1 ? "recv_w of expert 2[0]" : "routed_y[0]"), std::string::npos)
        << check.detail;
  }
}

/// What a mutant's outputs or the checker say of it.
struct Mutant {
  const char* name;
  const char* dispatch;
  const char* combine;
};

EpDispatchCombineOptions with_mutant(EpDispatchCombineOptions options, const Mutant& mutant) {
  options.dispatch_kernel = mutant.dispatch;
  options.combine_kernel = mutant.combine;
  return options;
}

TEST(EpMutants, WrongRowsDifferFromGolden) {
  const Mutant mutants[] = {
      {"drops a route", EP_MUTANT("drops_route"), EP_COMBINE},
      {"all ranks' rows at one place", EP_MUTANT("same_rows"), EP_COMBINE},
      {"another token's row", EP_MUTANT("wrong_token"), EP_COMBINE},
      {"another route's weight", EP_MUTANT("wrong_weight"), EP_COMBINE},
      {"rows back to the wrong rank", EP_DISPATCH, EP_MUTANT("wrong_owner")},
      {"sums a row twice", EP_DISPATCH, EP_MUTANT("doubles_row")},
  };
  for (const Mutant& mutant : mutants) {
    SCOPED_TRACE(mutant.name);
    Worker worker(ep_worker(3));
    const auto scene = example::make_ep_dispatch_combine(with_mutant(small_ep(3), mutant));
    scene->load(worker);
    run_ep(worker, *scene, 0, 1);
    EXPECT_NE(differences_of(*scene), "");
  }
}

/// Counts that are not brought forward from call to call make the second call wrong.
TEST(EpMutants, CountsOfEarlierCallsShowInTheSecondCall) {
  Worker worker(ep_worker(2));
  const auto scene =
      example::make_ep_dispatch_combine(with_mutant(small_ep(2), {"", EP_MUTANT("forgets_counts"), EP_COMBINE}));
  scene->load(worker);
  run_ep(worker, *scene, 0, 1);
  EXPECT_EQ(differences_of(*scene), "");
  try {
    run_ep(worker, *scene, 0, 2);
    EXPECT_NE(differences_of(*scene), "");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOrchestration) << error.what();  // the doubled counts no longer fit
  }
}

}  // namespace
}  // namespace tileput::scene
