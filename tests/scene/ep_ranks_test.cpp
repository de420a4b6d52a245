// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The mixture-of-experts example by rank count: both payloads, one and three calls on a window, three rounds on a
// worker.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "ep_run.hpp"

namespace tileput::scene {
namespace {

using example::Payload;

class EpRanks : public testing::TestWithParam<int> {};

TEST_P(EpRanks, OutputsAreExactInEachRound) {
  Worker worker(ep_worker(GetParam()));
  for (const Payload payload : {Payload::kFormula, Payload::kRandom}) {
    const auto scene = example::make_ep_dispatch_combine(small_ep(GetParam(), payload));
    scene->load(worker);
    for (std::uint64_t round = 0; round < 3; ++round) {
      for (const std::uint32_t calls : {1, 3}) {
        SCOPED_TRACE(testing::Message() << "payload " << static_cast<int>(payload) << ", round " << round << ", "
                                        << calls << " calls");
        run_ep(worker, *scene, round, calls);
        EXPECT_EQ(differences_of(*scene), "");
      }
    }
  }
}

TEST_P(EpRanks, RowsWiderThanATile) {
  Worker worker(ep_worker(GetParam()));
  auto options = small_ep(GetParam());
  options.hidden = 8192 + 1;  // kRowTileElements and one more
  const auto scene = example::make_ep_dispatch_combine(options);
  scene->load(worker);
  run_ep(worker, *scene, 0, 1);
  EXPECT_EQ(differences_of(*scene), "");
}

std::string ranks_name(const testing::TestParamInfo<int>& ranks) { return "P" + std::to_string(ranks.param); }

INSTANTIATE_TEST_SUITE_P(Ranks, EpRanks, testing::Values(1, 2, 3, 4, 8), ranks_name);

TEST(EpPublicSize, BothPayloadsThreeCalls) {
  Worker worker(ep_worker(2));
  for (const Payload payload : {Payload::kFormula, Payload::kRandom}) {
    const auto scene = example::make_ep_dispatch_combine(public_ep(payload));
    scene->load(worker);
    run_ep(worker, *scene, 0, payload == Payload::kRandom ? 3 : 1);
    EXPECT_EQ(differences_of(*scene), "");
  }
}

}  // namespace
}  // namespace tileput::scene
