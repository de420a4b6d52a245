// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Kernels of examples with one edit, on the checked machine: one that leaves out, doubles or misplaces a contribution
// has to differ from golden, one without a fence, a wait or a flag has to be a finding, in every schedule.
// examples_check shows that the same scenes are clean with the kernels as they are.

#include <gtest/gtest.h>

#include "mutants.hpp"

namespace tileput::scene {
namespace {

constexpr std::uint64_t kSchedules = 3;

class Wrong : public testing::TestWithParam<Mutant> {};

/// With two ranks some are right: a sum of two has one order, and there is only one peer.
TEST_P(Wrong, DiffersFromGolden) {
  GetParam().use();
  const int ranks = GetParam().row().checked_ranks.back();
  const auto scene = GetParam().row().make(ranks, example::Payload::kRandom);
  Worker worker({.ranks = ranks, .platform = Platform::kCheck});
  scene->load(worker);
  for (std::uint64_t schedule = 0; schedule < kSchedules; ++schedule) {
    EXPECT_NE(run_checked(worker, *scene, schedule).differences, "") << "seed " << worker.last_check().seed;
  }
}

class Unordered : public testing::TestWithParam<Mutant> {};

TEST_P(Unordered, IsAFinding) {
  GetParam().use();
  for (const int ranks : GetParam().row().checked_ranks) {
    const auto scene = GetParam().row().make(ranks, example::Payload::kRandom);
    Worker worker({.ranks = ranks, .platform = Platform::kCheck});
    scene->load(worker);
    for (std::uint64_t schedule = 0; schedule < kSchedules; ++schedule) {
      run_checked(worker, *scene, schedule);
      EXPECT_TRUE(worker.last_check().has_errors()) << ranks << " ranks, seed " << worker.last_check().seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Wrong, testing::ValuesIn(mutants("differs")), mutant_name);
INSTANTIATE_TEST_SUITE_P(Kernels, Unordered, testing::ValuesIn(mutants("finding")), mutant_name);

}  // namespace
}  // namespace tileput::scene
