// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/task_graph.hpp"

#include <algorithm>
#include <utility>

namespace tileput::orchestration {

bool TaskGraph::conflicts(int rank, const Access& earlier, const Node& fresh) noexcept {
  return std::any_of(fresh.tasks.begin(), fresh.tasks.end(), [&](const Task& task) {
    return (earlier.domain == 0 || rank == task.rank) &&
           std::any_of(task.accesses.begin(), task.accesses.end(), [&earlier](const Access& access) {
             return (earlier.writes || access.writes) && earlier.domain == access.domain &&
                    earlier.begin < access.end && access.begin < earlier.end;
           });
  });
}

void TaskGraph::find_areas(Node& node) {
  std::vector<Access*> host;
  for (Task& task : node.tasks) {
    for (Access& access : task.accesses) {
      if (access.domain == 0) {
        host.push_back(&access);
      }
    }
  }
  std::sort(host.begin(), host.end(), [](const Access* a, const Access* b) { return a->begin < b->begin; });
  std::uint64_t end = 0;  // of the area
  for (Access* const access : host) {
    if (access->begin >= end) {
      ++node.areas;
    }
    access->area = node.areas - 1;
    end = std::max(end, access->end);
  }
}

void TaskGraph::collect_conflicts(const Node& fresh, std::vector<Place>& after) const {
  for (const Group group : open_) {
    const Node& node = nodes_[group];
    std::vector<bool> areas(node.areas);  // in conflict
    std::vector<bool> tasks(node.tasks.size());
    for (std::size_t task = 0; task < node.tasks.size(); ++task) {
      for (const Access& access : node.tasks[task].accesses) {
        if (conflicts(node.tasks[task].rank, access, fresh)) {
          (access.domain == 0 ? areas[access.area] : tasks[task]) = true;
        }
      }
    }
    for (std::size_t task = 0; task < node.tasks.size(); ++task) {
      const std::vector<Access>& accesses = node.tasks[task].accesses;
      const bool has_area = std::any_of(accesses.begin(), accesses.end(), [&areas](const Access& access) {
        return access.domain == 0 && areas[access.area];
      });
      if (!node.complete[task] && (tasks[task] || has_area)) {
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
  find_areas(node);
  collect_conflicts(node, node.after);
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
    return node.unmet == 0 &&
           std::none_of(node.tasks.begin(), node.tasks.end(), [this](const Task& task) { return is_busy(task.rank); });
  };
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), can_start);
  return found == waiting_.end() ? std::nullopt : std::optional(*found);
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
    for (Task& done : node.tasks) {
      done.accesses = {};
    }
    node.waiters = {};
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
                   return earlier.complete[place.task] ||
                          (earlier.started ? !never_ends(earlier.tasks[place.task].rank) : can[place.group]);
                 });
    for (const Task& task : node.tasks) {
      ranks[static_cast<std::size_t>(task.rank)] = ranks[static_cast<std::size_t>(task.rank)] || can[group];
    }
  }
  return ranks;
}

}  // namespace tileput::orchestration
