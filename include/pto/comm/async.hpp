// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// TPUT_ASYNC, TGET_ASYNC and their sessions (spec section 13).

#include <cstdint>
#include <type_traits>

#include "pto/comm/async_common/async_types.hpp"
#include "pto/comm/point_to_point.hpp"
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

inline bool execute_async_copy(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::copy_global(self.global[0], self.global[1]);
  return true;
}

/// The common body of TPUT_ASYNC and TGET_ASYNC.
template <machine::Opcode kOpcode, comm::DmaEngine kEngine, class GlobalDst, class GlobalSrc>
PTO_INTERNAL comm::AsyncEvent copy_async(GlobalDst& dst, GlobalSrc& src, const comm::AsyncSession& session) {
  check_copy_types<GlobalDst, GlobalSrc>();
  if (!same_shape(region_of(dst), region_of(src))) [[unlikely]] {
    machine::fail_shape(kOpcode, region_of(dst), region_of(src));
  }
  machine::Core& core = machine::current_core();
  constexpr bool kPushes = kOpcode == machine::Opcode::kTputAsync;
  machine::require_known<kPushes ? machine::Operand::kPeer : machine::Operand::kLocal>(core, kOpcode, region_of(dst));
  machine::require_known<kPushes ? machine::Operand::kLocal : machine::Operand::kPeer>(core, kOpcode, region_of(src));
  const std::uint64_t handle = ++core.async_transfers;
  if (core.observer != nullptr) [[unlikely]] {
    observe_copy(*core.observer,
                 {.opcode = kOpcode,
                  .execute = &execute_async_copy,
                  .site = machine::site(),
                  .immediate = {static_cast<std::int64_t>(handle), reinterpret_cast<std::intptr_t>(&session)}},
                 region_of(dst), region_of(src));
  } else {
    machine::copy_global(region_of(dst), region_of(src));
  }
  return {handle, kEngine};
}

/// Operands of TPUT_ASYNC and TGET_ASYNC.
template <class GlobalDst, class GlobalSrc>
concept TwoTensors = is_global_data_v<GlobalDst> && is_global_data_v<GlobalSrc>;

}  // namespace tileput_detail

namespace comm {

/// Starts to copy a tensor into a peer's window: dst(i0..i4) = src(i0..i4), each by its own strides.
///
/// Shapes:     dst and src have equal extents (any extent 0: no effect), the same element type (src's may be const) and
///             layout, and do not overlap. Portable: both are contiguous and one-dimensional.
/// Ordering:   publishes nothing, also not by a TNOTIFY: that one comes after the event's Wait.
/// Completion: portable: when Wait (or a Test that is true) of this event or of a later one of the session returns;
///             until then src stays unchanged and nobody reads dst. Natively: on return.
/// Errors:     kShapeMismatch for unequal extents; kOutOfWindow outside every window and tensor of the task; all before
///             anything is copied.
/// Source:     spec section 13. The returned event is valid, its handle is larger than every earlier one of this core.
///
/// Example:
///     static float window[8] = {}, data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
///     using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
///     Row target(window), source(data);
///     pto::comm::AsyncSession session = {};
///     pto::comm::AsyncEvent event = pto::comm::TPUT_ASYNC(target, source, session);
///     event.Wait(session);
///     assert(event.valid() && window[7] == 8.0F);
template <DmaEngine engine = DmaEngine::SDMA, class GlobalDst, class GlobalSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::TwoTensors<GlobalDst, GlobalSrc>)
PTO_INST AsyncEvent TPUT_ASYNC(GlobalDst& dst, GlobalSrc& src, const AsyncSession& session, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  return tileput_detail::copy_async<::tileput::machine::Opcode::kTputAsync, engine>(dst, src, session);
}

/// The same; `peer` is only for RDMA, whose addresses do not name their rank.
template <DmaEngine engine = DmaEngine::SDMA, class GlobalDst, class GlobalSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::TwoTensors<GlobalDst, GlobalSrc>)
PTO_INST AsyncEvent TPUT_ASYNC(GlobalDst& dst, GlobalSrc& src, const AsyncSession& session, std::uint32_t /*peer*/,
                               WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  return tileput_detail::copy_async<::tileput::machine::Opcode::kTputAsync, engine>(dst, src, session);
}

/// Starts to copy a tensor out of a peer's window; in all else as TPUT_ASYNC.
///
/// Ordering:   what the peer wrote is there after a TWAIT that its TNOTIFY satisfied.
template <DmaEngine engine = DmaEngine::SDMA, class GlobalDst, class GlobalSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::TwoTensors<GlobalDst, GlobalSrc>)
PTO_INST AsyncEvent TGET_ASYNC(GlobalDst& dst, GlobalSrc& src, const AsyncSession& session, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  return tileput_detail::copy_async<::tileput::machine::Opcode::kTgetAsync, engine>(dst, src, session);
}

/// The same; `peer` is only for RDMA.
template <DmaEngine engine = DmaEngine::SDMA, class GlobalDst, class GlobalSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::TwoTensors<GlobalDst, GlobalSrc>)
PTO_INST AsyncEvent TGET_ASYNC(GlobalDst& dst, GlobalSrc& src, const AsyncSession& session, std::uint32_t /*peer*/,
                               WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  return tileput_detail::copy_async<::tileput::machine::Opcode::kTgetAsync, engine>(dst, src, session);
}

/// Fills in a session that has a scratch tile and a workspace.
///
/// Effect:     true, and `out` describes the arguments; false, and `out` is as it was, for a null workspace, a syncId
///             above 7 or a configuration without queues. The native transfers use neither scratch nor workspace.
/// Source:     spec section 13.2.
template <DmaEngine engine = DmaEngine::SDMA, class ScratchTile>
  requires(is_tile_data_v<ScratchTile>)
PTO_INST bool BuildAsyncSession(ScratchTile& scratch, std::uint8_t* workspace, AsyncSession& out,
                                std::uint32_t syncId = 0, const sdma::SdmaBaseConfig& config = {},
                                std::uint32_t channelGroup = sdma::kAutoChannelGroupIdx) {
  constexpr std::uint32_t kSyncIdMax = 7;
  if (workspace == nullptr || syncId > kSyncIdMax || config.queueNum == 0) {
    return false;
  }
  out = AsyncSession{};
  out.engine = engine;
  out.valid = true;
  out.context = workspace;
  out.tmpBuf = scratch.data();
  out.tmpBufSize = tileput_detail::storage_bytes<ScratchTile>();
  out.syncId = syncId;
  out.channelGroupIdx = channelGroup;
  out.blockBytes = config.blockBytes;
  out.commBlockOffset = config.commBlockOffset;
  out.queueNum = config.queueNum;
  return true;
}

}  // namespace comm
}  // namespace pto

#include "pto/common/address_space.hpp"
