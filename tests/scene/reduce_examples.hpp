// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Scenes with their own kernels, or with mutants of them, for the tests of the examples that reduce.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "common/scene.hpp"
#include "tileput/worker.hpp"

namespace tileput::scene {

/// Kernels are looked for here: a mutant's folder before that of the example.
inline void use_kernels(const std::string& mutant = "") {
  const std::string mutant_path = mutant.empty() ? "" : MUTANT_DIRECTORY "/" + mutant + ":";
  setenv("TILEPUT_KERNEL_PATH", (mutant_path + EXAMPLE_DIRECTORY).c_str(), 1);
}

inline bool all_match(const example::Scene& scene) {
  const std::vector<example::RankCheck> checks = scene.check();
  return std::all_of(checks.begin(), checks.end(), [](const auto& check) { return check.matches; });
}

inline std::string details(const example::Scene& scene) {
  std::string text;
  for (const example::RankCheck& check : scene.check()) {
    text += check.matches ? "" : "rank " + std::to_string(check.rank) + ": " + check.detail + "\n";
  }
  return text;
}

/// What three calls on the checked machine came to.
struct Checked {
  bool has_errors = false;
  bool matches = false;  ///< false also where ranks waited for ever
  std::string text;
};

inline Checked run_checked(example::Scene& scene, std::uint64_t seed) {
  constexpr std::uint32_t kCalls = 3;
  Worker worker({.ranks = scene.ranks(), .platform = Platform::kCheck, .check = {.seed = seed}});
  scene.load(worker);
  scene.fill(seed);
  Checked result;
  try {
    worker.run([&](Orchestrator& o) { scene.submit(o, {.calls = kCalls}); });
    result.matches = all_match(scene);
    result.text = details(scene);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNoProgress) {
      throw;
    }
    result.text = error.what();
  }
  result.has_errors = worker.last_check().has_errors();
  for (const CheckFinding& finding : worker.last_check().findings) {
    result.text += finding.text + "\n";
  }
  return result;
}

/// One edit of a kernel, and what has to come of it.
struct Mutant {
  const char* name;
  enum class Shows : std::uint8_t { kFinding, kWrongSum } shows;
  std::unique_ptr<example::Scene> (*make)(int ranks);
  std::vector<int> ranks = {2, 3};
};

/// In every schedule.
inline void expect_shown(const Mutant& mutant) {
  use_kernels(mutant.name);
  for (const int ranks : mutant.ranks) {
    const std::unique_ptr<example::Scene> scene = mutant.make(ranks);
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const Checked result = run_checked(*scene, seed);
      EXPECT_TRUE(mutant.shows == Mutant::Shows::kFinding ? result.has_errors : !result.matches)
          << ranks << " ranks, seed " << seed << "\n"
          << result.text;
    }
  }
}

/// The example as it is: nothing is found.
inline void expect_clean(example::Scene& scene, std::uint64_t schedules) {
  use_kernels();
  for (std::uint64_t seed = 1; seed <= schedules; ++seed) {
    const Checked result = run_checked(scene, seed);
    ASSERT_TRUE(result.matches && !result.has_errors) << "seed " << seed << "\n" << result.text;
  }
}

/// Three calls on one window, three runs on one worker.
inline void expect_golden(example::Scene& scene, RanksAs ranks_as = RanksAs::kProcess) {
  use_kernels();
  Worker worker({.ranks = scene.ranks(), .ranks_as = ranks_as, .timeout = std::chrono::seconds(60)});
  scene.load(worker);
  for (std::uint64_t round = 0; round < 3; ++round) {
    scene.fill(round);
    worker.run([&](Orchestrator& o) { scene.submit(o, {.calls = 3}); });
    EXPECT_TRUE(all_match(scene)) << "round " << round << "\n" << details(scene);
  }
}

/// Submits what an orchestration has to refuse, with this text.
template <class Submit>
void expect_refused(const std::string& text, const Submit& submit) {
  SCOPED_TRACE(text);
  try {
    submit();
    ADD_FAILURE() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOrchestration) << error.what();
    EXPECT_NE(error.detail().find(text), std::string::npos) << error.what();
  }
}

}  // namespace tileput::scene
