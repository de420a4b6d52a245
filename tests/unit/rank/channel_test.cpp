// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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
  for (const std::size_t count : {std::size_t{1}, std::size_t{17}, std::size_t{60'000}}) {
    EXPECT_EQ(a.send(bytes_of(count, 1)), Channel::Sent::kYes);
  }
  EXPECT_EQ(b.send(bytes_of(3, 9)), Channel::Sent::kYes);
  for (const std::size_t count : {std::size_t{1}, std::size_t{17}, std::size_t{60'000}}) {
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
  EXPECT_THROW(a.send(bytes_of(kMessageBytesMax + 1, 0)), Error);
  EXPECT_THROW(a.send(bytes_of(1, 0), many), Error);
}

TEST(Channel, CarriesDescriptors) {
  auto [a, b] = Channel::create_pair();
  for (const std::size_t count : {std::size_t{1}, std::size_t{66}, kMessageFdsMax}) {
    const base::UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    const std::vector<int> fds(count, file.get());
    ASSERT_EQ(a.send(bytes_of(1, 0), fds), Channel::Sent::kYes);
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
  EXPECT_EQ(b.send(bytes_of(1, 0)), Channel::Sent::kClosed);
}

TEST(Channel, ClosesOnExec) {
  auto [a, b] = Channel::create_pair();
  EXPECT_NE(fcntl(a.fd(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(fcntl(b.fd(), F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace tileput::rank
