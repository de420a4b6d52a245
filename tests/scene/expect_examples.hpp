// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What tests of examples expect of scenes and of orchestrations.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "examples.hpp"

namespace tileput::scene {

inline WorkerOptions example_worker(int ranks, RanksAs ranks_as = RanksAs::kProcess) {
  return {.ranks = ranks, .ranks_as = ranks_as, .timeout = std::chrono::seconds(60)};
}

/// Three calls on one window in each of three runs on one worker.
inline void expect_golden(example::Scene& scene, RanksAs ranks_as = RanksAs::kProcess) {
  use_example_kernels();
  Worker worker(example_worker(scene.ranks(), ranks_as));
  scene.load(worker);
  for (std::uint64_t round = 0; round < 3; ++round) {
    EXPECT_EQ(run_and_compare(worker, scene, round, 3), "") << "round " << round;
  }
}

/// Nothing is found on the checked machine, and results are right, in each of so many schedules.
inline void expect_clean(example::Scene& scene, std::uint64_t schedules) {
  use_example_kernels();
  Worker worker({.ranks = scene.ranks(), .platform = Platform::kCheck});
  scene.load(worker);
  for (std::uint64_t schedule = 0; schedule < schedules; ++schedule) {
    ASSERT_EQ(run_checked(worker, scene, schedule).text(), "") << "seed " << worker.last_check().seed;
    ASSERT_GT(worker.last_check().events, 0U);
  }
}

/// Submits what an orchestration has to refuse, with this text and its own name.
template <class Submit>
void expect_refused(const std::string& text, const Submit& submit) {
  SCOPED_TRACE(text);
  try {
    submit();
    ADD_FAILURE() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOrchestration) << error.what();
    EXPECT_NE(error.detail().find(text), std::string::npos) << error.what();
    EXPECT_NE(error.detail().find("_orch.so"), std::string::npos) << error.what();
  }
}

}  // namespace tileput::scene
