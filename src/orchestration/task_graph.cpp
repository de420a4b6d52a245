// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/task_graph.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace tileput::orchestration {

namespace {

/// Ranges of one memory without overlaps, sorted.
class Ranges {
 public:
  void add(std::uint64_t begin, std::uint64_t end) { ranges_.emplace_back(begin, end); }
  void join() {
    std::sort(ranges_.begin(), ranges_.end());
    std::size_t last = 0;
    for (std::size_t i = 1; i < ranges_.size(); ++i) {
      if (ranges_[i].first <= ranges_[last].second) {
        ranges_[last].second = std::max(ranges_[last].second, ranges_[i].second);
      } else {
        ranges_[++last] = ranges_[i];
      }
    }
    ranges_.resize(ranges_.empty() ? 0 : last + 1);
  }
  [[nodiscard]] bool overlaps(std::uint64_t begin, std::uint64_t end) const {
    const auto next = std::lower_bound(ranges_.begin(), ranges_.end(), end,
                                       [](const auto& range, std::uint64_t limit) { return range.first < limit; });
    return next != ranges_.begin() && std::prev(next)->second > begin;
  }

 private:
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_;
};

/// What a group accesses, and what of it it writes, by memory: a domain with a rank, host memory with no rank.
class Footprint {
 public:
  explicit Footprint(const std::vector<TaskGraph::Task>& tasks) {
    for (const TaskGraph::Task& task : tasks) {
      for (const TaskGraph::Access& access : task.accesses) {
        Memory& memory = memories_[key_of(task.rank, access)];
        memory.all.add(access.begin, access.end);
        if (access.writes) {
          memory.written.add(access.begin, access.end);
        }
      }
    }
    for (auto& [key, memory] : memories_) {
      memory.all.join();
      memory.written.join();
    }
  }

  /// Whether an access of another group's task on `rank` is to memory in common, and one of both writes.
  [[nodiscard]] bool conflicts(int rank, const TaskGraph::Access& access) const {
    const auto memory = memories_.find(key_of(rank, access));
    return memory != memories_.end() &&
           (access.writes ? memory->second.all : memory->second.written).overlaps(access.begin, access.end);
  }

 private:
  using Key = std::pair<std::uint64_t, int>;
  struct Memory {
    Ranges all;
    Ranges written;
  };
  static Key key_of(int rank, const TaskGraph::Access& access) {
    return {access.domain, access.domain == 0 ? -1 : rank};
  }

  std::map<Key, Memory> memories_;
};

}  // namespace

void TaskGraph::collect_conflicts(const std::vector<Task>& fresh, std::vector<Place>& after) const {
  const Footprint footprint(fresh);
  for (const Group group : open_) {
    const Node& node = nodes_[group];
    bool host = false;
    std::vector<bool> windows(node.tasks.size());
    for (std::size_t task = 0; task < node.tasks.size() && !host; ++task) {
      for (const Access& access : node.tasks[task].accesses) {
        if (footprint.conflicts(node.tasks[task].rank, access)) {
          host |= access.domain == 0;
          windows[task] = true;
        }
      }
    }
    for (std::size_t task = 0; task < node.tasks.size(); ++task) {
      if (!node.complete[task] && (host || windows[task])) {
        after.push_back({group, task});
      }
    }
  }
}

TaskGraph::Group TaskGraph::add(std::vector<Task> tasks, std::span<const Group> after) {
  const Group group = nodes_.size();
  Node node;
  node.complete.resize(tasks.size());
  node.waiters.resize(tasks.size());
  node.incomplete = tasks.size();
  node.tasks = std::move(tasks);
  collect_conflicts(node.tasks, node.after);
  for (const Group earlier : after) {
    for (std::size_t task = 0; task < nodes_[earlier].tasks.size(); ++task) {
      if (!nodes_[earlier].complete[task]) {
        node.after.push_back({earlier, task});
      }
    }
  }
  std::sort(node.after.begin(), node.after.end());
  node.after.erase(std::unique(node.after.begin(), node.after.end()), node.after.end());
  node.unmet = node.after.size();
  for (const Place& place : node.after) {
    nodes_[place.group].waiters[place.task].push_back(group);
  }
  nodes_.push_back(std::move(node));
  open_.push_back(group);
  waiting_.push_back(group);
  return group;
}

std::optional<TaskGraph::Group> TaskGraph::ready() const {
  const auto can_start = [this](Group group) {
    const Node& node = nodes_[group];
    return node.unmet == 0 && std::none_of(node.tasks.begin(), node.tasks.end(), [this](const Task& task) {
             return is_busy(task.rank) || held_[static_cast<std::size_t>(task.rank)];
           });
  };
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), can_start);
  return found == waiting_.end() ? std::nullopt : std::optional(*found);
}

void TaskGraph::hold(const std::vector<int>& ranks, bool held) {
  for (const int rank : ranks) {
    held_[static_cast<std::size_t>(rank)] = held;
  }
}

void TaskGraph::start(Group group) {
  nodes_[group].started = true;
  for (const Task& task : nodes_[group].tasks) {
    busy_[static_cast<std::size_t>(task.rank)] = true;
  }
  std::erase(waiting_, group);
}

void TaskGraph::note_return(Group group, std::size_t task) {
  busy_[static_cast<std::size_t>(nodes_[group].tasks[task].rank)] = false;
}

void TaskGraph::note_completion(Group group, std::size_t task) {
  Node& node = nodes_[group];
  node.complete[task] = true;
  for (const Group waiter : node.waiters[task]) {
    --nodes_[waiter].unmet;
  }
  if (--node.incomplete == 0) {
    std::erase(open_, group);
    node = Node{};  // a run may have many
  }
}

std::vector<int> TaskGraph::ranks_of(Group group) const {
  std::vector<int> ranks;
  for (const Task& task : nodes_[group].tasks) {
    ranks.push_back(task.rank);
  }
  return ranks;
}

std::vector<bool> TaskGraph::may_start(const std::vector<bool>& stuck) const {
  std::vector<bool> ranks(busy_.size());
  std::vector<bool> can(nodes_.size());  // of those that wait
  const auto never_ends = [&](int rank) { return stuck[static_cast<std::size_t>(rank)]; };
  for (const Group group : waiting_) {
    const Node& node = nodes_[group];
    const bool has_ranks = std::none_of(node.tasks.begin(), node.tasks.end(),
                                        [&](const Task& task) { return is_busy(task.rank) && never_ends(task.rank); });
    can[group] = has_ranks && std::all_of(node.after.begin(), node.after.end(), [&](const Place& place) {
                   const Node& earlier = nodes_[place.group];
                   return earlier.incomplete == 0 || earlier.complete[place.task] ||
                          (earlier.started ? !never_ends(earlier.tasks[place.task].rank) : can[place.group]);
                 });
    for (const Task& task : node.tasks) {
      ranks[static_cast<std::size_t>(task.rank)] = ranks[static_cast<std::size_t>(task.rank)] || can[group];
    }
  }
  return ranks;
}

}  // namespace tileput::orchestration
