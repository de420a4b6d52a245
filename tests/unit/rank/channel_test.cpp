// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <tuple>
#include <vector>

#include "tileput/error.hpp"

namespace tileput::rank {
namespace {

std::vector<std::byte> bytes_of(std::size_t count, unsigned first) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>(first + i);
  }
  return bytes;
}

ino_t inode(int fd) {
  struct stat status {};
  EXPECT_EQ(fstat(fd, &status), 0);
  return status.st_ino;
}

TEST(Channel, KeepsMessagesWholeAndInOrder) {
  auto [a, b] = Channel::create_pair();
  for (const std::size_t count : {std::size_t{2}, std::size_t{17}, std::size_t{60'000}}) {
    EXPECT_EQ(a.send(bytes_of(count, 1)), Channel::Sent::kYes);
  }
  EXPECT_EQ(b.send(bytes_of(3, 9)), Channel::Sent::kYes);
  for (const std::size_t count : {std::size_t{2}, std::size_t{17}, std::size_t{60'000}}) {
    const auto message = b.receive();
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(message->bytes, bytes_of(count, 1));
    EXPECT_TRUE(message->fds.empty());
  }
  EXPECT_EQ(a.receive()->bytes, bytes_of(3, 9));
}

TEST(Channel, CarriesTheLargestMessage) {
  auto [a, b] = Channel::create_pair();
  ASSERT_EQ(a.send(bytes_of(kMessageBytesMax, 3)), Channel::Sent::kYes);
  EXPECT_EQ(b.receive()->bytes, bytes_of(kMessageBytesMax, 3));
}

TEST(Channel, RefusesMessagesThatDoNotFit) {
  auto [a, b] = Channel::create_pair();
  const std::vector<int> many(kMessageFdsMax + 1, 0);
  EXPECT_THROW(a.send({}), Error);
  EXPECT_THROW(a.send(bytes_of(1, 0)), Error) << "that is how a sleeping receiver is woken up";
  EXPECT_THROW(a.send(bytes_of(kMessageBytesMax + 1, 0)), Error);
  EXPECT_THROW(a.send(bytes_of(2, 0), many), Error);
}

TEST(Channel, CarriesDescriptors) {
  auto [a, b] = Channel::create_pair();
  for (const std::size_t count : {std::size_t{1}, std::size_t{66}, kMessageFdsMax}) {
    const base::UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    const std::vector<int> fds(count, file.get());
    ASSERT_EQ(a.send(bytes_of(2, 0), fds), Channel::Sent::kYes);
    const auto message = b.receive();
    ASSERT_TRUE(message.has_value());
    ASSERT_EQ(message->fds.size(), count);
    for (const base::UniqueFd& fd : message->fds) {
      EXPECT_NE(fd.get(), file.get());
      EXPECT_EQ(inode(fd.get()), inode(file.get()));
      EXPECT_NE(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
    }
  }
}

TEST(Channel, WithoutBlockingSaysSo) {
  auto [a, b] = Channel::create_pair();
  bool would_block = false;
  EXPECT_FALSE(b.receive(false, &would_block).has_value());
  EXPECT_TRUE(would_block);
  int sent = 0;
  while (a.send(bytes_of(1000, 0), {}, false) == Channel::Sent::kYes) {
    ASSERT_LT(++sent, 1'000'000);
  }
  EXPECT_GT(sent, 0);
  EXPECT_EQ(a.send(bytes_of(1000, 0), {}, false), Channel::Sent::kWouldBlock);
  for (int i = 0; i < sent; ++i) {
    ASSERT_TRUE(b.receive(false).has_value());
  }
  EXPECT_EQ(a.send(bytes_of(1000, 0), {}, false), Channel::Sent::kYes);
}

TEST(Channel, NoticesTheOtherEndsEnd) {
  auto [a, b] = Channel::create_pair();
  EXPECT_EQ(a.send(bytes_of(2, 1)), Channel::Sent::kYes);
  a.close();
  EXPECT_FALSE(static_cast<bool>(a));
  EXPECT_TRUE(b.receive().has_value()) << "what was sent before is still there";
  bool would_block = false;
  EXPECT_FALSE(b.receive(false, &would_block).has_value());
  EXPECT_FALSE(would_block);
  EXPECT_FALSE(b.receive().has_value());
  EXPECT_EQ(b.send(bytes_of(2, 0)), Channel::Sent::kClosed);
}

TEST(Channel, ClosesOnExec) {
  auto [a, b] = Channel::create_pair();
  EXPECT_NE(fcntl(a.fd(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(fcntl(b.fd(), F_GETFD) & FD_CLOEXEC, 0);
}

/// Two ends of a socket that share mailboxes.
struct MailPair {
  MailPair() {
    std::tie(worker, rank) = Channel::create_pair();
    worker.use(boxes->to_worker, boxes->to_rank);
    rank.use(boxes->to_rank, boxes->to_worker);
  }
  std::unique_ptr<Mailboxes> boxes = std::make_unique<Mailboxes>();
  Channel worker;
  Channel rank;
};

/// Whether a descriptor is readable.
bool is_readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return poll(&entry, 1, 0) == 1;
}

TEST(ChannelMail, GoesThroughMemoryWithoutTheSocket) {
  MailPair ends;
  EXPECT_FALSE(ends.rank.has_mail());
  ASSERT_EQ(ends.worker.send(bytes_of(100, 1)), Channel::Sent::kYes);
  EXPECT_TRUE(ends.rank.has_mail());
  EXPECT_FALSE(is_readable(ends.rank.fd()));
  EXPECT_EQ(ends.rank.receive()->bytes, bytes_of(100, 1));
  EXPECT_FALSE(ends.rank.has_mail());
  ASSERT_EQ(ends.rank.send(bytes_of(Mailbox::kBytesMax, 2)), Channel::Sent::kYes);
  EXPECT_FALSE(is_readable(ends.worker.fd()));
  EXPECT_EQ(ends.worker.receive(false)->bytes, bytes_of(Mailbox::kBytesMax, 2));
}

TEST(ChannelMail, KeepsTheOrderOfBothWays) {
  MailPair ends;
  const base::UniqueFd file(memfd_create("channel-test", MFD_CLOEXEC));
  const int fds[] = {file.get()};
  std::vector<std::vector<std::byte>> sent;
  const auto send = [&](std::size_t count, std::span<const int> with = {}) {
    sent.push_back(bytes_of(count, static_cast<unsigned>(sent.size())));
    ASSERT_EQ(ends.worker.send(sent.back(), with), Channel::Sent::kYes);
  };
  send(10);                      // memory
  send(11);                      // the socket: memory is occupied
  send(Mailbox::kBytesMax + 1);  // does not fit into memory
  send(12, fds);
  EXPECT_EQ(ends.rank.receive()->bytes, sent[0]);
  send(13);  // memory again, although it comes after all that is in the socket
  EXPECT_FALSE(ends.rank.has_mail()) << "its turn has not come";
  for (std::size_t i = 1; i < sent.size(); ++i) {
    const auto message = ends.rank.receive(false);
    ASSERT_TRUE(message.has_value()) << i;
    EXPECT_EQ(message->bytes, sent[i]);
    EXPECT_EQ(message->fds.size(), i == 3 ? 1U : 0U);
  }
  bool would_block = false;
  EXPECT_FALSE(ends.rank.receive(false, &would_block).has_value());
  EXPECT_TRUE(would_block);
}

TEST(ChannelMail, WakesWhoSleeps) {
  MailPair ends;
  ASSERT_TRUE(ends.rank.before_sleep());
  ASSERT_EQ(ends.worker.send(bytes_of(7, 1)), Channel::Sent::kYes);
  EXPECT_TRUE(is_readable(ends.rank.fd()));
  ends.rank.after_sleep();
  EXPECT_EQ(ends.rank.receive()->bytes, bytes_of(7, 1));
  bool would_block = false;
  EXPECT_FALSE(ends.rank.receive(false, &would_block).has_value()) << "what woke it is no message";
  EXPECT_TRUE(would_block);
  EXPECT_FALSE(is_readable(ends.rank.fd()));
  ASSERT_EQ(ends.worker.send(bytes_of(8, 1)), Channel::Sent::kYes);
  EXPECT_FALSE(ends.rank.before_sleep()) << "there is mail";
  ends.rank.after_sleep();
  EXPECT_EQ(ends.rank.receive()->bytes, bytes_of(8, 1));
}

TEST(ChannelMail, KeepsOrderWhereBothWaysAreUsedBetweenTwoLooks) {
  MailPair ends;
  constexpr unsigned kPairs = 100'000;
  std::thread worker([&] {
    for (unsigned i = 0; i < kPairs; ++i) {
      ends.worker.send(bytes_of(2, 2 * i));      // memory
      ends.worker.send(bytes_of(2, 2 * i + 1));  // memory, or the socket where the first is not taken yet
      if (!ends.worker.receive()) {
        return;
      }
    }
  });
  for (unsigned i = 0; i < 2 * kPairs; ++i) {
    std::optional<Message> message;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!message && std::chrono::steady_clock::now() < end) {
      message = ends.rank.receive(false);
    }
    EXPECT_TRUE(message && message->bytes == bytes_of(2, i)) << "message " << i;
    if (HasFailure()) {
      ends.rank.close();
      break;
    }
    if (i % 2 == 1) {
      ends.rank.send(bytes_of(2, i));
    }
  }
  worker.join();
}

TEST(ChannelMail, LastWordsArriveBeforeTheEnd) {
  MailPair ends;
  ASSERT_EQ(ends.rank.send(bytes_of(5, 1)), Channel::Sent::kYes);
  ends.rank.close();
  EXPECT_EQ(ends.worker.receive()->bytes, bytes_of(5, 1));
  bool would_block = false;
  EXPECT_FALSE(ends.worker.receive(false, &would_block).has_value());
  EXPECT_FALSE(would_block);
}

TEST(ChannelMail, RefusesWhatAWildStoreLeft) {
  MailPair ends;
  ASSERT_EQ(ends.worker.send(bytes_of(5, 1)), Channel::Sent::kYes);
  ends.boxes->to_rank.bytes = Mailbox::kBytesMax + 1;
  EXPECT_THROW(ends.rank.receive(), Error);
}

TEST(ChannelMail, NoMessageIsLostBetweenLookingAndSleeping) {
  MailPair ends;
  constexpr unsigned kMessages = 30'000;
  const auto size_of = [](unsigned i) { return std::size_t{2} + i * 7919 % 5000; };  // both ways
  std::thread rank([&] {  // answers each, and sleeps whenever there is nothing
    for (unsigned i = 0; i < kMessages; ++i) {
      const auto message = ends.rank.receive();
      if (!message || message->bytes != bytes_of(size_of(i), i) ||
          ends.rank.send(bytes_of(2, i)) != Channel::Sent::kYes) {
        ends.rank.close();
        return;
      }
    }
  });
  unsigned answers = 0;
  const auto take_answer = [&](bool block) {
    const auto answer = ends.worker.receive(block);
    const bool is_next = answer && answer->bytes == bytes_of(2, answers);
    answers += is_next ? 1 : 0;
    return is_next;
  };
  for (unsigned i = 0; i < kMessages; ++i) {
    ASSERT_EQ(ends.worker.send(bytes_of(size_of(i), i)), Channel::Sent::kYes);
    if (i % 3 == 0) {  // up to a few are on their way at once
      ASSERT_TRUE(take_answer(true)) << i;
    }
    while (answers + 5 < i) {
      ASSERT_TRUE(take_answer(true)) << i;
    }
  }
  while (answers < kMessages) {
    ASSERT_TRUE(take_answer(true));
  }
  rank.join();
}

}  // namespace
}  // namespace tileput::rank
