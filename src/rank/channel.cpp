// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank/channel.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/system.hpp"
#include "tileput/error.hpp"

namespace tileput::rank {

namespace {

/// Wakes a receiver that has mail; shorter than any message.
constexpr std::array<std::byte, 1> kWake{};

}  // namespace

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
  mail_in_ = other.mail_in_;
  mail_out_ = other.mail_out_;
  sent_ = other.sent_;
  received_ = other.received_;
  in_ = std::move(other.in_);
  out_ = std::move(other.out_);
  early_ = std::exchange(other.early_, std::nullopt);
  buffer_ = std::move(other.buffer_);
  return *this;
}

void Channel::close() noexcept {
  socket_.reset();
  mail_in_ = nullptr;
  mail_out_ = nullptr;
  early_.reset();
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
  if (bytes.size() <= kWake.size() || bytes.size() > kMessageBytesMax || fds.size() > kMessageFdsMax) {
    throw Error(ErrorCode::kInternal, fmt::format("a message of {} bytes and {} descriptors", bytes.size(), fds.size()),
                fmt::format("{} to {} bytes and at most {} descriptors fit", kWake.size() + 1, kMessageBytesMax,
                            kMessageFdsMax));
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
  if (fds.empty() && post_mail(bytes)) {
    // Without room in the socket it is not empty, and the receiver does not sleep.
    return mail_out_->awake.load(std::memory_order_seq_cst) != 0 || send_packet(kWake, {}, false) != Sent::kClosed
               ? Sent::kYes
               : Sent::kClosed;
  }
  const Sent sent = send_packet(bytes, fds, block);
  sent_ += sent == Sent::kYes ? 1 : 0;
  return sent;
}

bool Channel::post_mail(std::span<const std::byte> bytes) noexcept {
  if (mail_out_ == nullptr || bytes.size() > Mailbox::kBytesMax ||
      mail_out_->number.load(std::memory_order_acquire) != 0) {  // pairs with the receiver's store of 0
    return false;
  }
  std::memcpy(mail_out_->data, bytes.data(), bytes.size());
  mail_out_->bytes = bytes.size();
  mail_out_->number.store(++sent_, std::memory_order_seq_cst);
  return true;
}

Channel::Sent Channel::send_packet(std::span<const std::byte> bytes, std::span<const int> fds, bool block) {
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

void Channel::use(Mailbox& in, Mailbox& out) noexcept {
  mail_in_ = &in;
  mail_out_ = &out;
  after_sleep();
}

bool Channel::has_mail() const noexcept { return is_mail_next() || early_; }

bool Channel::is_mail_next() const noexcept {
  return mail_in_ != nullptr && mail_in_->number.load(std::memory_order_seq_cst) == received_ + 1;
}

bool Channel::before_sleep() noexcept {
  if (mail_in_ != nullptr) {
    mail_in_->awake.store(0, std::memory_order_seq_cst);
  }
  return !has_mail();
}

void Channel::after_sleep() noexcept {
  if (mail_in_ != nullptr) {
    mail_in_->awake.store(1, std::memory_order_seq_cst);
  }
}

std::optional<Message> Channel::take_mail() {
  if (!is_mail_next()) {
    received_ += early_ ? 1 : 0;
    return std::exchange(early_, std::nullopt);
  }
  const std::uint64_t bytes = mail_in_->bytes;
  if (bytes == 0 || bytes > Mailbox::kBytesMax) {
    throw Error(ErrorCode::kSystem, fmt::format("a message of {} bytes lies where {} fit", bytes, Mailbox::kBytesMax),
                "find the kernel that writes outside of its windows and tensors");
  }
  Message message;
  message.bytes.assign(mail_in_->data, mail_in_->data + bytes);
  ++received_;
  mail_in_->number.store(0, std::memory_order_release);  // the sender may write here again
  return message;
}

std::optional<Message> Channel::receive(bool block, bool* would_block) {
  if (in_ != nullptr) {
    return receive_local(would_block);
  }
  for (;;) {
    if (std::optional<Message> message = take_mail()) {
      return message;
    }
    if (block && !before_sleep()) {
      after_sleep();
      continue;
    }
    bool is_empty = false;
    std::optional<Message> message = receive_packet(block, &is_empty);
    if (block) {
      after_sleep();
    }
    if (message && message->bytes.size() == kWake.size() && mail_in_ != nullptr) {
      continue;
    }
    if (message) {
      early_ = std::move(message);
      continue;
    }
    if (is_empty) {
      if (would_block != nullptr) {
        *would_block = true;
      }
      return std::nullopt;
    }
    return take_mail();  // the last words of who is gone
  }
}

std::optional<Message> Channel::receive_packet(bool block, bool* would_block) {
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
        *would_block = true;
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
