// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "machine/phase_counter.hpp"

#include <algorithm>

#include "base/system.hpp"

namespace tileput::machine {

const char* name_of(PhaseKind kind) noexcept {
  switch (kind) {
    case PhaseKind::kPush: return "push";
    case PhaseKind::kPull: return "pull";
    case PhaseKind::kStageIn: return "stage-in";
    case PhaseKind::kCopyOut: return "copy-out";
    case PhaseKind::kLocal: return "local";
  }
  return "?";
}

PhaseCounter::Home PhaseCounter::home_of(const GlobalRegion& region) const noexcept {
  const std::uintptr_t distance = reinterpret_cast<std::uintptr_t>(region.address) - core_.heap_base;
  const std::uintptr_t heap = distance >> core_.heap_shift;
  if (heap >= static_cast<std::uintptr_t>(rank_heaps_)) {
    return Home::kElsewhere;
  }
  return static_cast<int>(heap) == own_heap_ ? Home::kOwnWindow : Home::kPeerWindow;
}

void PhaseCounter::begin_call() {
  phases_.clear();
  tiles_.clear();
  in_phase_ = notified_ = waited_ = false;
  barriers_ = notifies_ = 0;
}

void PhaseCounter::begin_beside(const PhaseCounter& first) {
  begin_call();
  if (first.in_phase_) {
    phases_.emplace_back();
    phase_start_ns_ = base::now_ns();
    in_phase_ = true;
  }
}

void PhaseCounter::end_call() {
  in_phase_ = false;
  close_barrier();
}

void PhaseCounter::merge(const PhaseCounter& other, std::size_t first_phase) {
  if (other.phases_.size() + first_phase > phases_.size()) {
    phases_.resize(other.phases_.size() + first_phase);
    in_phase_ = false;  // what this core counted last is not the last phase any more
  }
  for (std::size_t i = 0; i < other.phases_.size(); ++i) {
    Phase& phase = phases_[first_phase + i];
    const std::uint64_t longest = std::max(phase.time_ns, other.phases_[i].time_ns);
    phase.kind = std::min(phase.kind, other.phases_[i].kind);
    phase += other.phases_[i];
    phase.time_ns = longest;
  }
  notifies_ += other.notifies_;
  tiles_.insert(other.tiles_.begin(), other.tiles_.end());
}

void PhaseCounter::close_barrier() {
  barriers_ += notified_ && waited_ ? 1 : 0;
  notified_ = waited_ = false;
}

PhaseCounter::Home PhaseCounter::count_source(Phase& phase, const GlobalRegion& source) const noexcept {
  const Home home = home_of(source);
  phase.window_loads += home == Home::kElsewhere ? 0 : 1;
  phase.peer_loads += home == Home::kPeerWindow ? 1 : 0;
  return home;
}

void PhaseCounter::count_data(const Instruction& instruction) {
  Phase& phase = phases_.back();
  const auto kind = [&phase](PhaseKind wanted) { phase.kind = std::min(phase.kind, wanted); };
  switch (instruction.opcode) {
    case Opcode::kTput:
    case Opcode::kTputAsync:
    case Opcode::kTbroadcast:  // a collective is a record, and so a put or a get, for each member
    case Opcode::kTscatter:
      ++phase.puts;
      kind(PhaseKind::kPush);
      break;
    case Opcode::kTget:
    case Opcode::kTgetAsync:
    case Opcode::kTgather:
    case Opcode::kTreduce:
      ++phase.gets;
      count_source(phase, instruction.global[1]);
      kind(PhaseKind::kPull);
      break;
    case Opcode::kTload: {
      ++phase.loads;
      const Home home = count_source(phase, instruction.global[0]);
      if (home != Home::kElsewhere) {
        kind(home == Home::kPeerWindow ? PhaseKind::kPull : PhaseKind::kCopyOut);
      }
      break;
    }
    default:
      ++phase.stores;
      if (home_of(instruction.global[0]) == Home::kOwnWindow) {
        kind(PhaseKind::kStageIn);
      }
      break;
  }
  if (instruction.opcode != Opcode::kTload) {  // what a TLOAD brings, a TSTORE or the vector unit takes on
    phase.bytes += static_cast<std::uint64_t>(std::max<std::int64_t>(0, instruction.global[0].elements())) *
                   instruction.global[0].element_bytes;
  }
}

bool PhaseCounter::on_instruction(const Instruction& instruction) {
  for (int i = 0; i < instruction.tile_count; ++i) {
    tiles_.emplace(instruction.tile[i].space, instruction.tile[i].address);
  }
  switch (instruction.opcode) {
    case Opcode::kTload:
    case Opcode::kTstore:
    case Opcode::kTput:
    case Opcode::kTget:
    case Opcode::kTputAsync:
    case Opcode::kTgetAsync:
    case Opcode::kTbroadcast:
    case Opcode::kTgather:
    case Opcode::kTscatter:
    case Opcode::kTreduce: {
      if (!in_phase_) {
        close_barrier();
        phases_.emplace_back();
        phase_start_ns_ = base::now_ns();
        in_phase_ = true;
      }
      count_data(instruction);
      const bool result = instruction.run();
      phases_.back().time_ns = base::now_ns() - phase_start_ns_;
      return result;
    }
    case Opcode::kTnotify:
      in_phase_ = false;
      notified_ = true;
      ++notifies_;
      break;
    case Opcode::kTwait:
    case Opcode::kTtest:
      in_phase_ = false;
      waited_ = true;
      break;
    default: break;
  }
  return instruction.run();
}

}  // namespace tileput::machine
