// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The all-to-all kernels where data moves as late as the contract allows: at drains, fences and TNOTIFYs. In strict
// mode a TNOTIFY publishes nothing, so that a kernel which does not drain before it is wrong.

#include <gtest/gtest.h>

#include <string>

#include "expect_repeated.hpp"

namespace tileput::scene {
namespace {

class Deferred : public testing::TestWithParam<std::string> {
 protected:
  static constexpr rc::Mode kModes[] = {rc::Mode::kDeferring, rc::Mode::kDeferringStrict};
};

TEST_P(Deferred, EveryCallDeliversItsOwnWords) {
  for (const rc::Mode mode : kModes) {
    for (const int ranks : {2, 3, 4}) {
      expect_right({.kernel = GetParam(), .ranks = ranks, .calls = 300, .mode = mode});
    }
  }
}

TEST_P(Deferred, TransfersOfSeveralChunksBackwards) {
  for (const rc::Mode mode : kModes) {
    for (const int ranks : {2, 3}) {
      expect_right({.kernel = GetParam(), .ranks = ranks, .words = 40'000, .calls = 6, .mode = mode});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Deferred, testing::Values("push", "pull"), kernel_name);

class UndrainedMutant : public testing::TestWithParam<std::string> {};

TEST_P(UndrainedMutant, IsCaught) {
  expect_caught({.kernel = GetParam(), .ranks = 3, .calls = 300, .mode = rc::Mode::kDeferringStrict});
}

INSTANTIATE_TEST_SUITE_P(Kernels, UndrainedMutant, testing::Values("push_no_drain", "pull_no_drain"), kernel_name);

}  // namespace
}  // namespace tileput::scene
