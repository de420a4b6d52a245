// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The counting observer: what a call moved, between which barriers, and how long it took.

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "tileput/machine/core.hpp"
#include "tileput/machine/instruction.hpp"

namespace tileput::machine {

/// Where the data of a phase came from and went to. The first that applies names the phase.
enum class PhaseKind : std::uint8_t {
  kPush,     ///< has a put
  kPull,     ///< has a get, or a TLOAD from another rank's window
  kStageIn,  ///< has a TSTORE into the own window
  kCopyOut,  ///< has a TLOAD from the own window
  kLocal,    ///< touches no window
};
const char* name_of(PhaseKind kind) noexcept;

/// A maximal run of data instructions without a signal instruction between them.
struct Phase {
  PhaseKind kind = PhaseKind::kLocal;
  std::uint64_t puts = 0;  ///< TPUT and TPUT_ASYNC; TBROADCAST and TSCATTER once for each member
  std::uint64_t gets = 0;  ///< TGET and TGET_ASYNC; TGATHER and TREDUCE once for each member
  std::uint64_t loads = 0;
  std::uint64_t stores = 0;
  std::uint64_t window_loads = 0;  ///< TLOADs and gets from a window of any rank
  std::uint64_t peer_loads = 0;    ///< those of them from another rank's window
  std::uint64_t bytes = 0;
  std::uint64_t time_ns = 0;

  /// Adds the counts of a later phase; the kind stays.
  Phase& operator+=(const Phase& later) noexcept {
    puts += later.puts;
    gets += later.gets;
    loads += later.loads;
    stores += later.stores;
    window_loads += later.window_loads;
    peer_loads += later.peer_loads;
    bytes += later.bytes;
    time_ns += later.time_ns;
    return *this;
  }

  /// Remote reads: all window loads of a phase that reads any peer's window, whatever else it does. The own window is
  /// one of its sources like any other, as the own slot is one of the targets of a push.
  [[nodiscard]] std::uint64_t remote_loads() const noexcept { return peer_loads > 0 ? window_loads : 0; }
};

/// Runs every effect at once and counts it. Attach to a core whose rank owns heap `own_heap`.
class PhaseCounter final : public Observer {
 public:
  PhaseCounter(const Core& core, int own_heap, int rank_heaps) noexcept
      : core_(core), own_heap_(own_heap), rank_heaps_(rank_heaps) {}

  bool on_instruction(const Instruction& instruction) override;

  /// Forgets everything; what follows is a new call.
  void begin_call();
  /// The same for another core of the task: what it does first counts for the phase that `first` has open, if any.
  void begin_beside(const PhaseCounter& first);
  /// Closes the open phase or barrier.
  void end_call();

  /// The phase that a data instruction now would count for.
  [[nodiscard]] std::size_t open_phase() const noexcept { return phases_.size() - (in_phase_ ? 1 : 0); }
  /// Adds what another core did at the same time from `first_phase` on: its phase i is phase `first_phase` + i. Counts
  /// add up, the time of a phase is that of the core that took longest, barriers stay those of this core.
  void merge(const PhaseCounter& other, std::size_t first_phase);

  [[nodiscard]] const std::vector<Phase>& phases() const noexcept { return phases_; }
  [[nodiscard]] std::uint64_t barriers() const noexcept { return barriers_; }
  [[nodiscard]] std::uint64_t notifies() const noexcept { return notifies_; }
  [[nodiscard]] std::uint64_t tiles() const noexcept { return tiles_.size(); }

 private:
  enum class Home : std::uint8_t { kElsewhere, kOwnWindow, kPeerWindow };
  [[nodiscard]] Home home_of(const GlobalRegion& region) const noexcept;
  void count_data(const Instruction& instruction);
  Home count_source(Phase& phase, const GlobalRegion& source) const noexcept;
  void close_barrier();

  const Core& core_;
  int own_heap_;
  int rank_heaps_;
  std::vector<Phase> phases_;
  bool in_phase_ = false;
  std::uint64_t phase_start_ns_ = 0;
  bool notified_ = false;
  bool waited_ = false;
  std::uint64_t barriers_ = 0;
  std::uint64_t notifies_ = 0;
  std::set<std::pair<Space, const std::byte*>> tiles_;
};

}  // namespace tileput::machine
