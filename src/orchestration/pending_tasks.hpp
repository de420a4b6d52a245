// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Deferred completion (spec section 17.4): tasks whose kernel has returned and whose counters have not all risen yet.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "rank/waiting.hpp"

class CoreTaskArgs;
struct ChipTensor;

namespace tileput::orchestration {

/// A counter that somebody raises, as unsigned number, to at least `expected`.
struct CompletionCondition {
  const std::int32_t* counter = nullptr;
  std::uint32_t expected = 0;
  const void* site = nullptr;  ///< program counter of the registration

  /// The counter, if it has not risen so far: for rank::Waiting, with a sequentially consistent load. Null acquires
  /// what was stored before the counter was raised.
  [[nodiscard]] const std::int32_t* unmet() const noexcept {
    return static_cast<std::uint32_t>(__atomic_load_n(counter, __ATOMIC_SEQ_CST)) >= expected ? nullptr : counter;
  }
};

/// What the blocks of one task register; LocalContext points to it.
class CompletionConditions {
 public:
  static constexpr std::uint32_t kConditionsMax = 64;

  /// By any block. Errors: kBadArgument when there are kConditionsMax.
  void add(const CompletionCondition& condition);

  /// By the rank's thread, while no block runs.
  void clear() noexcept { count_.store(0, std::memory_order_relaxed); }
  [[nodiscard]] std::span<const CompletionCondition> all() const noexcept {
    return {list_.data(),
            std::min(count_.load(std::memory_order_relaxed), kConditionsMax)};  // refused ones counted, too
  }

 private:
  std::atomic<std::uint32_t> count_{0};
  std::array<CompletionCondition, kConditionsMax> list_;
};

/// What a core task is submitted with: its arguments, and all of its tensors, the runtime-allocated ones included.
struct TaskArguments {
  const CoreTaskArgs& args;
  std::span<const ChipTensor* const> tensors;
};

/// The pending tasks of a rank. A task is pending from its kernels' return until all its counters were seen high
/// enough, each once, in the order of registration; seeing one is an acquire, for whatever the rank runs next.
///
/// A pending task has no pending predecessors: those were waited for before it started. So whoever depends on it waits
/// for it alone.
class PendingTasks {
 public:
  static constexpr std::size_t kTasksMax = 4096;

  [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }
  /// Whether a tensor or a counter of one of them lies in that memory.
  [[nodiscard]] bool names(std::uintptr_t begin, std::uintptr_t end) const noexcept;

  /// From now on `await` waits for a counter, and is asked to for each, also for those that are high enough already.
  void use(std::function<void(const CompletionCondition&)> await) { await_ = std::move(await); }

  /// Where kTasksMax are pending, the first of them is waited for. Throws Error kAborted as rank::Waiting.
  void add(std::uint64_t id, const TaskArguments& arguments, std::span<const CompletionCondition> conditions,
           rank::Waiting& waiting, std::uintptr_t heap_base);
  /// The conditions that were not met when looked at last; forgets the tasks.
  std::vector<CompletionCondition> take_unmet();

  /// Waits for the pending tasks that a task with these arguments depends on: those that it names, and those with a
  /// tensor that shares memory with one of its own where at least one of both writes it; add_no_dep() tensors, and
  /// those with manual_dep, do not count. Throws Error kAborted as rank::Waiting.
  void await_predecessors(const TaskArguments& arguments, rank::Waiting& waiting, std::uintptr_t heap_base);
  /// The same for an access by the orchestration, which has no other way to say what it depends on: tensors with
  /// manual_dep count.
  void await_access(std::uintptr_t begin, std::uintptr_t end, bool writes, rank::Waiting& waiting,
                    std::uintptr_t heap_base);
  /// Waits for all, in the order of submission. Throws as await_predecessors().
  void await_all(rank::Waiting& waiting, std::uintptr_t heap_base);

 private:
  /// Whose accesses wait for whose.
  enum class Order : std::uint8_t {
    kAutomatic,  ///< tasks' and the orchestration's
    kManual,     ///< the orchestration's
    kNone,
  };
  /// A tensor as a task accesses it: the bytes from its first to its last element.
  struct Access {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    bool writes = false;
    Order order = Order::kAutomatic;
    [[nodiscard]] bool overlaps(std::uintptr_t other_begin, std::uintptr_t other_end) const noexcept {
      return begin < other_end && other_begin < end;
    }
  };
  struct Task {
    std::uint64_t id = 0;
    std::vector<Access> accesses;
    std::vector<CompletionCondition> conditions;
    std::size_t met = 0;  ///< of `conditions`, from the front
  };

  static std::vector<Access> accesses_of(const TaskArguments& arguments);
  static bool depends(const Task& earlier, const CoreTaskArgs& args, const std::vector<Access>& accesses);
  /// Goes past the conditions that are met; whether all are.
  bool advance(Task& task) const noexcept;
  void await(Task& task, rank::Waiting& waiting, std::uintptr_t heap_base) const;

  std::function<void(const CompletionCondition&)> await_;  // empty: waits as rank::Waiting does
  std::vector<Task> tasks_;                                // in the order of submission
};

}  // namespace tileput::orchestration
