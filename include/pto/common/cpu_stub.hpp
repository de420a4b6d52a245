// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Pipe, flag, event and cache intrinsics (spec section 7), all at global scope.
///
/// Natively every instruction is complete for its own core when it returns, so flags have nothing to do and barriers
/// only keep the compiler from moving accesses. They are instructions all the same: an observer sees each of them.
/// The host stubs of spec section 1.6 are in host_stub.hpp.

#include <cstdint>

#include "pto/common/host_stub.hpp"
#include "pto/common/record.hpp"
#include "pto/common/type.hpp"
#include "tileput/machine/core.hpp"

using pipe_t = int;
using event_t = int;

inline constexpr pipe_t PIPE_S = 0;
inline constexpr pipe_t PIPE_V = 1;
inline constexpr pipe_t PIPE_MTE1 = 2;
inline constexpr pipe_t PIPE_MTE2 = 3;
inline constexpr pipe_t PIPE_MTE3 = 4;
inline constexpr pipe_t PIPE_M = 5;
inline constexpr pipe_t PIPE_ALL = 6;
inline constexpr pipe_t PIPE_FIX = 7;

inline constexpr event_t EVENT_ID0 = 0;
inline constexpr event_t EVENT_ID1 = 1;
inline constexpr event_t EVENT_ID2 = 2;
inline constexpr event_t EVENT_ID3 = 3;
inline constexpr event_t EVENT_ID4 = 4;
inline constexpr event_t EVENT_ID5 = 5;
inline constexpr event_t EVENT_ID6 = 6;
inline constexpr event_t EVENT_ID7 = 7;

/// What dcci cleans and invalidates. Unscoped: kernels use both the qualified and the bare names.
enum cache_line_t { SINGLE_CACHE_LINE = 0, ENTIRE_DATA_CACHE = 1 };
enum dcci_dst_t { CACHELINE_OUT = 0 };

inline constexpr int DSB_DDR = 0;
inline constexpr int DSB_ALL = 1;
inline constexpr int DSB_UB = 2;

namespace pto::tileput_detail {

PTO_INTERNAL void compiler_barrier() noexcept { __asm__ volatile("" ::: "memory"); }

inline bool execute_nothing(const machine::Instruction& /*self*/, machine::Pieces /*pieces*/) { return true; }
inline bool execute_compiler_barrier(const machine::Instruction& /*self*/, machine::Pieces /*pieces*/) {
  compiler_barrier();
  return true;
}
inline bool execute_full_fence(const machine::Instruction& /*self*/, machine::Pieces /*pieces*/) {
  machine::full_fence();
  return true;
}

PTO_INTERNAL std::uint32_t* word_at(std::uint32_t* address, int offset) noexcept {
  return reinterpret_cast<std::uint32_t*>(reinterpret_cast<std::uintptr_t>(address) +
                                          static_cast<std::uintptr_t>(std::intptr_t{offset}));
}

/// Sequentially consistent, because ring_owner() needs it so. A thread without a core has nobody to wake.
PTO_INTERNAL void store_word(std::uint32_t* word, std::uint32_t value) noexcept {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
  if (const machine::Core* const core = machine::tileput_current_core; core != nullptr) {
    machine::ring_owner(*core, word);
  }
}
inline bool execute_store_word(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  store_word(reinterpret_cast<std::uint32_t*>(self.global[0].address), static_cast<std::uint32_t>(self.immediate[0]));
  return true;
}
inline bool execute_load_word(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  *reinterpret_cast<std::uint32_t*>(self.immediate[0]) =
      __atomic_load_n(reinterpret_cast<const std::uint32_t*>(self.global[0].address), __ATOMIC_ACQUIRE);
  return true;
}

}  // namespace pto::tileput_detail

/// Raises event `id` for pipe `to` when pipe `from` has drained what was issued so far. Paired with wait_flag.
///
/// Effect:     natively none: what an instruction did is done when it returns.
/// Ordering:   between pipes of this core only.
/// Completion: does not wait.
/// Errors:     none.
/// Source:     spec section 7.2.
///
/// Example:
///     float memory[8] = {1, 2, 3, 4, 5, 6, 7, 8};
///     using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 4>, pto::Stride<4, 4, 4, 4, 1>>;
///     Row source(memory);
///     Row target(memory + 4);
///     pto::Tile<pto::TileType::Vec, float, 1, 8, pto::BLayout::RowMajor, 1, 4> tile;
///     pto::TASSIGN(tile, 0x0);
///     pto::TLOAD(tile, source);
///     set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);  // the load engine is done with the tile,
///     wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);  // so the store engine may read it
///     pto::TSTORE(target, tile);
///     assert(memory[7] == 4.0F);
PTO_INST void set_flag(pipe_t from, pipe_t to, event_t id) {
  namespace detail = pto::tileput_detail;
  if (auto* const observer = detail::current_observer(); __builtin_expect(observer != nullptr, 0)) {
    detail::observe_control(*observer, detail::machine::Opcode::kSetFlag, &detail::execute_nothing,
                            detail::machine::site(), nullptr, from, to, id);
  }
}

/// Holds pipe `to` until pipe `from` raised event `id`; in all else as set_flag.
PTO_INST void wait_flag(pipe_t from, pipe_t to, event_t id) {
  namespace detail = pto::tileput_detail;
  if (auto* const observer = detail::current_observer(); __builtin_expect(observer != nullptr, 0)) {
    detail::observe_control(*observer, detail::machine::Opcode::kWaitFlag, &detail::execute_nothing,
                            detail::machine::site(), nullptr, from, to, id);
  }
}

/// Drains a pipe (PIPE_ALL: every pipe).
///
/// Effect:     changes no memory.
/// Ordering:   portable: everything that the pipe was given before is done. Natively that holds anyway; the compiler
///             moves no memory access across it. It is no fence towards other ranks: dsb is.
/// Completion: the pipe is drained on return.
/// Errors:     none.
/// Source:     spec section 7.2.
///
/// Example:
///     int32_t payload[2] = {4, 0};
///     payload[1] = payload[0] + 1;
///     pipe_barrier(PIPE_ALL);  // drained: transfers and stores of this core are done
///     dsb(DSB_DDR);            // fenced: other ranks see them before what follows
///     assert(payload[1] == 5);
PTO_INST void pipe_barrier(pipe_t pipe) {
  namespace detail = pto::tileput_detail;
  if (auto* const observer = detail::current_observer(); __builtin_expect(observer != nullptr, 0)) {
    detail::observe_control(*observer, detail::machine::Opcode::kPipeBarrier, &detail::execute_compiler_barrier,
                            detail::machine::site(), nullptr, pipe);
    return;
  }
  detail::compiler_barrier();
}

/// Cleans and invalidates the cache line of `address`, or the whole data cache.
///
/// Effect:     natively none: caches are coherent.
/// Ordering:   portable: a scalar load after it sees what was there when it began. Kernels need it between a TWAIT and
///             scalar loads of what a peer wrote. The compiler moves no memory access across it.
/// Completion: on return.
/// Errors:     none; any address will do.
/// Source:     spec sections 7.2 and 7.3.
///
/// Example:
///     int32_t table[16] = {};
///     table[3] = 8;
///     dcci(&table[3], cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
///     dcci(table, ENTIRE_DATA_CACHE);
///     assert(table[3] == 8);
PTO_INST void dcci(const volatile void* address, int kind, int destination) {
  namespace detail = pto::tileput_detail;
  if (auto* const observer = detail::current_observer(); __builtin_expect(observer != nullptr, 0)) {
    detail::observe_control(*observer, detail::machine::Opcode::kDcci, &detail::execute_compiler_barrier,
                            detail::machine::site(), address, kind, destination);
    return;
  }
  detail::compiler_barrier();
}
PTO_INST void dcci(const volatile void* address, int kind) { dcci(address, kind, CACHELINE_OUT); }

/// Data-synchronisation barrier: earlier memory accesses of this core are performed before later ones.
///
/// Effect:     changes no memory.
/// Ordering:   a full fence, whatever the kind (DSB_DDR, DSB_ALL, DSB_UB). pipe_barrier before it, as a fence orders
///             only what has left its pipe.
/// Completion: on return.
/// Errors:     none.
/// Source:     spec sections 7.2 and 7.3.
PTO_INST void dsb(int kind) {
  namespace detail = pto::tileput_detail;
  if (auto* const observer = detail::current_observer(); __builtin_expect(observer != nullptr, 0)) {
    detail::observe_control(*observer, detail::machine::Opcode::kDsb, &detail::execute_full_fence,
                            detail::machine::site(), nullptr, kind);
    return;
  }
  detail::machine::full_fence();
}

/// Uncached scalar store of one word. Wakes the rank that owns the word, should it sleep in a TWAIT on it.
///
/// Shapes:     one aligned 32-bit word; `offset` is in bytes.
/// Ordering:   sequentially consistent; pairs with the acquire in ld_dev and the loads of TWAIT and TTEST.
/// Completion: the word is changed on return.
/// Errors:     none: addresses are not checked, as for plain stores.
/// Source:     spec section 7.2.
///
/// Example:
///     uint32_t words[2] = {1, 2};
///     st_dev(7, words, 4);
///     assert(words[0] == 1 && words[1] == 7);
///     assert(ld_dev(words, 4) == 7);
PTO_INST void st_dev(std::uint32_t value, std::uint32_t* address, int offset) {
  namespace detail = pto::tileput_detail;
  auto* const word = detail::word_at(address, offset);
  if (auto* const observer = detail::current_observer(); __builtin_expect(observer != nullptr, 0)) {
    detail::observe_word(*observer, detail::machine::Opcode::kStDev, &detail::execute_store_word,
                         detail::machine::site(), word, value);
    return;
  }
  detail::store_word(word, value);
}

/// Uncached scalar load of one word; in all else as st_dev.
///
/// Ordering:   acquires; pairs with the release in st_dev and TNOTIFY.
PTO_INST std::uint32_t ld_dev(std::uint32_t* address, int offset) {
  namespace detail = pto::tileput_detail;
  auto* const word = detail::word_at(address, offset);
  if (auto* const observer = detail::current_observer(); __builtin_expect(observer != nullptr, 0)) {
    std::uint32_t value = 0;
    detail::observe_word(*observer, detail::machine::Opcode::kLdDev, &detail::execute_load_word,
                         detail::machine::site(), word, reinterpret_cast<std::intptr_t>(&value));
    return value;
  }
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/// Which block of its task this core runs, of how many; 0 of 1 unless the runtime set it. intrinsic.h has the forms
/// that read a kernel's arguments.
///
/// Source:     spec sections 7.2 and 17.3.
PTO_INST std::int32_t get_block_idx() noexcept {
  const auto* const core = tileput::machine::tileput_current_core;
  return core != nullptr ? core->block_index : 0;
}
PTO_INST std::int32_t get_block_num() noexcept {
  const auto* const core = tileput::machine::tileput_current_core;
  return core != nullptr ? core->block_count : 1;
}
PTO_INST std::int32_t get_subblockid() noexcept {
  const auto* const core = tileput::machine::tileput_current_core;
  return core != nullptr ? core->sub_block_index : 0;
}
PTO_INST std::int32_t get_subblockdim() noexcept {
  const auto* const core = tileput::machine::tileput_current_core;
  return core != nullptr ? core->sub_block_count : 1;
}

#include "pto/common/address_space.hpp"
