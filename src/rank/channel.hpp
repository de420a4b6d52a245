// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Messages between the worker and one rank: whole packets with descriptors over an unnamed socket pair, small ones
/// through memory that both map; or in a queue where both ends belong to one thread.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "rank/mailbox.hpp"

namespace tileput::rank {

/// The largest message. A task has at most 256 tensors and 128 scalars, which is far below it.
inline constexpr std::size_t kMessageBytesMax = 128U << 10U;
/// The most descriptors one message carries (the kernel's SCM_MAX_FD is 253).
inline constexpr std::size_t kMessageFdsMax = 128;

/// How long either end looks for a message before it sleeps: what is asked and answered again at once is so much
/// quicker than waking somebody up. Each look lets others run.
inline constexpr std::uint64_t kLookNs = 50'000;
/// A look at the memory costs nothing beside one at the socket, where little arrives.
inline constexpr int kLooksPerPacket = 8;

struct Message {
  std::vector<std::byte> bytes;
  std::vector<base::UniqueFd> fds;
};

class Channel {
 public:
  Channel() = default;
  explicit Channel(base::UniqueFd socket);
  ~Channel() { close(); }
  Channel(Channel&&) = default;
  Channel& operator=(Channel&& other) noexcept;
  /// Two connected ends; both close on exec.
  static std::pair<Channel, Channel> create_pair();
  /// Two connected ends for one thread, where a receive() that would block finds the other end gone: look at
  /// has_message() before. Such messages carry no descriptors. With `block` a send() finds room always, else it keeps
  /// to kLocalMessagesMax that are not received yet.
  static std::pair<Channel, Channel> create_local_pair();
  static constexpr std::size_t kLocalMessagesMax = 256;

  /// Sends small messages through `out` and looks for them in `in` from now on. The other end uses them the other way
  /// round, before it receives the second message.
  void use(Mailbox& in, Mailbox& out) noexcept;

  enum class Sent { kYes, kWouldBlock, kClosed };
  /// Sends one message, all or nothing. Blocks only if `block`.
  Sent send(std::span<const std::byte> bytes, std::span<const int> fds = {}, bool block = true);
  /// Receives one message; nullopt: the other end is gone (or, without `block`, `would_block` is set).
  std::optional<Message> receive(bool block = true, bool* would_block = nullptr);

  /// Whether the next message is here without a look at the socket.
  [[nodiscard]] bool has_mail() const noexcept;
  /// For who waits for the socket by other means than receive(). False: there is mail, so do not sleep. Until
  /// after_sleep() each message makes the socket readable.
  bool before_sleep() noexcept;
  void after_sleep() noexcept;

  /// Of a local pair: whether receive() returns at once, with a message or because the other end is gone.
  [[nodiscard]] bool has_message() const noexcept { return !in_->messages.empty() || in_->closed; }

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(socket_) || in_ != nullptr; }
  void close() noexcept;

 private:
  /// One direction of a local pair.
  struct Queue {
    std::deque<std::vector<std::byte>> messages;
    bool closed = false;
  };
  std::optional<Message> receive_local(bool* would_block);
  Sent send_packet(std::span<const std::byte> bytes, std::span<const int> fds, bool block);
  /// One packet; nullopt as receive().
  std::optional<Message> receive_packet(bool block, bool* would_block);
  bool post_mail(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] bool is_mail_next() const noexcept;
  /// The next message, if it is here already.
  std::optional<Message> take_mail();

  base::UniqueFd socket_;
  Mailbox* mail_in_ = nullptr;
  Mailbox* mail_out_ = nullptr;
  std::uint64_t sent_ = 0;        // messages, either way
  std::uint64_t received_ = 0;    // messages, either way
  std::shared_ptr<Queue> in_;     // of a local pair
  std::shared_ptr<Queue> out_;    // of a local pair
  std::optional<Message> early_;  // from the socket: the message after the one in memory, or the next one
  std::vector<std::byte> buffer_;
};

}  // namespace tileput::rank
