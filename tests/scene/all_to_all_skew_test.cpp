// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The all-to-all kernels, called back to back with random skew; and mutants of them that must not survive that.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "expect_repeated.hpp"

namespace tileput::scene {
namespace {

constexpr std::uint64_t kMutantCalls = 300;

class Skewed : public testing::TestWithParam<std::string> {};

TEST_P(Skewed, EveryCallDeliversItsOwnWords) {
  for (const int ranks : {2, 3, 4, 8}) {
    expect_right({.kernel = GetParam(), .ranks = ranks});
  }
}

TEST_P(Skewed, EveryCallDeliversItsOwnWordsToThreads) {
  expect_right({.kernel = GetParam(), .ranks = 3, .ranks_as = RanksAs::kThread});
}

TEST_P(Skewed, EpochsPassTheSignBitAndWrap) {
  for (const std::uint32_t first_epoch : {0x8000'0000U - 3, 0U - 3}) {
    for (const int ranks : {2, 3, 4, 8}) {
      expect_right({.kernel = GetParam(), .ranks = ranks, .calls = 100, .first_epoch = first_epoch});
    }
  }
}

TEST_P(Skewed, CountsAroundTheChunk) {
  for (const std::uint32_t words : {1U, 15U, 17U, 16383U, 16384U, 16385U}) {
    expect_right({.kernel = GetParam(), .ranks = 3, .words = words, .calls = 10});
  }
}

TEST_P(Skewed, PassesEverySeedThatMutantsAreTriedWith) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    expect_right({.kernel = GetParam(), .ranks = 3, .calls = kMutantCalls, .seed = seed});
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Skewed, testing::Values("push", "pull"), kernel_name);

class Mutant : public testing::TestWithParam<std::string> {};

TEST_P(Mutant, IsCaught) { expect_caught({.kernel = GetParam(), .ranks = 3, .calls = kMutantCalls}); }

INSTANTIATE_TEST_SUITE_P(Kernels, Mutant,
                         testing::Values("push_one_slot_set", "push_constant_epoch", "push_no_wait",
                                         "pull_constant_epoch", "pull_no_wait", "pull_no_second_barrier"),
                         kernel_name);

class SignedMutant : public testing::TestWithParam<std::string> {};

TEST_P(SignedMutant, IsCaughtOnlyBeyondTheSignBit) {
  const RepeatedRun run{.kernel = GetParam(), .ranks = 3, .calls = kMutantCalls};
  expect_right(run);
  RepeatedRun late = run;
  late.first_epoch = 0x7fff'ffffU;  // one before: across it the mutant would hang
  expect_caught(late);
}

INSTANTIATE_TEST_SUITE_P(Kernels, SignedMutant, testing::Values("push_signed_wait", "pull_signed_wait"), kernel_name);

}  // namespace
}  // namespace tileput::scene
