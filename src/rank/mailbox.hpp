// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Room for one small message from one end of a Channel to the other, in memory that both map: between ends that are
/// awake it saves the system calls. The channel's socket carries whatever does not fit, and wakes who sleeps.
///
/// Order. Each end numbers what it sends, whichever way it goes: 1, 2, ... The receiver takes the message here when its
/// number is the next one; until then the next one is in the socket, which keeps order itself. So two ways make one
/// sequence. Between a receiver's look at the memory and its look at the socket the sender may have used both: so with
/// a packet in hand the receiver looks at the memory again, where all is visible that was sent before the packet.
///
/// No message is overlooked by a receiver that sleeps. The sender stores `number` and then loads `awake`; the receiver
/// stores 0 in `awake` and then loads `number`; all four are sequentially consistent, so that one of them sees the
/// other: the sender wakes the receiver by a packet of one byte in the socket, or the receiver finds the message and
/// stays awake. Both may happen; a receiver drops such packets.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tileput::rank {

/// Zeros are the initial state.
struct alignas(64) Mailbox {
  static constexpr std::size_t kBytesMax = 4096 - 128;

  std::atomic<std::uint64_t> number{0};  ///< of the message that lies here; 0: none. The receiver stores 0.
  std::uint64_t bytes = 0;
  alignas(64) std::atomic<std::uint32_t> awake{0};  ///< 1: the receiver looks here before it sleeps
  alignas(64) std::byte data[kBytesMax];
};
static_assert(sizeof(Mailbox) == 4096);

/// Both directions between the worker and one rank.
struct Mailboxes {
  Mailbox to_rank;
  Mailbox to_worker;
};

}  // namespace tileput::rank
