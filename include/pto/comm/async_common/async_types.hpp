// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Sessions and events of asynchronous transfers (spec section 13.1).

#include <cstdint>

#include "pto/comm/async/sdma/sdma_types.hpp"
#include "pto/common/record.hpp"
#include "pto/common/type.hpp"

namespace pto {

namespace comm {

enum class DmaEngine : std::uint8_t { SDMA = 0, URMA = 1, RDMA = 2 };

/// A sequence of asynchronous transfers; an object of its own for each sequence, because what belongs together is told
/// by the session's address. `AsyncSession session = {};` is a usable one.
struct AsyncSession {
  DmaEngine engine = DmaEngine::SDMA;
  bool valid = false;       ///< made by BuildAsyncSession
  void* context = nullptr;  ///< the workspace
  void* tmpBuf = nullptr;   ///< scratch memory of the session
  std::uint64_t tmpBufSize = 0;
  std::uint32_t syncId = 0;
  std::uint32_t channelGroupIdx = sdma::kAutoChannelGroupIdx;
  std::uint64_t blockBytes = sdma::kDefaultSdmaBlockBytes;
  std::uint64_t commBlockOffset = 0;
  std::uint32_t queueNum = 1;
  std::uint32_t destRankId = 0;
  std::uint32_t qpIdx = 0;
};

}  // namespace comm

namespace tileput_detail {

inline bool execute_async_done(const machine::Instruction& /*self*/, machine::Pieces /*pieces*/) { return true; }

/// AsyncEvent::Wait and Test. Without an observer every transfer was complete before its event existed.
template <machine::Opcode kOpcode>
PTO_INTERNAL bool is_async_done(std::uint64_t handle) {
  machine::Observer* const observer = current_observer();
  if (observer != nullptr && handle != 0) [[unlikely]] {
    return observe_async(*observer, kOpcode, &execute_async_done, machine::site(), handle);
  }
  return true;
}

}  // namespace tileput_detail

namespace comm {

/// The completion of one asynchronous transfer. A default one stands for no transfer.
struct AsyncEvent {
  std::uint64_t handle = 0;  ///< rises from transfer to transfer of a core; 0: none
  DmaEngine engine = DmaEngine::SDMA;

  constexpr AsyncEvent() noexcept = default;
  constexpr AsyncEvent(std::uint64_t transfer, DmaEngine dma) noexcept : handle(transfer), engine(dma) {}

  /// Whether there was a transfer.
  [[nodiscard]] constexpr bool valid() const noexcept { return handle != 0; }

  /// Waits until this transfer and every earlier one of its session are complete.
  ///
  /// Effect:     returns true; at once for an event without a transfer.
  /// Ordering:   the targets are visible to this core. It does not tell the peer: a TNOTIFY after it does.
  /// Completion: the sources may be reused, the targets are written.
  /// Source:     spec section 13.3.
  PTO_INST bool Wait(const AsyncSession& /*session*/) const {
    return tileput_detail::is_async_done<::tileput::machine::Opcode::kAsyncWait>(handle);
  }

  /// Whether they are complete now; never blocks.
  ///
  /// Ordering (when true), Completion (when true), Source: as Wait.
  PTO_INST bool Test(const AsyncSession& /*session*/) const {
    return tileput_detail::is_async_done<::tileput::machine::Opcode::kAsyncTest>(handle);
  }
};

}  // namespace comm
}  // namespace pto

#include "pto/common/address_space.hpp"
