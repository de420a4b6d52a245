// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace tileput::rank {

/// How a rank is woken. One 64-byte line per rank in memory that all ranks of the job share.
///
/// Protocol (sleeper S waits for a signal word W, ringer R changes it):
///   S: b = bell; sleepers += 1 (seq_cst); W satisfied? (seq_cst loads) then leave; else futex_wait(bell == b, 1 ms)
///   R: change W (seq_cst);  sleepers != 0 (seq_cst)?  then bell += 1 and futex_wake
/// All four accesses of the store/load pattern are sequentially consistent, so in their total order either S's check
/// follows R's change (S sees it and leaves) or R's read follows S's increment (R rings). A ring between S's read of
/// `bell` and its futex_wait changes `bell`, so futex_wait returns at once. `bell` itself is relaxed: it carries no
/// data, W does. What changes W without ringing (a plain store) is found after at most 1 ms.
struct alignas(64) Doorbell {
  std::atomic<std::uint32_t> bell{0};
  std::atomic<std::uint32_t> sleepers{0};
};
static_assert(sizeof(Doorbell) == 64 && std::atomic<std::uint32_t>::is_always_lock_free);

/// Wakes everybody who sleeps on the doorbell.
void ring(Doorbell& doorbell) noexcept;

}  // namespace tileput::rank
