// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank/channel.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/system.hpp"
#include "tileput/error.hpp"

namespace tileput::rank {

Channel::Channel(base::UniqueFd socket) : socket_(std::move(socket)) {}

std::pair<Channel, Channel> Channel::create_pair() {
  int fds[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    base::throw_errno("socketpair", "raise the limit of open files (ulimit -n)");
  }
  return {Channel(base::UniqueFd(fds[0])), Channel(base::UniqueFd(fds[1]))};
}

Channel::Sent Channel::send(std::span<const std::byte> bytes, std::span<const int> fds, bool block) {
  if (bytes.empty() || bytes.size() > kMessageBytesMax || fds.size() > kMessageFdsMax) {
    throw Error(ErrorCode::kInternal, fmt::format("a message of {} bytes and {} descriptors", bytes.size(), fds.size()),
                fmt::format("at most {} bytes and {} descriptors fit", kMessageBytesMax, kMessageFdsMax));
  }
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMessageFdsMax)];
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  for (;;) {
    if (sendmsg(socket_.get(), &header, MSG_NOSIGNAL | (block ? 0 : MSG_DONTWAIT)) >= 0) {
      return Sent::kYes;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return Sent::kWouldBlock;
    }
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) {
      return Sent::kClosed;
    }
    if (errno != EINTR) {
      base::throw_errno("sendmsg to a rank", "raise the limit of open files or of socket memory");
    }
  }
}

std::optional<Message> Channel::receive(bool block, bool* would_block) {
  buffer_.resize(kMessageBytesMax);
  iovec part{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMessageFdsMax)];
  for (;;) {
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
    const ssize_t count = recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC | (block ? 0 : MSG_DONTWAIT));
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (would_block != nullptr) {
          *would_block = true;
        }
        return std::nullopt;
      }
      if (errno == ECONNRESET) {
        return std::nullopt;
      }
      base::throw_errno("recvmsg", "free some memory");
    }
    if (count == 0) {
      return std::nullopt;
    }
    Message message;
    message.bytes.assign(buffer_.begin(), buffer_.begin() + count);
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        const std::size_t descriptors = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < descriptors; ++i) {
          int fd = -1;
          std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
          message.fds.emplace_back(fd);
        }
      }
    }
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
      throw Error(ErrorCode::kSystem, "a message arrived without all of its descriptors",
                  "raise the limit of open files (ulimit -n)");
    }
    return message;
  }
}

}  // namespace tileput::rank
