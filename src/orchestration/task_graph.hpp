// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which submissions of a run may start. Knows nothing of ranks but their numbers.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tileput::orchestration {

/// Groups of tasks, one task a rank, in the order of submission.
///
/// A group starts as a whole, when every rank of it is free and everything that it comes after is complete. It comes
/// after the tasks of earlier groups that access memory in common with it where one of both writes, and after the
/// groups it names. Nothing else orders groups: a later one may start before an earlier one that still waits. So a
/// group that waits holds no rank, and where no task waits inside a kernel for a later submission, the first group that
/// has not started always can once everything running ends: there is no cycle, because a group only comes after earlier
/// ones.
///
/// Windows are told apart by rank: a task on one rank does not wait for tasks of others that name the same buffer.
/// Host memory is complete for later groups when the whole group is, because outputs are written back then.
class TaskGraph {
 public:
  /// A range of host memory (`domain` 0, addresses), or of the task's own window in a domain (offsets).
  struct Access {
    std::uint64_t domain = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool writes = false;
  };
  struct Task {
    int rank = 0;
    std::vector<Access> accesses;
  };
  using Group = std::size_t;  ///< 0, 1, ... in the order of add()
  struct Place {
    Group group;
    std::size_t task;
    bool operator==(const Place&) const = default;
    auto operator<=>(const Place&) const = default;
  };

  explicit TaskGraph(int ranks) : busy_(static_cast<std::size_t>(ranks)), held_(static_cast<std::size_t>(ranks)) {}

  /// Adds a group with each rank at most once. `after`: earlier groups.
  Group add(std::vector<Task> tasks, std::span<const Group> after = {});
  /// The first group in the order of submission that can start now; nullopt: none.
  [[nodiscard]] std::optional<Group> ready() const;
  /// While ranks are held, no group starts on them.
  void hold(const std::vector<int>& ranks, bool held);
  /// Its ranks are busy from now on.
  void start(Group group);
  /// The rank of this task is free again.
  void note_return(Group group, std::size_t task);
  /// What comes after this task may start, as far as it is concerned. After note_return().
  void note_completion(Group group, std::size_t task);

  [[nodiscard]] bool is_complete(Group group) const { return nodes_[group].incomplete == 0; }
  /// Whether all groups are complete.
  [[nodiscard]] bool empty() const noexcept { return open_.empty(); }
  /// Groups that have not started, in the order of submission.
  [[nodiscard]] const std::vector<Group>& waiting() const noexcept { return waiting_; }
  /// Of a group that is not complete.
  [[nodiscard]] std::vector<int> ranks_of(Group group) const;
  /// The tasks that the group, which is not complete, comes after and that were not complete when it was added.
  [[nodiscard]] const std::vector<Place>& after(Group group) const { return nodes_[group].after; }
  [[nodiscard]] bool is_busy(int rank) const { return busy_[static_cast<std::size_t>(rank)]; }

  /// Ranks on which groups that wait could still start if the tasks of the ranks in `stuck` never ended. A rank of
  /// these that is not busy takes new work: it waits for nothing but the counters of tasks that have returned.
  [[nodiscard]] std::vector<bool> may_start(const std::vector<bool>& stuck) const;

 private:
  /// Nothing is left of one that is complete.
  struct Node {
    std::vector<Task> tasks;
    std::vector<bool> complete;               ///< by task
    std::vector<std::vector<Group>> waiters;  ///< by task: groups that come after it
    std::vector<Place> after;                 ///< what was incomplete when the group was added
    std::size_t unmet = 0;                    ///< of `after`, those that are incomplete still
    std::size_t incomplete = 0;
    bool started = false;
  };

  void collect_conflicts(const std::vector<Task>& fresh, std::vector<Place>& after) const;

  std::vector<Node> nodes_;
  std::vector<Group> open_;     ///< not complete, in the order of submission
  std::vector<Group> waiting_;  ///< of these, not started
  std::vector<bool> busy_;      ///< by rank
  std::vector<bool> held_;      ///< by rank
};

}  // namespace tileput::orchestration
