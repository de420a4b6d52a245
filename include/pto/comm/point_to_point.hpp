// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// TPUT and TGET: strided copies between the windows of two ranks (spec section 10).

#include <cstdint>
#include <type_traits>

#include "pto/common/constants.hpp"
#include "pto/common/event.hpp"
#include "pto/common/pto_tile.hpp"
#include "pto/common/record.hpp"
#include "pto/common/region.hpp"
#include "pto/common/type.hpp"
#include "tileput/machine/atomic_add.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/known_memory.hpp"
#include "tileput/machine/transfer.hpp"

namespace pto {

namespace tileput_detail {

inline bool execute_copy(const machine::Instruction& self, machine::Pieces pieces) {
  machine::copy_chunks(self.global[0], self.global[1], self.tile[0], pieces);
  return true;
}

template <class T>
bool execute_add_chunks(const machine::Instruction& self, machine::Pieces pieces) {
  machine::add_chunks<T>(self.global[0], self.global[1], self.tile[0], pieces);
  machine::wake_waiters<T>(machine::current_core(), self.global[0]);
  return true;
}

constexpr bool same_shape(const machine::GlobalRegion& a, const machine::GlobalRegion& b) noexcept {
  return a.shape[0] == b.shape[0] && a.shape[1] == b.shape[1] && a.shape[2] == b.shape[2] && a.shape[3] == b.shape[3] &&
         a.shape[4] == b.shape[4];
}

/// Operands of TPUT and TGET with one staging tile, or with two of one type.
template <class GlobalDst, class GlobalSrc, class TileData>
concept CopyOperands = is_global_data_v<GlobalDst> && is_global_data_v<GlobalSrc> && is_tile_data_v<TileData>;

/// What every copy between two tensors promises at compile time.
template <class GlobalDst, class GlobalSrc>
constexpr void check_copy_types() noexcept {
  static_assert(
      std::is_same_v<std::remove_cv_t<typename GlobalDst::RawDType>, std::remove_cv_t<typename GlobalSrc::RawDType>>,
      "TPUT/TGET: destination and source must have the same element type");
  static_assert(!std::is_const_v<typename GlobalDst::DType>, "TPUT/TGET: the destination's elements are const");
  static_assert(GlobalDst::layout == GlobalSrc::layout, "TPUT/TGET: destination and source must have the same layout");
}

/// Refuses two staging tiles that share memory: one is filled while the other is drained.
template <machine::Opcode kOpcode, class TileData>
PTO_INTERNAL void check_staging(const TileData& ping, const TileData& pong) {
  const auto first = reinterpret_cast<std::uintptr_t>(ping.data());
  const auto second = reinterpret_cast<std::uintptr_t>(pong.data());
  constexpr std::uint64_t kBytes = storage_bytes<TileData>();
  if ((first > second ? first - second : second - first) < kBytes) [[unlikely]] {
    machine::fail_overlap(kOpcode, ping.data(), pong.data(), kBytes);
  }
}

/// The common body of all forms of TPUT and TGET, which differ in what an observer is told. `pong` is the second
/// staging tile, if there is one.
template <machine::Opcode kOpcode, AtomicType kAtomic = AtomicType::AtomicNone, class GlobalDst, class GlobalSrc,
          class TileData, class... Pong>
PTO_INTERNAL void copy_tensor(GlobalDst& dst, GlobalSrc& src, TileData& staging, Pong&... pong) {
  using Element = std::remove_cv_t<typename GlobalDst::RawDType>;
  constexpr bool kAdds = kAtomic == AtomicType::AtomicAdd;
  check_copy_types<GlobalDst, GlobalSrc>();
  static_assert(std::is_same_v<Element, std::remove_cv_t<typename TileData::DType>>,
                "TPUT/TGET: the staging tile must have the tensors' element type");
  static_assert(!kAdds || kAddsAtomically<Element>,
                "TPUT: AtomicAdd adds float, half, bfloat16_t, int32_t, int16_t or int8_t");
  if (staging.data() == nullptr || ((pong.data() == nullptr) || ...)) [[unlikely]] {
    machine::fail_unbound_tile(kOpcode);
  }
  (check_staging<kOpcode>(staging, pong), ...);
  if (!same_shape(region_of(dst), region_of(src))) [[unlikely]] {
    machine::fail_shape(kOpcode, region_of(dst), region_of(src));
  }
  machine::Core& core = machine::current_core();
  constexpr bool kPushes = kOpcode == machine::Opcode::kTput;
  machine::require_known<kPushes ? machine::Operand::kPeer : machine::Operand::kLocal>(core, kOpcode, region_of(dst));
  machine::require_known<kPushes ? machine::Operand::kLocal : machine::Operand::kPeer>(core, kOpcode, region_of(src));
  if (core.observer != nullptr) [[unlikely]] {
    Execute execute = &execute_copy;
    if constexpr (kAdds) {
      execute = &execute_add_chunks<Element>;
    }
    observe_copy(*core.observer,
                 {.opcode = kOpcode,
                  .execute = execute,
                  .site = machine::site(),
                  .piece_count = machine::chunking_of(region_of(src), region_of(staging)).count(),
                  .immediate = {static_cast<std::int64_t>(kAtomic)}},
                 region_of(dst), region_of(src), region_of(staging), region_of(pong)...);
    return;
  }
  if constexpr (kAdds) {
    machine::add_global<Element>(region_of(dst), region_of(src));
    machine::wake_waiters<Element>(core, region_of(dst));
  } else {
    machine::copy_global(region_of(dst), region_of(src));
  }
}

/// TPUT whose AtomicType is known at run time only.
template <class GlobalDst, class GlobalSrc, class TileData>
PTO_INTERNAL void put_tensor(AtomicType atomic, GlobalDst& dst, GlobalSrc& src, TileData& staging) {
  constexpr machine::Opcode kTput = machine::Opcode::kTput;
  if (atomic == AtomicType::AtomicNone) {
    copy_tensor<kTput>(dst, src, staging);
    return;
  }
  if constexpr (kAddsAtomically<std::remove_cv_t<typename GlobalDst::RawDType>>) {
    if (atomic == AtomicType::AtomicAdd) {
      copy_tensor<kTput, AtomicType::AtomicAdd>(dst, src, staging);
      return;
    }
  }
  machine::fail_argument(kTput, "was given an AtomicType that these elements do not have",
                         "AtomicNone, or AtomicAdd of float, half, bfloat16_t, int32_t, int16_t or int8_t");
}

}  // namespace tileput_detail

namespace comm {

/// Copies a tensor into a peer's window: dst(i0..i4) = src(i0..i4) for all five dimensions, each by its own strides.
///
/// Shapes:     dst and src have equal extents (any extent 0: no effect), the same element type (src's may be const) and
///             layout; the staging tile has that element type and never shows in the result. Its bytes and extents are
///             left alone. dst and src do not overlap. Either may be local or remote.
/// Effect:     with `TPUT<AtomicType::AtomicAdd>(dst, src, staging)` dst(i0..i4) += src(i0..i4): each element in one
///             atomic step, also against adders in other processes and TNOTIFY AtomicAdd on the same word. float, half,
///             bfloat16, int32, int16 and int8; integers wrap. No order between elements.
/// Ordering:   publishes nothing: pipe_barrier(PIPE_ALL), dsb and TNOTIFY after it do. Two transfers are unordered for
///             other ranks. A peer that sleeps in TWAIT on an int32 word that AtomicAdd raised is woken.
/// Completion: on return the source may be reused and the target is written as far as this core is concerned.
/// Errors:     kShapeMismatch for unequal extents, kUnboundTile, kOutOfWindow outside every window and tensor of the
///             task; all before anything is copied.
/// Cost:       contiguous: one memcpy. AtomicAdd: one atomic read-modify-write for each element.
/// Source:     spec section 10.
///
/// Example:
///     alignas(32) static int32_t window[8] = {};
///     alignas(32) static int32_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
///     using Row = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
///     Row target(window), source(data);
///     pto::Tile<pto::TileType::Vec, int32_t, 1, 8> staging;
///     pto::TASSIGN(staging, 0x0);
///     pto::comm::TPUT(target, source, staging);
///     assert(window[7] == 8);
///     pto::comm::TPUT<pto::AtomicType::AtomicAdd>(target, source, staging);
///     assert(window[7] == 16);
template <AtomicType atomic = AtomicType::AtomicNone, class GlobalDst, class GlobalSrc, class TileData,
          tileput_detail::Event... WaitEvents>
  requires(tileput_detail::CopyOperands<GlobalDst, GlobalSrc, TileData>)
PTO_INST RecordEvent TPUT(GlobalDst& dst, GlobalSrc& src, TileData& staging, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::copy_tensor<::tileput::machine::Opcode::kTput, atomic>(dst, src, staging);
  return {};
}

/// The same with two staging tiles of one type, which the hardware fills and drains in turn; they do not overlap.
///
/// Errors:     kBadArgument for overlapping staging tiles; else as above.
template <AtomicType atomic = AtomicType::AtomicNone, class GlobalDst, class GlobalSrc, class TileData,
          tileput_detail::Event... WaitEvents>
  requires(tileput_detail::CopyOperands<GlobalDst, GlobalSrc, TileData>)
PTO_INST RecordEvent TPUT(GlobalDst& dst, GlobalSrc& src, TileData& ping, TileData& pong, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::copy_tensor<::tileput::machine::Opcode::kTput, atomic>(dst, src, ping, pong);
  return {};
}

/// The same with an AtomicType that is chosen at run time.
///
/// Errors:     kBadArgument for AtomicAdd of elements that it does not add; else as above.
template <class GlobalDst, class GlobalSrc, class TileData, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::CopyOperands<GlobalDst, GlobalSrc, TileData>)
PTO_INST RecordEvent TPUT(GlobalDst& dst, GlobalSrc& src, TileData& staging, AtomicType at, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::put_tensor(at, dst, src, staging);
  return {};
}

/// Copies a tensor out of a peer's window; in all else as TPUT without AtomicAdd.
///
/// Ordering:   reads the memory now; what the peer wrote is there after a TWAIT that its TNOTIFY satisfied.
/// Source:     spec section 10.
///
/// Example:
///     alignas(32) static float window[8] = {1, 2, 3, 4, 5, 6, 7, 8};
///     alignas(32) static float data[8] = {};
///     using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
///     Row target(data), source(window);
///     pto::Tile<pto::TileType::Vec, float, 1, 8> ping, pong;
///     pto::TASSIGN(ping, 0x0);
///     pto::TASSIGN(pong, 0x100);
///     pto::comm::TGET(target, source, ping, pong);
///     assert(data[7] == 8.0F);
template <class GlobalDst, class GlobalSrc, class TileData, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::CopyOperands<GlobalDst, GlobalSrc, TileData>)
PTO_INST RecordEvent TGET(GlobalDst& dst, GlobalSrc& src, TileData& staging, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::copy_tensor<::tileput::machine::Opcode::kTget>(dst, src, staging);
  return {};
}

/// The same with two staging tiles of one type that do not overlap (kBadArgument otherwise).
template <class GlobalDst, class GlobalSrc, class TileData, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::CopyOperands<GlobalDst, GlobalSrc, TileData>)
PTO_INST RecordEvent TGET(GlobalDst& dst, GlobalSrc& src, TileData& ping, TileData& pong, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::copy_tensor<::tileput::machine::Opcode::kTget>(dst, src, ping, pong);
  return {};
}

}  // namespace comm
}  // namespace pto

#include "pto/common/address_space.hpp"
