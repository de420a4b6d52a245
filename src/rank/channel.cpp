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

std::pair<Channel, Channel> Channel::create_local_pair() {
  std::pair<Channel, Channel> ends;
  ends.first.in_ = ends.second.out_ = std::make_shared<Queue>();
  ends.first.out_ = ends.second.in_ = std::make_shared<Queue>();
  return ends;
}

Channel& Channel::operator=(Channel&& other) noexcept {
  close();
  socket_ = std::move(other.socket_);
  in_ = std::move(other.in_);
  out_ = std::move(other.out_);
  buffer_ = std::move(other.buffer_);
  return *this;
}

void Channel::close() noexcept {
  socket_.reset();
  for (const auto& queue : {in_, out_}) {
    if (queue != nullptr) {
      queue->closed = true;
    }
  }
  in_.reset();
  out_.reset();
}

std::optional<Message> Channel::receive_local(bool* would_block) {
  if (in_->messages.empty()) {
    if (would_block != nullptr) {
      *would_block = !in_->closed;
    }
    return std::nullopt;
  }
  Message message;
  message.bytes = std::move(in_->messages.front());
  in_->messages.pop_front();
  return message;
}

Channel::Sent Channel::send(std::span<const std::byte> bytes, std::span<const int> fds, bool block) {
  if (bytes.empty() || bytes.size() > kMessageBytesMax || fds.size() > kMessageFdsMax) {
    throw Error(ErrorCode::kInternal, fmt::format("a message of {} bytes and {} descriptors", bytes.size(), fds.size()),
                fmt::format("at most {} bytes and {} descriptors fit", kMessageBytesMax, kMessageFdsMax));
  }
  if (out_ != nullptr) {
    if (out_->closed) {
      return Sent::kClosed;
    }
    if (!block && out_->messages.size() >= kLocalMessagesMax) {
      return Sent::kWouldBlock;
    }
    out_->messages.emplace_back(bytes.begin(), bytes.end());
    return Sent::kYes;
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
  if (in_ != nullptr) {
    return receive_local(would_block);
  }
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
