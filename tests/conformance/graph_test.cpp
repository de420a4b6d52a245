// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submissions as a graph, with real ranks: what runs beside what, what comes after what, and domains that are released
// during the run. That something does not wait is shown by order: it sends what the other needs to end.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/deferred.hpp"
#include "conformance/race.hpp"
#include "conformance/support.hpp"

namespace tileput::test {
namespace {

constexpr std::int64_t kUnseen = -1;
using Words = std::array<std::int64_t, 8>;

class Graph : public testing::TestWithParam<RanksAs> {
 protected:
  void start(int ranks, WorkerOptions options = {}) {
    const WorkerOptions usual = options_of(ranks, GetParam());
    options.ranks = usual.ranks;
    options.platform = usual.platform;
    options.ranks_as = usual.ranks_as;
    options.timeout = options.timeout.count() != 0 ? options.timeout : usual.timeout;
    worker_ = std::make_unique<Worker>(options);
    callable_ = worker_->load({.orchestration = "kernels/deferred_orch.so",
                               .entry = "steps",
                               .kernels = {{0, Core::kAiv, "kernels/deferred_kernel.so"}}});
  }

  static Domain domain_of(Orchestrator& o, std::vector<int> ranks) {
    return o.allocate_domain(
        {.ranks = std::move(ranks),
         .buffers = {{.name = "counters", .bytes = 4 * (kCountersMax + 8), .type = DataType::kInt32},
                     {.name = "data", .bytes = 64, .type = DataType::kInt32},
                     {.name = "side", .bytes = 64, .type = DataType::kInt32}}});
  }

  /// Memory for the results of one task that nothing else names.
  Words& words() {
    Words& made = words_.emplace_back();
    made.fill(kUnseen);
    return made;
  }

  RankTask task(int rank, const Domain& domain, const std::vector<Step>& list, Words& out) {
    RankTask made{rank, {}};
    made.args.add_inout(tensor_of(out)).add_inout(domain.buffer("counters"));
    made.args.add_inout(domain.buffer("data")).add_inout(domain.buffer("side"));
    made.args.add_context(domain).add_scalar(static_cast<std::int32_t>(list.size()));
    for (const Step& step : list) {
      made.args.add_scalar(step.what).add_scalar(step.at).add_scalar(step.value).add_scalar(step.which);
      made.args.add_scalar(step.use).add_scalar(step.after).add_scalar(step.blocks);
    }
    return made;
  }
  RankTask task(int rank, const Domain& domain, const std::vector<Step>& list) {
    return task(rank, domain, list, words());
  }

  RunReport run(const std::function<void(Orchestrator&)>& program) {
    RunReport report = worker_->run(program);
    for (const CheckFinding& finding : report.check.findings) {
      ADD_FAILURE() << finding.text;
    }
    return report;
  }

  std::unique_ptr<Worker> worker_;
  std::optional<Callable> callable_;
  std::deque<Words> words_;
};

Step await(std::int64_t at, std::int64_t value = 1) { return {.what = Deferred::kAwait, .at = at, .value = value}; }
Step notify(std::int64_t at, std::int64_t value = 1) { return {.what = Deferred::kNotify, .at = at, .value = value}; }
Step see_counter(std::int64_t at, std::int64_t word) {
  return {.what = Deferred::kSeeCounter, .at = at, .value = word};
}

TEST_P(Graph, AReleaseTaskRunsWhileAGroupWaitsForItAndAnotherIsPending) {
  start(3);
  for (int round = 0; round < 3; ++round) {
    Words& seen = words();
    const RunReport report = run([&](Orchestrator& o) {
      const Domain left = domain_of(o, {0, 1});
      const Domain right = domain_of(o, {1, 2});
      o.submit_group(*callable_, {task(0, left, {{}}), task(1, left, {await(0)})});
      o.submit_group(*callable_, {task(1, right, {notify(0)}), task(2, right, {await(0), see_counter(0, 3)}, seen)});
      const RankTask release = task(0, left, {notify(0)});
      o.submit(*callable_, release.rank, release.args);
    });
    EXPECT_EQ(report.submissions.size(), 3U);
    EXPECT_EQ(seen[3], 1);
  }
}

TEST_P(Graph, IndependentSubmissionsRunAtTheSameTime) {
  start(4);
  run([&](Orchestrator& o) {
    const Domain domain = domain_of(o, {0, 1, 2, 3});
    for (int rank = 0; rank < 4; ++rank) {  // each waits for the one submitted before it, the first for the last
      const RankTask member = task(rank, domain, {notify(0), await(0)});
      o.submit(*callable_, rank, member.args);
    }
  });
}

TEST_P(Graph, TasksThatNameTheSameHostMemoryRunInOrder) {
  start(2);
  Words& chain = words();
  constexpr int kTasks = 8;
  for (int round = 0; round < 3; ++round) {
    chain.fill(kUnseen);
    run([&](Orchestrator& o) {
      const Domain domain = domain_of(o, {0, 1});
      for (int i = 0; i < kTasks; ++i) {  // task i sees the notifies of those before it on the other rank
        const RankTask member = task(i % 2, domain, {see_counter(0, i), notify(0)}, chain);
        o.submit(*callable_, member.rank, member.args);
      }
    });
    EXPECT_EQ(chain, (Words{0, 1, 1, 2, 2, 3, 3, 4}));
  }
}

TEST_P(Graph, SubmissionsCanNameWhatTheyComeAfter) {
  start(2);
  std::vector<Words*> seen;
  run([&](Orchestrator& o) {
    const Domain domain = domain_of(o, {0, 1});
    std::vector<Submission> before;
    for (int i = 0; i < 8; ++i) {
      seen.push_back(&words());
      const RankTask member = task(i % 2, domain, {see_counter(0, 0), notify(0)}, *seen.back());
      before = {o.submit(*callable_, member.rank, member.args, {.after = before})};
      EXPECT_EQ(before.front().index(), static_cast<std::size_t>(i));
    }
  });
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i]->at(0), static_cast<std::int64_t>((i + 1) / 2)) << i;
  }
}

TEST_P(Graph, ATaskThatIsDeferredLeavesItsRankToOthers) {
  start(2);
  Words& looks = words();
  run([&](Orchestrator& o) {
    const Domain one = domain_of(o, {0, 1});
    const Domain other = domain_of(o, {0, 1});
    // Complete when rank 1 has pushed, which it does when rank 0 has executed something else.
    const RankTask deferred = task(0, one, {{.what = Deferred::kDefer, .at = 0, .value = 1}});
    o.submit(*callable_, 0, deferred.args);
    const RankTask consumer = task(0, one, {{.what = Deferred::kSeeData, .value = 2}}, looks);
    o.submit(*callable_, 0, consumer.args);
    const RankTask elsewhere = task(0, other, {notify(5)});
    o.submit(*callable_, 0, elsewhere.args);
    const RankTask awaits = task(1, other, {await(5)});
    const Submission waited = o.submit(*callable_, 1, awaits.args);
    const RankTask push = task(1, one, {{.what = Deferred::kPush, .at = 0, .value = 4711}});
    o.submit(*callable_, 1, push.args, {.after = {waited}});
  });
  EXPECT_EQ(looks[2], 4711);
}

TEST_P(Graph, SeveralTasksOfARankCanBeDeferredAtOnce) {
  start(2);
  constexpr int kTasks = 5;
  Words& seen = words();
  run([&](Orchestrator& o) {
    std::vector<Submission> deferred;
    std::vector<Domain> domains;
    for (int i = 0; i < kTasks; ++i) {
      domains.push_back(domain_of(o, {0, 1}));
      const RankTask member = task(0, domains.back(), {{.what = Deferred::kDefer, .at = i, .value = 1}});
      deferred.push_back(o.submit(*callable_, 0, member.args));
    }
    const RankTask last = task(0, domains.front(), {see_counter(0, 0)}, seen);
    o.submit(*callable_, 0, last.args, {.after = deferred});
    for (int i = kTasks; i-- > 0;) {  // in the reverse order
      const RankTask member = task(1, domains[static_cast<std::size_t>(i)], {notify(i)});
      o.submit(*callable_, 1, member.args);
    }
  });
  EXPECT_EQ(seen[0], 1);
}

TEST_P(Graph, RunsOfDifferentRanksAndSizesFollowEachOther) {
  start(4);
  for (int round = 0; round < 12; ++round) {
    const int first = round % 4;
    const int size = 1 + round / 3;
    std::vector<int> ranks;
    for (int i = 0; i < size; ++i) {
      ranks.push_back((first + i) % 4);
    }
    std::vector<Words*> seen;
    run([&](Orchestrator& o) {
      const Domain domain = domain_of(o, ranks);
      std::vector<RankTask> group;
      for (const int rank : ranks) {
        seen.push_back(&words());
        group.push_back(task(rank, domain, {see_counter(7, 0), notify(0), await(0), see_counter(0, 1)}, *seen.back()));
      }
      o.submit_group(*callable_, group);
    });
    for (const Words* const of_rank : seen) {
      EXPECT_EQ(of_rank->at(0), 0) << "something of an earlier run";
      EXPECT_EQ(of_rank->at(1), 1);
    }
  }
}

TEST_P(Graph, ReleasedDomainsMakeRoomForOthers) {
  constexpr std::uint64_t kWindow = 64 << 10U;
  start(2, {.memory_limit_bytes = 5 * kWindow});
  run([&](Orchestrator& o) {
    for (int i = 0; i < 20; ++i) {  // two windows each: without the releases two domains fit
      const Domain domain = o.allocate_domain({.buffers = {{.name = "counters", .bytes = 1024},
                                                           {.name = "data", .bytes = 64},
                                                           {.name = "side", .bytes = 64}},
                                               .window_bytes = kWindow});
      const RankTask pushes = task(1, domain, {{.what = Deferred::kPush, .at = 0, .value = i}});
      o.submit(*callable_, 1, pushes.args);
      Words& seen = words();
      const RankTask looks = task(0, domain, {await(0), {.what = Deferred::kSeeData, .value = 0}}, seen);
      o.submit(*callable_, 0, looks.args);
      o.release_domain(domain);
    }
  });
  const std::size_t tasks = words_.size();
  EXPECT_EQ(tasks, 40U);
  std::int64_t next = 0;
  for (const Words& of_task : words_) {
    if (of_task[0] != kUnseen) {
      EXPECT_EQ(of_task[0], next++);
    }
  }
  EXPECT_EQ(next, 20);
}

TEST_P(Graph, AReleasedDomainIsRefused) {
  start(2);
  run([&](Orchestrator& o) {
    const Domain domain = domain_of(o, {0, 1});
    const RankTask member = task(0, domain, {{}});
    o.release_domain(domain);
    expect_error(ErrorCode::kBadArgument, {"or has released"}, [&] { o.release_domain(domain); });
    expect_error(ErrorCode::kBadArgument, {"or has released"}, [&] { o.submit(*callable_, 0, member.args); });
  });
  std::optional<Submission> earlier;
  run([&](Orchestrator& o) {
    const Domain domain = domain_of(o, {0, 1});
    const RankTask member = task(0, domain, {{}});
    earlier = o.submit(*callable_, 0, member.args);
  });
  run([&](Orchestrator& o) {
    const Domain domain = domain_of(o, {0, 1});
    const RankTask member = task(0, domain, {{}});
    expect_error(ErrorCode::kBadArgument, {"submission 0 of another run"},
                 [&] { o.submit(*callable_, 0, member.args, {.after = {*earlier}}); });
  });
}

TEST_P(Graph, WhatCanNeverStartIsNamed) {
  start(3);
  expect_error(ErrorCode::kNoProgress,
               is_checked() ? std::vector<std::string>{"rank 1"}
                            : std::vector<std::string>{"cannot go on", "rank 1: ", "waits",
                                                       "submission 1 for ranks 1, 2 has not"},
               [&] {
                 worker_->run([&](Orchestrator& o) {
                   const Domain left = domain_of(o, {0, 1});
                   const Domain right = domain_of(o, {1, 2});
                   o.submit_group(*callable_, {task(0, left, {{}}), task(1, left, {await(0)})});
                   o.submit_group(*callable_, {task(1, right, {{}}), task(2, right, {{}})});
                 });
               });
  run([&](Orchestrator& o) {  // the next run is clean
    const Domain domain = domain_of(o, {0, 1, 2});
    o.submit_group(*callable_, {task(0, domain, {notify(0)}), task(1, domain, {await(0)}), task(2, domain, {{}})});
  });
}

TEST_P(Graph, WhatTheProgramThrewComesBeforeWhatFollowedFromIt) {
  start(2);
  expect_error(ErrorCode::kBadArgument, {"names rank 7"}, [&] {
    worker_->run([&](Orchestrator& o) {
      const Domain domain = domain_of(o, {0, 1});
      const RankTask waits = task(1, domain, {await(0)});
      o.submit(*callable_, 1, waits.args);
      o.submit(*callable_, 7, TaskArgs());  // what would have released it
    });
  });
}

TEST_P(Graph, ARankThatWaitsForWorkThatComesLateIsNotStuck) {
  start(3);
  run([&](Orchestrator& o) {
    const Domain all = domain_of(o, {0, 1, 2});
    const RankTask waits = task(1, all, {await(0)});
    o.submit(*callable_, 1, waits.args);
    // 40 x 20 ms of rank 2, whose pushes go to rank 0, and then the release by rank 0.
    const RankTask busy = task(2, all, {{.what = Deferred::kPush, .at = 3}});
    const Submission long_one = o.submit(*callable_, 2, busy.args, {.calls = 40});
    const RankTask release = task(0, all, {notify(0)});
    o.submit(*callable_, 0, release.args, {.after = {long_one}});
  });
}

// What raises the counter of the first one comes after the second one, whose counter is raised late.
TEST_P(Graph, ARankWithSeveralDeferredTasksIsNotStuckBecauseOfOne) {
  start(3);
  run([&](Orchestrator& o) {
    const Domain d1 = domain_of(o, {0, 1});
    const Domain d2 = domain_of(o, {0, 2});
    const Domain d3 = domain_of(o, {2, 1});
    const RankTask a = task(0, d1, {{.what = Deferred::kDefer, .at = 0, .value = 1}});
    o.submit(*callable_, 0, a.args);
    const RankTask b = task(0, d2, {{.what = Deferred::kDefer, .at = 0, .value = 1}});
    const Submission sb = o.submit(*callable_, 0, b.args);
    const RankTask busy = task(2, d3, {{.what = Deferred::kPush, .at = 3}});
    const Submission sbusy = o.submit(*callable_, 2, busy.args, {.calls = 50});
    const RankTask nb = task(2, d2, {notify(0)});
    o.submit(*callable_, 2, nb.args, {.after = {sbusy}});
    const RankTask na = task(1, d1, {notify(0)});
    o.submit(*callable_, 1, na.args, {.after = {sb}});
  });
}

TEST_P(Graph, DomainsCanBeAllocatedWhileATaskOfTheirRanksIsDeferred) {
  start(3);
  run([&](Orchestrator& o) {
    const Domain d1 = domain_of(o, {0, 2});
    const Domain d3 = domain_of(o, {1, 2});
    const RankTask a = task(0, d1, {{.what = Deferred::kDefer, .at = 0, .value = 1}});
    o.submit(*callable_, 0, a.args);
    const RankTask busy = task(1, d3, {{.what = Deferred::kPush, .at = 3}});
    o.submit(*callable_, 1, busy.args, {.calls = 50});
    const Domain d4 = domain_of(o, {0, 1});
    const RankTask na = task(2, d1, {notify(0)});
    o.submit(*callable_, 2, na.args);
  });
}

TEST_P(Graph, ReleasedDomainsCanBeWaitedForWhileATaskIsDeferred) {
  constexpr std::uint64_t kWindow = 64 << 10U;
  start(3, {.memory_limit_bytes = 5 * kWindow});
  run([&](Orchestrator& o) {
    const Domain d1 = domain_of(o, {0, 2});
    const RankTask a = task(0, d1, {{.what = Deferred::kDefer, .at = 0, .value = 1}});
    o.submit(*callable_, 0, a.args);
    const auto large = [&] {
      return o.allocate_domain({.ranks = {1},
                                .buffers = {{.name = "counters", .bytes = 1024},
                                            {.name = "data", .bytes = 64},
                                            {.name = "side", .bytes = 64}},
                                .window_bytes = 3 * kWindow});
    };
    const Domain e = large();
    const RankTask busy = task(1, e, {{.what = Deferred::kPush, .at = 3}});
    o.submit(*callable_, 1, busy.args, {.calls = 50});
    o.release_domain(e);
    o.allocate_domain({.ranks = {2}, .buffers = {{.name = "x", .bytes = 3 * kWindow}}});
    const RankTask na = task(2, d1, {notify(0)});
    o.submit(*callable_, 2, na.args);
  });
}

TEST_P(Graph, AFullQueueIsNoReasonToGiveUp) {
  start(3);
  run([&](Orchestrator& o) {
    const Domain d1 = domain_of(o, {0, 2});
    const Domain d3 = domain_of(o, {1, 2});
    const RankTask a = task(0, d1, {await(0)});
    o.submit(*callable_, 0, a.args);
    const RankTask busy = task(1, d3, {{.what = Deferred::kPush, .at = 3}});
    o.submit(*callable_, 1, busy.args, {.calls = 20});
    for (int i = 0; i < 400; ++i) {
      const RankTask m = task(1, d3, {{}}, words_.back());
      o.submit(*callable_, 1, m.args);
    }
    const RankTask na = task(2, d1, {notify(0)});
    o.submit(*callable_, 2, na.args);
  });
}

TEST_P(Graph, OutputsOfAGroupThatFailsAreNotWritten) {
  start(2);
  Words& out = words();
  expect_error(ErrorCode::kKernel, {}, [&] {
    worker_->run([&](Orchestrator& o) {
      const Domain d = domain_of(o, {0, 1});
      o.submit_group(*callable_,
                     {task(0, d, {see_counter(0, 0)}, out), task(1, d, {{.what = Deferred::kThrow, .value = 300}})});
    });
  });
  EXPECT_EQ(out[0], kUnseen);
}

TEST_P(Graph, ASubmissionOfAnotherWorkerIsRefused) {
  start(2);
  Worker other(options_of(1, GetParam()));
  const Callable c = other.load({.orchestration = "kernels/deferred_orch.so",
                                 .entry = "steps",
                                 .kernels = {{0, Core::kAiv, "kernels/deferred_kernel.so"}}});
  std::optional<Submission> foreign;
  other.run([&](Orchestrator& o) {
    const Domain d = domain_of(o, {0});
    const RankTask m = task(0, d, {{}});
    foreign = o.submit(c, 0, m.args);
  });
  run([&](Orchestrator& o) {
    const Domain d = domain_of(o, {0, 1});
    const RankTask m = task(0, d, {{}});
    o.submit(*callable_, 0, m.args);
    const RankTask n = task(1, d, {{}});
    expect_error(ErrorCode::kBadArgument, {"another run"},
                 [&] { o.submit(*callable_, 1, n.args, {.after = {*foreign}}); });
  });
}

TEST_P(Graph, ADeferredTaskCompletesWhileItsRankWaitsInAKernel) {
  start(3);
  run([&](Orchestrator& o) {
    const Domain d = domain_of(o, {0, 1, 2});
    const Domain e = domain_of(o, {0, 2});
    const RankTask b = task(0, e, {{.what = Deferred::kDefer, .at = 0, .value = 1}});
    const Submission s = o.submit(*callable_, 0, b.args);
    const RankTask k = task(0, d, {await(0)});
    o.submit(*callable_, 0, k.args);
    const Domain f = domain_of(o, {2, 1});
    const RankTask busy = task(2, f, {{.what = Deferred::kPush, .at = 3}});
    const Submission late = o.submit(*callable_, 2, busy.args, {.calls = 10});
    const RankTask nb = task(2, e, {notify(0)});
    o.submit(*callable_, 2, nb.args, {.after = {late}});
    const RankTask na = task(2, d, {notify(0)});
    o.submit(*callable_, 2, na.args, {.after = {s}});
  });
}

TEST_P(Graph, RunsOfManyDeferredTasksAndReleases) {
  start(4);
  unsigned seed = 7;
  const auto rnd = [&](int n) {
    seed = seed * 1664525U + 1013904223U;
    return static_cast<int>((seed >> 8U) % static_cast<unsigned>(n));
  };
  for (int round = 0; round < 20; ++round) {
    run([&](Orchestrator& o) {
      std::vector<Submission> all;
      for (int i = 0; i < 40; ++i) {
        const int r = rnd(4);
        const int p = (r + 1 + rnd(3)) % 4;
        const Domain d = domain_of(o, {r, p});
        const RankTask a = task(r, d, {{.what = Deferred::kDefer, .at = 0, .value = 1}});
        const RankTask b = task(p, d, {notify(0)});
        std::vector<Submission> after;
        if (!all.empty() && rnd(2) != 0)
          after.push_back(all[static_cast<std::size_t>(rnd(static_cast<int>(all.size())))]);
        if (rnd(2) != 0) {
          all.push_back(o.submit(*callable_, r, a.args, {.after = after}));
          all.push_back(o.submit(*callable_, p, b.args));
        } else {
          all.push_back(o.submit_group(*callable_, {a, b}, {.after = after}));
        }
        if (rnd(2) != 0) o.release_domain(d);
      }
    });
  }
}

TEST_P(Graph, AChainOnOneTensorNeedsMemoryForAFewLinks) {
  start(2, {.memory_limit_bytes = 16U << 20U});
  std::vector<std::int64_t> big(128U << 10U);
  run([&](Orchestrator& o) {
    const Domain d = domain_of(o, {0, 1});
    for (int i = 0; i < 100; ++i) {
      const Step step = see_counter(0, 0);
      TaskArgs a;
      a.add_inout(Tensor::of(big)).add_inout(d.buffer("counters")).add_inout(d.buffer("data"));
      a.add_inout(d.buffer("side")).add_context(d).add_scalar(1);
      a.add_scalar(step.what).add_scalar(step.at).add_scalar(step.value).add_scalar(step.which);
      a.add_scalar(step.use).add_scalar(step.after).add_scalar(step.blocks);
      o.submit(*callable_, i % 2, a);
    }
  });
}

/// On the checked machine: rank 1 puts into rank 0's window, and rank 0 loads from there. Nothing orders them, whatever
/// rank 0 executes before.
TEST_P(Graph, WhatTheGraphDoesNotOrderIsARace) {
  if (!is_checked()) {
    GTEST_SKIP() << "for the checked machine";
  }
  start(2);
  const Callable race = worker_->load(callable_spec("race_kernel"));
  for (const bool is_queued : {false, true}) {
    for (int i = 0; i < 10; ++i) {
      const RunReport report = worker_->run([&](Orchestrator& o) {
        const Domain shared = domain_of(o, {0, 1});
        const Domain other = domain_of(o, {0, 1});
        const auto args = [](const Domain& domain, RaceStep step) {
          TaskArgs made;
          made.add_inout(domain.buffer("data")).add_scalar(step).add_context(domain);
          return made;
        };
        o.submit(race, 1, args(shared, RaceStep::kPut));
        if (is_queued) {
          o.submit(race, 0, args(other, RaceStep::kNothing));
        }
        o.submit(race, 0, args(shared, RaceStep::kLoad));
      });
      ASSERT_EQ(report.check.findings.size(), 1U);
      EXPECT_EQ(report.check.findings.front().kind, "RW");
    }
  }
}

/// On the checked machine: domains one after the other in the same memory.
class CheckedDomains : public Graph {
 protected:
  static constexpr std::uint64_t kWindow = 64 << 10U;

  void SetUp() override {
    if (!is_checked()) {
      GTEST_SKIP() << "for the checked machine";
    }
    start(2, {.memory_limit_bytes = 3 * kWindow});  // there is room for one domain of both ranks
    race_ = worker_->load(callable_spec("race_kernel"));
  }

  /// Rank 1 does `first`, rank 0 `second`, in a domain of its own.
  void in_domain(Orchestrator& o, const std::string& name, RaceStep first, RaceStep second) {
    const Domain domain = o.allocate_domain(
        {.buffers = {{.name = name, .bytes = 128, .type = DataType::kInt32}}, .window_bytes = kWindow});
    for (const auto& [rank, step] : {std::pair(1, first), std::pair(0, second)}) {
      TaskArgs args;
      args.add_inout(domain.buffer(name)).add_scalar(step).add_context(domain);
      o.submit(*race_, rank, args);
    }
    o.release_domain(domain);
  }

  std::optional<Callable> race_;
};

TEST_P(CheckedDomains, EachHasItsOwnName) {
  for (int i = 0; i < 10; ++i) {
    const RunReport report = worker_->run([&](Orchestrator& o) {
      in_domain(o, "first", RaceStep::kPut, RaceStep::kLoad);
      in_domain(o, "clean", RaceStep::kSend, RaceStep::kReceive);
      in_domain(o, "third", RaceStep::kPut, RaceStep::kLoad);
    });
    ASSERT_EQ(report.check.findings.size(), 2U);
    EXPECT_EQ(report.check.findings[0].region, "first");
    EXPECT_NE(report.check.findings[0].text.find("TPUT writes first@0[0:32]"), std::string::npos)
        << report.check.findings[0].text;
    EXPECT_EQ(report.check.findings[1].region, "third.2");
    EXPECT_NE(report.check.findings[1].text.find("TPUT writes third.2@0[0:32]"), std::string::npos)
        << report.check.findings[1].text;
  }
}

TEST_P(CheckedDomains, SignalsBeginAgain) {
  for (int i = 0; i < 10; ++i) {
    run([&](Orchestrator& o) {
      in_domain(o, "data", RaceStep::kSend, RaceStep::kReceive);
      in_domain(o, "data", RaceStep::kSend, RaceStep::kReceive);
    });
  }
}

/// Tensors that are no SharedMemory: the second one's copy lies where the first one's did.
TEST_P(CheckedDomains, TensorsBelongToTheirTask) {
  std::array<std::int32_t, 32> data{};
  const RunReport report = worker_->run([&](Orchestrator& o) {
    for (const auto& [rank, step] : {std::pair(1, RaceStep::kNothing), std::pair(0, RaceStep::kReload)}) {
      const Domain domain = o.allocate_domain({.window_bytes = kWindow});  // waits for the task before
      TaskArgs args;
      args.add_inout(tensor_of(data)).add_scalar(step).add_context(domain);
      o.submit(*race_, rank, args);
      o.release_domain(domain);
    }
  });
  ASSERT_EQ(report.check.findings.size(), 1U);
  const std::string& text = report.check.findings.front().text;
  EXPECT_NE(text.find("TSTORE writes arg0[0:8]"), std::string::npos) << text;  // of its own rank, in elements
}

INSTANTIATE_TEST_SUITE_P(Kinds, CheckedDomains, testing::Values(RanksAs::kThread), kind_name);
INSTANTIATE_TEST_SUITE_P(Kinds, Graph, testing::Values(RanksAs::kProcess, RanksAs::kThread), kind_name);

}  // namespace
}  // namespace tileput::test
