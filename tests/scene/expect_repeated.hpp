// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the tests of repeated calls expect of kernels and of mutants.

#include <gtest/gtest.h>

#include <string>

#include "repeated_run.hpp"

namespace tileput::scene {

inline constexpr std::uint64_t kSeeds = 10;

/// Names the cases of a suite whose parameter is the kernel.
inline std::string kernel_name(const testing::TestParamInfo<std::string>& kernel) { return kernel.param; }

/// The run of a correct kernel: every word, every guard, every call.
inline void expect_right(const RepeatedRun& run) {
  SCOPED_TRACE(run.text());
  const Finding finding = run_repeated(run);
  EXPECT_FALSE(finding.no_progress);
  EXPECT_EQ(finding.mismatches, 0) << finding.text();
  EXPECT_EQ(finding.canaries, 0);
  EXPECT_EQ(finding.pending, 0);
  EXPECT_EQ(finding.calls_done, static_cast<std::int64_t>(run.calls));
  if (run.calls >= 100) {
    EXPECT_GT(finding.sleeps_between_calls, 0) << "no rank was ever late between calls";
    EXPECT_GT(finding.sleeps_before_notify, 0) << "no rank was ever late before it notified";
    EXPECT_GT(finding.sleeps_before_copy_out, 0) << "no rank was ever late before copy-out";
    EXPECT_GT(finding.call_ns, 0);
  }
}

/// The run of a mutant: some seed out of kSeeds shows that it is wrong.
inline void expect_caught(RepeatedRun run) {
  run.timeout = std::chrono::seconds(20);
  for (run.seed = 1; run.seed <= kSeeds; ++run.seed) {
    const Finding finding = run_repeated(run);
    if (finding.caught()) {
      testing::Test::RecordProperty("seed", static_cast<int>(run.seed));
      testing::Test::RecordProperty("first_call", static_cast<int>(finding.first_call));
      fmt::print("{}: caught with seed {}: {}\n", run.kernel, run.seed, finding.text());
      return;
    }
  }
  FAIL() << run.text() << ": this mutant passed with " << kSeeds << " seeds";
}

}  // namespace tileput::scene
