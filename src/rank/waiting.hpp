// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "rank/control.hpp"

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
  int heap = -1;
  std::uint64_t offset = 0;
  std::int32_t expected = 0;
  std::uint32_t compare = 0;
  const std::int32_t* word = nullptr;
};

/// One rank's way of waiting: spin, yield, then sleep on the rank's doorbell for at most 1 ms at a time, because not
/// everything that satisfies a wait rings (a plain store does not). See Doorbell for why no ring is lost.
class Waiting {
 public:
  Waiting(const Control& control, int rank, WaitPolicy policy) noexcept
      : doorbell_(control.doorbells()[rank]), slot_(control.slot(rank)), policy_(policy) {}

  /// Returns once pass(context) is true; pass reads the awaited words with sequentially consistent loads.
  /// Throws Error kAborted if the worker gives up the current run meanwhile.
  void until(const WaitPoint& point, bool (*pass)(const void* context), const void* context);

  void begin_run(std::uint64_t run) noexcept { slot_.current_run.store(run, std::memory_order_relaxed); }

 private:
  void throw_if_aborted() const;

  Doorbell& doorbell_;
  RankSlot& slot_;
  WaitPolicy policy_;
};

}  // namespace tileput::rank
