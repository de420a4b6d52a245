// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/machine/core.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <span>

#include "machine/on_chip.hpp"
#include "rank/waiting.hpp"

extern "C" {
__thread tileput::machine::Core* tileput_current_core __attribute__((visibility("default"))) = nullptr;
}

namespace tileput::machine {

namespace {

constexpr const char* kSpaceNames[] = {"Vec", "Mat", "Left", "Right", "Acc", "global"};

std::string shape_text(const GlobalRegion& region) {
  return fmt::format("({})", fmt::join(std::span(region.shape), ", "));
}

}  // namespace

Core& attach_default_core() {
  struct Private {
    OnChipMemory memory;
    Core core;
    Private() { memory.attach(core); }
    ~Private() {
      if (tileput_current_core == &core) {
        tileput_current_core = nullptr;
      }
    }
  };
  thread_local Private own;
  tileput_current_core = &own.core;
  return own.core;
}

void wait_slow(Core& core, const WaitTarget& target, bool (*pass)(const void* context), const void* context) {
  if (core.waiting == nullptr) {
    while (!pass(context)) {
      sched_yield();
    }
    return;
  }
  rank::WaitPoint point;
  point.expected = target.expected;
  point.compare = target.compare;
  point.word = reinterpret_cast<const std::int32_t*>(target.signals->address);
  const std::uintptr_t distance = reinterpret_cast<std::uintptr_t>(target.signals->address) - core.heap_base;
  if ((distance >> core.heap_shift) < core.heap_count) {
    point.heap = static_cast<int>(distance >> core.heap_shift);
    point.offset = distance & ((std::uintptr_t{1} << core.heap_shift) - 1);
  }
  core.waiting->until(point, pass, context);
}

const char* name_of(Opcode opcode) noexcept {
  switch (opcode) {
    case Opcode::kTload: return "TLOAD";
    case Opcode::kTstore: return "TSTORE";
    case Opcode::kTput: return "TPUT";
    case Opcode::kTget: return "TGET";
    case Opcode::kTnotify: return "TNOTIFY";
    case Opcode::kTwait: return "TWAIT";
    case Opcode::kTtest: return "TTEST";
    case Opcode::kSetFlag: return "set_flag";
    case Opcode::kWaitFlag: return "wait_flag";
    case Opcode::kPipeBarrier: return "pipe_barrier";
    case Opcode::kDcci: return "dcci";
    case Opcode::kDsb: return "dsb";
  }
  return "?";
}

void fail_on_chip(Space space, std::uint64_t offset, std::uint64_t bytes, std::uint64_t capacity) {
  throw Error(ErrorCode::kOnChipOverflow,
              fmt::format("TASSIGN: a tile of {} bytes at {:#x} does not fit into the {} bytes of {} memory", bytes,
                          offset, capacity, kSpaceNames[static_cast<int>(space)]),
              "use a smaller tile or a lower offset");
}

void fail_unbound_tile(Opcode opcode) {
  throw Error(ErrorCode::kUnboundTile, fmt::format("{} was given a tile without on-chip memory", name_of(opcode)),
              "TASSIGN the tile first");
}

void fail_shape(Opcode opcode, const GlobalRegion& target, const GlobalRegion& source) {
  throw Error(ErrorCode::kShapeMismatch,
              fmt::format("{}: shape {} does not fit {}", name_of(opcode), shape_text(target), shape_text(source)),
              opcode == Opcode::kTwait || opcode == Opcode::kTtest ? "a signal region has at least one element"
                                                                   : "give target and source the same shape");
}

void fail_tile_shape(Opcode opcode, const TileRegion& tile, const GlobalRegion& tensor) {
  throw Error(ErrorCode::kShapeMismatch,
              fmt::format("{}: a tile with {} x {} valid elements and a tensor of shape {}", name_of(opcode),
                          tile.valid_rows, tile.valid_cols, shape_text(tensor)),
              "the tile's valid rows and columns are the tensor's, see the instruction's mapping of dimensions");
}

}  // namespace tileput::machine
