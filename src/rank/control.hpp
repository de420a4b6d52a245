// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The control memory of a job: one small memfd that the worker and all ranks map. It holds what must be seen without
/// a message: doorbells, who is to give up, and where each rank waits.

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "base/fd.hpp"
#include "tileput/rank/doorbell.hpp"

namespace tileput::rank {

/// Where a rank sleeps, for reports. Written by the rank, read by anybody; the fields need not be of one moment,
/// because a report is a snapshot of a rank that does not move.
struct WaitReport {
  std::atomic<std::uint32_t> sleeping{0};
  std::atomic<std::int32_t> heap{-1};    ///< whose memory the signal lies in; -1: outside every heap
  std::atomic<std::uint64_t> offset{0};  ///< of the signal in that heap, bytes
  std::atomic<std::int32_t> expected{0};
  std::atomic<std::int32_t> seen{0};      ///< value of the first word at the last look
  std::atomic<std::uint32_t> compare{0};  ///< comm::WaitCmp
};

/// One rank's lines in the control memory.
struct alignas(64) RankSlot {
  std::atomic<std::uint64_t> aborted_run{0};  ///< written by the worker: every run up to this one is to be given up
  std::atomic<std::uint64_t> current_run{0};  ///< written by the rank: the run whose task it executes
  WaitReport wait;
};
static_assert(sizeof(RankSlot) == 64);

/// Layout: Doorbell[ranks], then RankSlot[ranks].
class Control {
 public:
  /// Creates the memory for a job of `ranks`.
  static base::UniqueFd create(int ranks);
  /// Maps it.
  Control(int fd, int ranks);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  [[nodiscard]] int ranks() const noexcept { return ranks_; }
  [[nodiscard]] Doorbell* doorbells() const noexcept { return doorbells_; }
  [[nodiscard]] RankSlot& slot(int rank) const noexcept { return slots_[rank]; }

  /// Makes rank `rank` leave every wait of runs up to `run` with an error.
  void abort(int rank, std::uint64_t run) const noexcept;
  /// Forgets what a rank that no longer exists left behind. The rank must be gone.
  void reset(int rank) const noexcept;

 private:
  int ranks_;
  void* memory_;
  Doorbell* doorbells_;
  RankSlot* slots_;
};

}  // namespace tileput::rank
