// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The graph of submissions: small cases by hand, and random programs against a model that compares every pair.

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "orchestration/task_graph.hpp"

namespace tileput::orchestration {
namespace {

using Task = TaskGraph::Task;
using Access = TaskGraph::Access;
using Group = TaskGraph::Group;

Access reads(std::uint64_t begin, std::uint64_t end, std::uint64_t domain = 0) { return {domain, begin, end, false}; }
Access writes(std::uint64_t begin, std::uint64_t end, std::uint64_t domain = 0) { return {domain, begin, end, true}; }

/// Starts all that can, in the order of submission.
std::vector<Group> start_all(TaskGraph& graph) {
  std::vector<Group> started;
  while (const auto group = graph.ready()) {
    graph.start(*group);
    started.push_back(*group);
  }
  return started;
}

void end(TaskGraph& graph, Group group, std::size_t task) {
  graph.note_return(group, task);
  graph.note_completion(group, task);
}

using Groups = std::vector<Group>;

TEST(TaskGraph, AReleaseTaskRunsBesideAGroupThatWaitsAndOneThatIsPending) {
  TaskGraph graph(3);
  const Group waits = graph.add({{0, {writes(0, 64, 1)}}, {1, {writes(0, 64, 1)}}});
  const Group pending = graph.add({{1, {writes(0, 64, 2)}}, {2, {writes(0, 64, 2)}}});
  EXPECT_EQ(start_all(graph), Groups{waits});
  const Group release = graph.add({{0, {writes(0, 64, 1)}}});
  EXPECT_EQ(start_all(graph), Groups{});  // rank 0 is still in the group
  end(graph, waits, 0);
  EXPECT_EQ(start_all(graph), Groups{release});
  end(graph, waits, 1);
  EXPECT_EQ(start_all(graph), Groups{pending});
}

TEST(TaskGraph, AGroupThatWaitsHoldsNoRank) {
  TaskGraph graph(3);
  const Group busy = graph.add({{1, {}}});
  const Group pending = graph.add({{1, {}}, {2, {}}});
  const Group unrelated = graph.add({{2, {}}});
  EXPECT_EQ(start_all(graph), (Groups{busy, unrelated}));
  end(graph, busy, 0);
  EXPECT_EQ(start_all(graph), Groups{});
  end(graph, unrelated, 0);
  EXPECT_EQ(start_all(graph), Groups{pending});
}

TEST(TaskGraph, ReadersComeAfterWritersAndWritersAfterReaders) {
  TaskGraph graph(4);
  const Group writer = graph.add({{0, {writes(10, 20)}}});
  const Group reader = graph.add({{1, {reads(19, 30)}}});
  const Group other_reader = graph.add({{2, {reads(20, 30)}}});
  const Group next_writer = graph.add({{3, {writes(25, 26)}}});
  EXPECT_EQ(start_all(graph), (Groups{writer, other_reader}));
  end(graph, writer, 0);
  EXPECT_EQ(start_all(graph), Groups{reader});
  end(graph, other_reader, 0);
  EXPECT_EQ(start_all(graph), Groups{});
  end(graph, reader, 0);
  EXPECT_EQ(start_all(graph), Groups{next_writer});
}

TEST(TaskGraph, ATaskThatHasReturnedFreesItsRankAndHoldsBackItsReaders) {
  TaskGraph graph(2);
  const Group deferred = graph.add({{0, {writes(0, 8)}}});
  const Group reader = graph.add({{1, {reads(0, 8)}}});
  const Group unrelated = graph.add({{0, {writes(8, 16)}}});
  EXPECT_EQ(start_all(graph), Groups{deferred});
  graph.note_return(deferred, 0);
  EXPECT_EQ(start_all(graph), Groups{unrelated});
  graph.note_completion(deferred, 0);
  EXPECT_EQ(start_all(graph), Groups{reader});
}

TEST(TaskGraph, HostMemoryIsCompleteWithTheWholeGroupAndWindowsWithTheTask) {
  TaskGraph graph(4);
  const Group group = graph.add({{0, {writes(0, 8)}}, {1, {writes(0, 8, 1)}}, {2, {reads(100, 108)}}});
  const Group on_host = graph.add({{3, {reads(0, 2)}}});
  const Group on_window = graph.add({{1, {writes(0, 8, 1)}}});
  const Group other_reader = graph.add({{2, {reads(100, 108)}}});
  EXPECT_EQ(start_all(graph), Groups{group});
  end(graph, group, 0);
  EXPECT_EQ(start_all(graph), Groups{});
  end(graph, group, 1);
  EXPECT_EQ(start_all(graph), Groups{on_window});
  end(graph, group, 2);
  EXPECT_EQ(start_all(graph), (Groups{on_host, other_reader}));
}

TEST(TaskGraph, NothingStartsOnRanksThatAreHeld) {
  TaskGraph graph(3);
  graph.hold({0, 1}, true);
  const Group held = graph.add({{1, {}}, {2, {}}});
  const Group free = graph.add({{2, {}}});
  EXPECT_EQ(start_all(graph), Groups{free});
  end(graph, free, 0);
  graph.hold({0, 1}, false);
  EXPECT_EQ(start_all(graph), Groups{held});
}

TEST(TaskGraph, WindowsAreToldApartByRankAndDomain) {
  TaskGraph graph(2);
  const Group first = graph.add({{0, {writes(0, 8, 1)}}});
  const Group elsewhere = graph.add({{1, {writes(0, 8, 1)}}});
  EXPECT_EQ(start_all(graph), (Groups{first, elsewhere}));
  graph.note_return(first, 0);
  graph.note_return(elsewhere, 0);
  const Group other_domain = graph.add({{0, {writes(0, 8, 2)}}});
  EXPECT_EQ(start_all(graph), Groups{other_domain});
  graph.note_return(other_domain, 0);
  const Group same = graph.add({{0, {writes(4, 5, 1)}}});
  EXPECT_EQ(start_all(graph), Groups{});
  graph.note_completion(first, 0);
  EXPECT_EQ(start_all(graph), Groups{same});
}

TEST(TaskGraph, WhatMayStartThoughSomeNeverGoOn) {
  TaskGraph graph(4);
  const Group stuck = graph.add({{0, {writes(0, 8)}}});
  graph.add({{1, {reads(0, 8)}}});  // comes after it
  graph.add({{0, {}}, {2, {}}});    // needs its rank
  const Group busy = graph.add({{3, {writes(8, 16)}}});
  EXPECT_EQ(start_all(graph), (Groups{stuck, busy}));
  graph.add({{1, {reads(8, 16)}}});  // comes after one that ends
  EXPECT_EQ(graph.may_start({true, false, false, false}), (std::vector<bool>{false, true, false, false}));
  EXPECT_EQ(graph.may_start({true, false, false, true}), (std::vector<bool>{false, false, false, false}));
  EXPECT_EQ(graph.may_start({false, false, false, false}), (std::vector<bool>{true, true, true, false}));
}

TEST(TaskGraph, ARankThatOnlyWatchesCountersMayGetWork) {
  TaskGraph graph(3);
  const Group deferred = graph.add({{0, {writes(0, 8)}}});
  const Group busy = graph.add({{1, {}}});
  EXPECT_EQ(start_all(graph), (Groups{deferred, busy}));
  graph.note_return(deferred, 0);         // rank 0 waits for a counter, which nobody may ever raise, and is free
  graph.add({{0, {}}, {1, {}}});          // needs both
  graph.add({{2, {}}, {1, {}}});          // needs the other
  graph.add({{0, {reads(0, 8)}}});        // comes after what is deferred
  EXPECT_EQ(start_all(graph), Groups{});  // rank 1 is busy
  EXPECT_EQ(graph.may_start({true, false, false}), (std::vector<bool>{true, true, true}));
  EXPECT_EQ(graph.may_start({true, true, false}), (std::vector<bool>{false, false, false}));
}

/// A program, and what must come after what, found by comparing all pairs.
struct Model {
  std::vector<std::vector<Task>> groups;
  std::vector<std::vector<Group>> after;

  [[nodiscard]] bool overlaps(const Access& a, const Access& b) const {
    return a.domain == b.domain && a.begin < b.end && b.begin < a.end;
  }
  /// Whether `later` has to wait for task `task` of `earlier`.
  [[nodiscard]] bool comes_after(Group later, Group earlier, std::size_t task) const {
    if (std::find(after[later].begin(), after[later].end(), earlier) != after[later].end()) {
      return true;
    }
    for (const Task& fresh : groups[later]) {
      for (const Access& access : fresh.accesses) {
        for (std::size_t t = 0; t < groups[earlier].size(); ++t) {
          for (const Access& other : groups[earlier][t].accesses) {
            if (!overlaps(access, other) || !(access.writes || other.writes)) {
              continue;
            }
            if (access.domain == 0 || (t == task && groups[earlier][t].rank == fresh.rank)) {
              return true;
            }
          }
        }
      }
    }
    return false;
  }
};

class RandomGraph : public testing::TestWithParam<int> {};

TEST_P(RandomGraph, StartsExactlyWhatTheModelAllows) {
  constexpr int kSeeds = 500;
  for (int i = 0; i < kSeeds; ++i) {
    const unsigned seed = static_cast<unsigned>(GetParam() * kSeeds + i);
    std::mt19937 random(seed);
    const auto draw = [&random](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    const int ranks = draw(1, 6);
    const int submissions = draw(1, 24);
    TaskGraph graph(ranks);
    Model model;
    enum class State { kWaits, kRuns, kReturned, kComplete };
    std::vector<std::vector<State>> states;
    const auto is_busy = [&](int rank) {
      for (std::size_t g = 0; g < states.size(); ++g) {
        for (std::size_t t = 0; t < states[g].size(); ++t) {
          if (states[g][t] == State::kRuns && model.groups[g][t].rank == rank) {
            return true;
          }
        }
      }
      return false;
    };
    const auto may_start = [&](Group group) {
      for (const Task& task : model.groups[group]) {
        if (is_busy(task.rank)) {
          return false;
        }
      }
      for (Group earlier = 0; earlier < group; ++earlier) {
        for (std::size_t t = 0; t < states[earlier].size(); ++t) {
          if (states[earlier][t] != State::kComplete && model.comes_after(group, earlier, t)) {
            return false;
          }
        }
      }
      return true;
    };
    const auto submit = [&] {
      std::vector<int> members(static_cast<std::size_t>(ranks));
      std::iota(members.begin(), members.end(), 0);
      std::shuffle(members.begin(), members.end(), random);
      members.resize(static_cast<std::size_t>(draw(1, ranks)));
      std::vector<Task> tasks;
      for (const int rank : members) {
        tasks.push_back({rank, {}});
        for (int a = draw(0, 3); a > 0; --a) {
          const auto begin = static_cast<std::uint64_t>(draw(1, 40));
          const auto bytes = static_cast<std::uint64_t>(draw(1, 6));
          tasks.back().accesses.push_back(
              {static_cast<std::uint64_t>(draw(0, 2)), begin, begin + bytes, draw(0, 1) == 0});
        }
      }
      std::vector<Group> after;
      if (!model.groups.empty() && draw(0, 4) == 0) {
        after.push_back(static_cast<Group>(draw(0, static_cast<int>(model.groups.size()) - 1)));
      }
      model.groups.push_back(tasks);
      model.after.push_back(after);
      states.emplace_back(tasks.size(), State::kWaits);
      graph.add(tasks, after);
    };
    while (static_cast<int>(model.groups.size()) < submissions || !graph.empty()) {
      for (;;) {  // the graph starts the first group in the order of submission that the model lets start
        std::optional<Group> expected;
        for (Group g = 0; g < states.size() && !expected; ++g) {
          if (states[g].front() == State::kWaits && may_start(g)) {
            expected = g;
          }
        }
        ASSERT_EQ(graph.ready(), expected) << "seed " << seed;
        if (!expected) {
          break;
        }
        graph.start(*expected);
        std::fill(states[*expected].begin(), states[*expected].end(), State::kRuns);
      }
      std::vector<std::pair<Group, std::size_t>> movable;
      for (Group g = 0; g < states.size(); ++g) {
        for (std::size_t t = 0; t < states[g].size(); ++t) {
          if (states[g][t] == State::kRuns || states[g][t] == State::kReturned) {
            movable.emplace_back(g, t);
          }
        }
      }
      const bool can_submit = static_cast<int>(model.groups.size()) < submissions;
      ASSERT_TRUE(can_submit || !movable.empty()) << "nobody can go on, seed " << seed;
      if (movable.empty() || (can_submit && draw(0, 1) == 0)) {
        submit();
        continue;
      }
      const auto [g, t] = movable[static_cast<std::size_t>(draw(0, static_cast<int>(movable.size()) - 1))];
      if (states[g][t] == State::kRuns) {
        graph.note_return(g, t);
        states[g][t] = State::kReturned;
      } else {
        graph.note_completion(g, t);
        states[g][t] = State::kComplete;
      }
    }
    for (Group g = 0; g < states.size(); ++g) {
      EXPECT_TRUE(graph.is_complete(g));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomGraph, testing::Range(0, 10));

}  // namespace
}  // namespace tileput::orchestration
