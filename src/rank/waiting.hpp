// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "rank/control.hpp"
#include "rank/executor.hpp"

namespace tileput::rank {

/// How long a rank looks before it lets others run, and how long before it sleeps.
struct WaitPolicy {
  std::uint64_t spin_ns = 0;   ///< looking without a system call
  std::uint64_t yield_ns = 0;  ///< then looking between calls of sched_yield

  /// A core for each rank: spin, the peer is running. More ranks than cores: the peer can only run when we do not.
  static WaitPolicy of(int ranks, int cores) noexcept;
};

/// What is waited for, as reports show it.
struct WaitPoint {
  std::uintptr_t heap_base = 0;  ///< of this process: a report names words by their distance from it
  std::int32_t expected = 0;
  std::uint32_t compare = 0;
  const void* site = nullptr;
};

/// One block's way of waiting: spin, yield, then sleep on the rank's doorbell for at most 1 ms at a time, because not
/// everything that satisfies a wait rings (a plain store does not). See Doorbell for why no ring is lost; the blocks of
/// a rank share its doorbell, and a ring wakes all that sleep.
class Waiting {
 public:
  /// `task_failed`: set, and the rank's doorbell rung, when a block of the task fails; null: there are no others.
  /// With an `executor` it is that which waits.
  Waiting(const Control& control, int rank, WaitPolicy policy, int block = 0,
          const std::atomic<bool>* task_failed = nullptr, Executor* executor = nullptr) noexcept
      : doorbell_(control.doorbells()[rank]),
        slot_(control.slot(rank)),
        report_(control.blocks(rank)[block].wait),
        policy_(policy),
        task_failed_(task_failed),
        executor_(executor) {}

  /// From now on `between` is called after each look of a wait that sleeps. Only by the block itself.
  void use(std::function<void()> between) { between_ = std::move(between); }
  /// For what is waited for from now on. Only by the block itself, or before it starts.
  void use(WaitPolicy policy) noexcept { policy_ = policy; }

  /// The first word that does not satisfy the wait yet, null once all do; reads with sequentially consistent loads.
  using Unsatisfied = const std::int32_t* (*)(const void* context);

  /// Returns once unsatisfied(context) is null.
  /// Throws Error kAborted if the worker gives up the current run meanwhile, or another block of the task fails.
  void until(const WaitPoint& point, Unsatisfied unsatisfied, const void* context);

  /// Throws Error kAborted if the worker has given up the current run, or another block of the task has failed.
  void throw_if_aborted() const;

 private:
  Doorbell& doorbell_;
  RankSlot& slot_;
  WaitReport& report_;
  WaitPolicy policy_;
  const std::atomic<bool>* task_failed_;
  Executor* executor_;
  std::function<void()> between_;
};

}  // namespace tileput::rank
