// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Messages between the worker and one rank: whole packets with descriptors over an unnamed socket pair.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace tileput::rank {

/// The largest message. A task has at most 256 tensors and 128 scalars, which is far below it.
inline constexpr std::size_t kMessageBytesMax = 128U << 10U;
/// The most descriptors one message carries (the kernel's SCM_MAX_FD is 253).
inline constexpr std::size_t kMessageFdsMax = 128;

struct Message {
  std::vector<std::byte> bytes;
  std::vector<base::UniqueFd> fds;
};

class Channel {
 public:
  Channel() = default;
  explicit Channel(base::UniqueFd socket);
  /// Two connected ends; both close on exec.
  static std::pair<Channel, Channel> create_pair();

  enum class Sent { kYes, kWouldBlock, kClosed };
  /// Sends one message, all or nothing. Blocks only if `block`.
  Sent send(std::span<const std::byte> bytes, std::span<const int> fds = {}, bool block = true);
  /// Receives one message; nullopt: the other end is gone (or, without `block`, `would_block` is set).
  std::optional<Message> receive(bool block = true, bool* would_block = nullptr);

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(socket_); }
  void close() noexcept { socket_.reset(); }

 private:
  base::UniqueFd socket_;
  std::vector<std::byte> buffer_;
};

}  // namespace tileput::rank
