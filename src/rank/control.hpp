// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The control memory of a job: one small memfd that the worker and all ranks map. It holds what must be seen without
/// a message: doorbells, who is to give up, and where each rank waits.

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/fd.hpp"
#include "rank/mailbox.hpp"
#include "tileput/rank/doorbell.hpp"
#include "tileput/rank/notify_log.hpp"

namespace tileput::rank {

/// WaitReport::compare of the counter of a deferred task: `>=` of unsigned numbers. Behind those of comm::WaitCmp.
inline constexpr std::uint32_t kCompareCounter = 6;

/// Where a block sleeps, for reports. Written by the block, read by anybody; the fields need not be of one moment,
/// because a report is a snapshot of a block that does not move.
struct WaitReport {
  std::atomic<std::uint32_t> sleeping{0};
  std::atomic<std::uint32_t> compare{0};  ///< comm::WaitCmp, or kCompareCounter
  std::atomic<std::int32_t> expected{0};
  std::atomic<std::int32_t> seen{0};       ///< value of that word at the last look
  std::atomic<std::uint64_t> word{0};      ///< the first unsatisfied word: its distance from the start of heap 0
  std::atomic<std::uint64_t> site{0};      ///< program counter of the wait (of the registration, for a counter)
  std::atomic<std::uint64_t> since_ns{0};  ///< base::now_ns() when it fell asleep
  std::atomic<std::uint64_t> episode{0};   ///< counts waits that slept
  std::atomic<std::uint64_t> looks{0};     ///< counts looks that found the wait unsatisfied
};

/// What a rank executes, for reports.
enum class Activity : std::uint32_t { kIdle, kOrchestration, kKernel, kAwaitsDebugger };

/// What a rank that dies by a signal leaves behind: written by its handler, read by the worker when the rank is gone.
struct CrashReport {
  static constexpr std::uint32_t kFramesMax = 16;
  std::atomic<std::int32_t> signal{0};  ///< 0: none
  std::atomic<std::uint32_t> frame_count{0};
  std::atomic<std::int32_t> sender{0};  ///< process that sent the signal; 0: a fault of the rank's own
  std::atomic<std::uint32_t> has_address{0};
  std::atomic<std::uint64_t> address{0};            ///< that could not be accessed (SIGSEGV, SIGBUS)
  std::atomic<std::uint64_t> frames[kFramesMax]{};  ///< program counters, innermost first
};

/// The blocks that a task can have, each with a core of its own.
inline constexpr int kBlocksMax = 64;

/// Whether a block may execute anything.
///
/// Block 0 is the rank's own thread. It runs from the rank's start on, and is off only while it has ended its part of a
/// task and waits for the others. Those run from before their threads are let go, as set by block 0, until they set
/// themselves off at their end. So no block that executes something is ever off, and as long as one block of a task has
/// not ended, none that is off comes back.
enum class BlockState : std::uint32_t { kOff, kRuns };

/// One block's lines in the control memory, written by that block but for the start (see BlockState).
struct alignas(64) BlockSlot {
  std::atomic<BlockState> state{BlockState::kOff};
  WaitReport wait;
  NotifyLog notifies;
};

/// One rank's lines in the control memory.
struct alignas(64) RankSlot {
  std::atomic<std::uint64_t> aborted_run{0};  ///< written by the worker: every run up to this one is to be given up
  // Written by the rank:
  std::atomic<std::uint64_t> heap_base{0};    ///< where heap 0 lies in its address space
  std::atomic<std::uint64_t> current_run{0};  ///< the run whose task it executes, or executed last
  std::atomic<Activity> activity{Activity::kIdle};
  std::atomic<std::int32_t> func_id{0};          ///< of the kernel, while activity is kKernel
  std::atomic<std::uint64_t> callable{0};        ///< whose task it executes
  std::atomic<std::int32_t> more_blocks{0};      ///< blocks of the task that it executes, besides block 0
  std::atomic<std::int32_t> more_blocks_max{0};  ///< the most of them so far: the slots behind are as at the start
  CrashReport crash;
};

/// Layout: Doorbell[ranks], then Mailboxes[ranks], then RankSlot[ranks], then BlockSlot[ranks][kBlocksMax], most of
/// which is never touched and takes no memory.
class Control {
 public:
  /// Creates the memory for a job of `ranks`. The name only shows in /proc, beside the descriptor.
  static base::UniqueFd create(int ranks, const char* name = "tileput-control");
  /// Maps it; with `read_only`, only to look at.
  Control(int fd, int ranks, bool read_only = false);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  [[nodiscard]] int ranks() const noexcept { return ranks_; }
  [[nodiscard]] Doorbell* doorbells() const noexcept { return doorbells_; }
  [[nodiscard]] Mailboxes& mailboxes(int rank) const noexcept { return mailboxes_[rank]; }
  [[nodiscard]] RankSlot& slot(int rank) const noexcept { return slots_[rank]; }
  /// One slot for each block of a rank, kBlocksMax of them.
  [[nodiscard]] BlockSlot* blocks(int rank) const noexcept {
    return blocks_ + static_cast<std::ptrdiff_t>(rank) * kBlocksMax;
  }
  /// How many of them were ever used.
  [[nodiscard]] int blocks_used(int rank) const noexcept {
    return 1 + slots_[rank].more_blocks_max.load(std::memory_order_acquire);  // pairs with the store in BlockTeam
  }

  /// Makes rank `rank` leave every wait of runs up to `run` with an error.
  void abort(int rank, std::uint64_t run) const noexcept;
  /// Forgets what a rank that no longer exists left behind. The rank must be gone.
  void reset(int rank) const noexcept;

 private:
  int ranks_;
  void* memory_;
  Doorbell* doorbells_;
  Mailboxes* mailboxes_;
  RankSlot* slots_;
  BlockSlot* blocks_;
};

}  // namespace tileput::rank
