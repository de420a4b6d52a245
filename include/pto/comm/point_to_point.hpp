// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// TPUT and TGET: strided copies between the windows of two ranks (spec section 10).

#include <type_traits>

#include "pto/common/constants.hpp"
#include "pto/common/event.hpp"
#include "pto/common/pto_tile.hpp"
#include "pto/common/record.hpp"
#include "pto/common/region.hpp"
#include "pto/common/type.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/known_memory.hpp"
#include "tileput/machine/transfer.hpp"

namespace pto {

namespace tileput_detail {

inline bool execute_copy(const machine::Instruction& self, machine::Pieces pieces) {
  machine::copy_chunks(self.global[0], self.global[1], self.tile[0], pieces);
  return true;
}

constexpr bool same_shape(const machine::GlobalRegion& a, const machine::GlobalRegion& b) noexcept {
  return a.shape[0] == b.shape[0] && a.shape[1] == b.shape[1] && a.shape[2] == b.shape[2] && a.shape[3] == b.shape[3] &&
         a.shape[4] == b.shape[4];
}

/// Operands of TPUT and TGET with one staging tile.
template <class GlobalDst, class GlobalSrc, class TileData>
concept CopyOperands = is_global_data_v<GlobalDst> && is_global_data_v<GlobalSrc> && is_tile_data_v<TileData>;

/// Operands of the form of TPUT that overwrites.
template <AtomicType kAtomic, class GlobalDst, class GlobalSrc, class TileData>
concept PlainCopy = CopyOperands<GlobalDst, GlobalSrc, TileData> && kAtomic == AtomicType::AtomicNone;

/// The common body of TPUT and TGET, which differ in what an observer is told.
template <machine::Opcode kOpcode, class GlobalDst, class GlobalSrc, class TileData>
PTO_INTERNAL void copy_tensor(GlobalDst& dst, GlobalSrc& src, TileData& staging) {
  using Element = std::remove_cv_t<typename GlobalDst::RawDType>;
  static_assert(std::is_same_v<Element, std::remove_cv_t<typename GlobalSrc::RawDType>>,
                "TPUT/TGET: destination and source must have the same element type");
  static_assert(std::is_same_v<Element, std::remove_cv_t<typename TileData::DType>>,
                "TPUT/TGET: the staging tile must have the tensors' element type");
  static_assert(!std::is_const_v<typename GlobalDst::DType>, "TPUT/TGET: the destination's elements are const");
  static_assert(GlobalDst::layout == GlobalSrc::layout, "TPUT/TGET: destination and source must have the same layout");
  if (staging.data() == nullptr) [[unlikely]] {
    machine::fail_unbound_tile(kOpcode);
  }
  if (!same_shape(region_of(dst), region_of(src))) [[unlikely]] {
    machine::fail_shape(kOpcode, region_of(dst), region_of(src));
  }
  machine::Core& core = machine::current_core();
  constexpr bool kPushes = kOpcode == machine::Opcode::kTput;
  machine::require_known<kPushes ? machine::Operand::kPeer : machine::Operand::kLocal>(core, kOpcode, region_of(dst));
  machine::require_known<kPushes ? machine::Operand::kLocal : machine::Operand::kPeer>(core, kOpcode, region_of(src));
  if (core.observer != nullptr) [[unlikely]] {
    observe_copy(*core.observer, kOpcode, &execute_copy,
                 machine::chunking_of(region_of(src), region_of(staging)).count(), machine::site(), region_of(dst),
                 region_of(src), region_of(staging));
    return;
  }
  machine::copy_global(region_of(dst), region_of(src));
}

}  // namespace tileput_detail

namespace comm {

/// Copies a tensor into a peer's window: dst(i0..i4) = src(i0..i4) for all five dimensions, each by its own strides.
///
/// Shapes:     dst and src have equal extents (any extent 0: no effect), the same element type (src's may be const) and
///             layout; the staging tile has that element type and never shows in the result. Its bytes and extents are
///             left alone. dst and src do not overlap. Either may be local or remote.
/// Ordering:   publishes nothing: pipe_barrier(PIPE_ALL), dsb and TNOTIFY after it do. Two transfers are unordered for
///             other ranks.
/// Completion: on return the source may be reused and the target is written as far as this core is concerned.
/// Errors:     kShapeMismatch for unequal extents, kUnboundTile, kOutOfWindow outside every window and tensor of the
///             task; all before anything is copied.
/// Source:     spec section 10. Run-time atomic, AtomicAdd and ping-pong forms are further overloads.
template <AtomicType atomic = AtomicType::AtomicNone, class GlobalDst, class GlobalSrc, class TileData,
          tileput_detail::Event... WaitEvents>
  requires(tileput_detail::PlainCopy<atomic, GlobalDst, GlobalSrc, TileData>)
PTO_INST RecordEvent TPUT(GlobalDst& dst, GlobalSrc& src, TileData& staging, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::copy_tensor<::tileput::machine::Opcode::kTput>(dst, src, staging);
  return {};
}

/// Copies a tensor out of a peer's window; in all else as TPUT.
///
/// Ordering:   reads the memory now; what the peer wrote is there after a TWAIT that its TNOTIFY satisfied.
template <class GlobalDst, class GlobalSrc, class TileData, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::CopyOperands<GlobalDst, GlobalSrc, TileData>)
PTO_INST RecordEvent TGET(GlobalDst& dst, GlobalSrc& src, TileData& staging, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::copy_tensor<::tileput::machine::Opcode::kTget>(dst, src, staging);
  return {};
}

}  // namespace comm
}  // namespace pto

#include "pto/common/address_space.hpp"
