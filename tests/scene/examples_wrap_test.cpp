// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Every example on windows on which almost 2^31 or 2^32 calls are over: epochs, and counts in cells that get several
// signals a call, pass the sign bit and wrap.

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <vector>

#include "expect_examples.hpp"
#include "mutants.hpp"

namespace tileput::scene {
namespace {

constexpr std::uint32_t kCalls = 3;

/// Calls that are over before those in which a count of `signals` a call passes 2^31 or 2^32.
std::vector<std::uint32_t> calls_before(std::uint32_t signals) {
  std::vector<std::uint32_t> all;
  for (const std::uint64_t passed : {std::uint64_t{1} << 31U, std::uint64_t{1} << 32U}) {
    all.push_back(static_cast<std::uint32_t>(passed - 2));
    if (signals > 1) {
      all.push_back(static_cast<std::uint32_t>(passed / signals - 1));
    }
  }
  return all;
}

/// A scene on windows that hold an example's counts of `calls` calls.
class Prepared {
 public:
  Prepared(Worker& worker, const Example& example, int ranks)
      : scene_(example.make(ranks, example::Payload::kRandom)),
        prepare_(worker.load({.orchestration = WINDOW_WORDS_ORCHESTRATION,
                              .entry = "window_words",
                              .kernels = {{0, Core::kAiv, WINDOW_WORDS_KERNEL}}})) {
    scene_->load(worker);
    scene_->set_on_domain([this, &example](Orchestrator& o, const Domain& domain) {
      std::vector<RankTask> group;
      for (int member = 0; member < domain.size(); ++member) {
        words_.emplace_back();
        for (const WindowWord& word : example.counts(domain.size(), member, calls_)) {
          words_.back().insert(words_.back().end(), {static_cast<std::uint32_t>(word.offset), word.value});
        }
        TaskArgs args;
        args.add_input(Tensor::of(words_.back())).add_inout(domain.buffer("scratch"));
        group.push_back({domain.ranks()[static_cast<std::size_t>(member)], args});
      }
      o.submit_group(prepare_, group);  // writes what the example's tasks use, so these start after all of it
    });
  }

  example::Scene& after(std::uint32_t calls) {
    calls_ = calls;
    words_.clear();
    return *scene_;
  }

 private:
  std::unique_ptr<example::Scene> scene_;
  Callable prepare_;
  std::uint32_t calls_ = 0;
  std::list<std::vector<std::uint32_t>> words_;  ///< of a run, which reads them where they are
};

class ExamplesWrap : public testing::TestWithParam<Example> {};

TEST_P(ExamplesWrap, IsRight) {
  use_example_kernels();
  for (const int ranks : GetParam().checked_ranks) {
    Worker worker(example_worker(ranks));
    Prepared prepared(worker, GetParam(), ranks);
    for (const std::uint32_t calls : calls_before(GetParam().signals(ranks))) {
      EXPECT_EQ(run_and_compare(worker, prepared.after(calls), calls, kCalls), "")
          << ranks << " ranks after " << calls << " calls";
    }
  }
}

TEST_P(ExamplesWrap, IsCleanOnTheCheckedMachine) {
  constexpr std::uint64_t kSchedules = 3;
  use_example_kernels();
  for (const int ranks : GetParam().checked_ranks) {
    Worker worker({.ranks = ranks, .platform = Platform::kCheck});
    Prepared prepared(worker, GetParam(), ranks);
    for (const std::uint32_t calls : calls_before(GetParam().signals(ranks))) {
      for (std::uint64_t schedule = 0; schedule < kSchedules; ++schedule) {
        EXPECT_EQ(run_checked(worker, prepared.after(calls), schedule).text(), "")
            << ranks << " ranks after " << calls << " calls";
      }
    }
  }
}

std::string example_name(const testing::TestParamInfo<Example>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(All, ExamplesWrap, testing::ValuesIn(examples()), example_name);

/// Kernels that compare with the sign: right for the first calls, and wrong for some that were tested above.
class WrapMutants : public testing::TestWithParam<Mutant> {};

TEST_P(WrapMutants, ShowOnlyLater) {
  GetParam().use();
  const Example& example = GetParam().row();
  for (const int ranks : example.checked_ranks) {
    Worker worker({.ranks = ranks, .platform = Platform::kCheck});
    Prepared prepared(worker, example, ranks);
    EXPECT_EQ(run_checked(worker, prepared.after(0), 1).text(), "") << ranks << " ranks";
    bool is_shown = false;
    for (const std::uint32_t calls : calls_before(example.signals(ranks))) {
      is_shown = is_shown || !run_checked(worker, prepared.after(calls), 1).is_clean();
    }
    EXPECT_TRUE(is_shown) << ranks << " ranks";
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, WrapMutants, testing::ValuesIn(mutants("wraps")), mutant_name);

}  // namespace
}  // namespace tileput::scene
