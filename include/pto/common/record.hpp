// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How an instruction becomes a record for an observer. Internal.
///
/// Every function here is out of line and cold: an instruction without an observer pays one test. Callers pass freshly
/// made regions, so that the regions of the direct path never need an address and stay in registers.

#include <cstddef>
#include <cstdint>

#include "pto/common/type.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/instruction.hpp"

namespace pto::tileput_detail {

namespace machine = ::tileput::machine;

/// The native action of a record; see machine::Instruction::execute.
using Execute = bool (*)(const machine::Instruction& self, machine::Pieces pieces);

/// The observer of the calling thread's core, without giving a core to a thread that has none.
PTO_INTERNAL machine::Observer* current_observer() noexcept {
  const machine::Core* const core = machine::tileput_current_core;
  return core != nullptr ? core->observer : nullptr;
}

/// kTload, kTstore: `mode` is a store's AtomicType.
[[gnu::noinline, gnu::cold]] inline void observe_tile(machine::Observer& observer, machine::Opcode opcode,
                                                      Execute execute, const void* site,
                                                      const machine::GlobalRegion& tensor,
                                                      const machine::TileRegion& tile, std::int64_t mode = 0) {
  machine::Instruction record;
  record.opcode = opcode;
  record.global_count = 1;
  record.tile_count = 1;
  record.site = site;
  record.global[0] = tensor;
  record.tile[0] = tile;
  record.immediate[0] = mode;
  record.execute = execute;
  observer.on_instruction(record);
}

/// Instructions between tiles: `tiles` by role as machine::Instruction lists them.
template <int kTiles>
[[gnu::noinline, gnu::cold]] void observe_tiles(machine::Observer& observer, machine::Opcode opcode, Execute execute,
                                                const void* site, const machine::TileRegion (&tiles)[kTiles],
                                                std::int64_t first = 0, std::int64_t second = 0) {
  machine::Instruction record;
  record.opcode = opcode;
  record.tile_count = kTiles;
  record.site = site;
  for (int i = 0; i < kTiles; ++i) {
    record.tile[i] = tiles[i];
  }
  record.immediate[0] = first;
  record.immediate[1] = second;
  record.execute = execute;
  observer.on_instruction(record);
}

/// What the record of a copy says besides its operands; immediates as machine::Instruction lists them.
struct CopyRecord {
  machine::Opcode opcode;
  Execute execute;
  const void* site;
  std::int64_t piece_count = 1;
  std::int64_t immediate[3] = {};
};

/// kTput, kTget, kTputAsync, kTgetAsync, and one member of kTbroadcast, kTgather, kTscatter and kTreduce.
template <class... Tiles>
[[gnu::noinline, gnu::cold]] void observe_copy(machine::Observer& observer, const CopyRecord& what,
                                               const machine::GlobalRegion& target, const machine::GlobalRegion& source,
                                               const Tiles&... tiles) {
  machine::Instruction record;
  record.opcode = what.opcode;
  record.global_count = 2;
  record.tile_count = sizeof...(tiles);
  record.site = what.site;
  record.global[0] = target;
  record.global[1] = source;
  [[maybe_unused]] int next = 0;
  ((record.tile[next++] = tiles), ...);
  for (int i = 0; i < 3; ++i) {
    record.immediate[i] = what.immediate[i];
  }
  record.piece_count = what.piece_count;
  record.execute = what.execute;
  observer.on_instruction(record);
}

/// kAsyncWait, kAsyncTest: the observer's answer.
[[gnu::noinline, gnu::cold]] inline bool observe_async(machine::Observer& observer, machine::Opcode opcode,
                                                       Execute execute, const void* site, std::uint64_t handle) {
  machine::Instruction record;
  record.opcode = opcode;
  record.site = site;
  record.immediate[0] = static_cast<std::int64_t>(handle);
  record.execute = execute;
  return observer.on_instruction(record);
}

/// kTnotify, kTwait, kTtest: `mode` is the NotifyOp or WaitCmp.
[[gnu::noinline, gnu::cold]] inline bool observe_signal(machine::Observer& observer, machine::Opcode opcode,
                                                        Execute execute, const void* site,
                                                        const machine::GlobalRegion& signals, std::int64_t value,
                                                        std::int64_t mode) {
  machine::Instruction record;
  record.opcode = opcode;
  record.global_count = 1;
  record.site = site;
  record.global[0] = signals;
  record.immediate[0] = value;
  record.immediate[1] = mode;
  record.execute = execute;
  return observer.on_instruction(record);
}

/// Instructions without data: kSetFlag, kWaitFlag, kPipeBarrier, kDcci (with the address of the line), kDsb.
[[gnu::noinline, gnu::cold]] inline void observe_control(machine::Observer& observer, machine::Opcode opcode,
                                                         Execute execute, const void* site, const volatile void* line,
                                                         std::int64_t first = 0, std::int64_t second = 0,
                                                         std::int64_t third = 0) {
  machine::Instruction record;
  record.opcode = opcode;
  record.site = site;
  if (opcode == machine::Opcode::kDcci) {
    record.global_count = 1;
    record.global[0].address = static_cast<std::byte*>(const_cast<void*>(line));
  }
  record.immediate[0] = first;
  record.immediate[1] = second;
  record.immediate[2] = third;
  record.execute = execute;
  observer.on_instruction(record);
}

/// kStDev, kLdDev: `value` is the value to store, or the address of the one to fill.
[[gnu::noinline, gnu::cold]] inline void observe_word(machine::Observer& observer, machine::Opcode opcode,
                                                      Execute execute, const void* site, std::uint32_t* word,
                                                      std::int64_t value) {
  machine::Instruction record;
  record.opcode = opcode;
  record.global_count = 1;
  record.site = site;
  record.global[0].address = reinterpret_cast<std::byte*>(word);
  record.global[0].element = machine::Element::kU32;
  record.global[0].element_bytes = sizeof(*word);
  record.immediate[0] = value;
  record.execute = execute;
  observer.on_instruction(record);
}

}  // namespace pto::tileput_detail
