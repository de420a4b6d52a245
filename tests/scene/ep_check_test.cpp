// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The mixture-of-experts example on the checked machine, three calls on one window, and mutants that it must report.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "ep_run.hpp"

namespace tileput::scene {
namespace {

using example::EpDispatchCombineOptions;

EpDispatchCombineOptions tiny_ep(int ranks) {
  EpDispatchCombineOptions options = small_ep(ranks);
  options.tokens = 3;
  options.topk = 2;
  options.hidden = 17;
  options.experts_per_rank = 2;
  options.capacity = static_cast<std::uint32_t>(3 * ranks);
  return options;
}

/// What the checked machine reports in one run of three calls, which need not come to its end: ranks that wait for
/// ever, or rows that go where no memory is because counts were read too early.
std::string findings_of(const EpDispatchCombineOptions& options, std::uint64_t seed) {
  Worker worker(ep_checked(options.ranks, seed));
  const auto scene = example::make_ep_dispatch_combine(options);
  scene->load(worker);
  try {
    run_ep(worker, *scene, seed, 3);
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kNoProgress || error.code() == ErrorCode::kOutOfWindow ||
                error.code() == ErrorCode::kOrchestration)
        << error.what();
  }
  std::string text;
  for (const CheckFinding& finding : worker.last_check().findings) {
    text += finding.text + "\n";
  }
  return text;
}

class EpChecked : public testing::TestWithParam<int> {};

TEST_P(EpChecked, NothingIsFoundAndOutputsAreExact) {
  const auto scene = example::make_ep_dispatch_combine(tiny_ep(GetParam()));
  Worker worker(ep_checked(GetParam()));
  scene->load(worker);
  for (std::uint64_t round = 0; round < 20; ++round) {  // a seed each
    const RunReport report = run_ep(worker, *scene, round, 3);
    SCOPED_TRACE(report.check.seed);
    for (const CheckFinding& finding : report.check.findings) {
      ADD_FAILURE() << finding.text;
    }
    EXPECT_GT(report.check.events, 0U);
    EXPECT_EQ(differences_of(*scene), "");
  }
}

TEST_P(EpChecked, MissingFencesAndWaitsAreFound) {
  struct Mutant {
    const char* name;
    const char* dispatch;
    const char* local_expert;
    const char* combine;
  };
  const Mutant mutants[] = {
      {"dispatch without fence", EP_MUTANT("dispatch_no_fence"), EP_LOCAL_EXPERT, EP_COMBINE},
      {"dispatch without drain", EP_MUTANT("dispatch_no_drain"), EP_LOCAL_EXPERT, EP_COMBINE},
      {"dispatch without wait", EP_MUTANT("dispatch_no_wait"), EP_LOCAL_EXPERT, EP_COMBINE},
      {"dispatch without second barrier", EP_MUTANT("dispatch_one_barrier"), EP_LOCAL_EXPERT, EP_COMBINE},
      {"dispatch with a constant epoch", EP_MUTANT("dispatch_constant_epoch"), EP_LOCAL_EXPERT, EP_COMBINE},
      {"all ranks' rows at one place", EP_MUTANT("same_rows"), EP_LOCAL_EXPERT, EP_COMBINE},
      {"dispatch without event", EP_MUTANT("dispatch_no_event"), EP_LOCAL_EXPERT, EP_COMBINE},
      {"local expert without event", EP_DISPATCH, EP_MUTANT("local_expert_no_event"), EP_COMBINE},
      {"combine without fence", EP_DISPATCH, EP_LOCAL_EXPERT, EP_MUTANT("combine_no_fence")},
      {"combine without wait", EP_DISPATCH, EP_LOCAL_EXPERT, EP_MUTANT("combine_no_wait")},
      {"combine without barrier", EP_DISPATCH, EP_LOCAL_EXPERT, EP_MUTANT("combine_no_barrier")},
      {"combine without event", EP_DISPATCH, EP_LOCAL_EXPERT, EP_MUTANT("combine_no_event")},
  };
  for (const Mutant& mutant : mutants) {
    SCOPED_TRACE(mutant.name);
    EpDispatchCombineOptions options = tiny_ep(GetParam());
    options.dispatch_kernel = mutant.dispatch;
    options.local_expert_kernel = mutant.local_expert;
    options.combine_kernel = mutant.combine;
    EXPECT_NE(findings_of(options, 1), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, EpChecked, testing::Values(2, 3), testing::PrintToStringParamName());

}  // namespace
}  // namespace tileput::scene
