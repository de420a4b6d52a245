// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "domain/heaps.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/system.hpp"
#include "tileput/error.hpp"

namespace tileput::domain {
namespace {

constexpr std::uint64_t kStride = 64U << 20U;

std::vector<base::UniqueFd> make_fds(int count) {
  std::vector<base::UniqueFd> fds;
  for (int i = 0; i < count; ++i) {
    fds.push_back(Heaps::create(kStride));
  }
  return fds;
}

/// Whether this process may read and write the byte; asks the kernel, so nothing faults.
bool is_accessible(const std::byte* address) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const bool readable = write(ends[1], address, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return readable;
}

std::uint64_t memory_of(const Heaps& heaps, int heap) {
  struct stat status {};
  EXPECT_EQ(fstat(heaps.fd(heap), &status), 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

TEST(Heaps, LocateInvertsAt) {
  const Heaps heaps(make_fds(3), kStride);
  EXPECT_EQ(heaps.count(), 3);
  EXPECT_EQ(std::uint64_t{1} << heaps.shift(), kStride);
  for (int heap = 0; heap < 3; ++heap) {
    for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{5}, kStride - 1}) {
      const auto place = heaps.locate(heaps.at({heap, offset}));
      ASSERT_TRUE(place.has_value());
      EXPECT_EQ(place->heap, heap);
      EXPECT_EQ(place->offset, offset);
    }
  }
  EXPECT_FALSE(heaps.locate(heaps.base() - 1).has_value());
  EXPECT_FALSE(heaps.locate(heaps.base() + 3 * kStride).has_value());
  EXPECT_FALSE(heaps.locate(nullptr).has_value());
}

TEST(Heaps, AccessLastsFromTheFirstOpenToTheLastClose) {
  Heaps heaps(make_fds(2), kStride);
  const HeapAddress place{1, 3 * base::page_bytes()};
  std::byte* const start = heaps.at(place);
  const std::uint64_t bytes = 2 * base::page_bytes() - 100;
  EXPECT_FALSE(is_accessible(start));
  heaps.open(place, bytes);
  heaps.open(place, bytes);
  EXPECT_TRUE(is_accessible(start));
  EXPECT_TRUE(is_accessible(start + bytes - 1));
  EXPECT_FALSE(is_accessible(start - 1));
  EXPECT_FALSE(is_accessible(start + 2 * base::page_bytes()));
  std::memset(start, 7, bytes);
  heaps.close(place);
  EXPECT_TRUE(is_accessible(start));
  EXPECT_EQ(start[5], std::byte{7});
  heaps.close(place);
  EXPECT_FALSE(is_accessible(start));
  heaps.close(place);  // once too often is harmless
  heaps.open(place, bytes);
  EXPECT_EQ(start[5], std::byte{7}) << "closing is about access, not contents";
  heaps.close(place);
}

TEST(Heaps, ReserveGivesZerosAfterDirt) {
  Heaps heaps(make_fds(1), kStride);
  const HeapAddress place{0, base::page_bytes()};
  const std::uint64_t bytes = 100'000;
  heaps.reserve(place, bytes);
  EXPECT_EQ(memory_of(heaps, 0), base::round_up(bytes, base::page_bytes()));
  heaps.open(place, bytes);
  std::byte* const start = heaps.at(place);
  std::memset(start, 0xff, bytes);
  heaps.reserve(place, bytes);  // also without a discard between
  EXPECT_TRUE(std::all_of(start, start + bytes, [](std::byte b) { return b == std::byte{0}; }));
  std::memset(start, 0xff, bytes);
  heaps.discard(place, bytes);
  EXPECT_EQ(memory_of(heaps, 0), 0U);
  heaps.reserve(place, bytes);
  EXPECT_TRUE(std::all_of(start, start + bytes, [](std::byte b) { return b == std::byte{0}; }));
  heaps.close(place);
}

TEST(Heaps, TwoMappingsShareTheMemory) {
  std::vector<base::UniqueFd> fds = make_fds(1);
  std::vector<base::UniqueFd> same;
  same.emplace_back(dup(fds[0].get()));
  Heaps one(std::move(fds), kStride);
  Heaps two(std::move(same), kStride);
  one.reserve({0, 0}, 4096);
  one.open({0, 0}, 4096);
  two.open({0, 0}, 4096);
  one.at({0, 0})[10] = std::byte{42};
  EXPECT_EQ(two.at({0, 0})[10], std::byte{42});
}

TEST(Heaps, SparseHeapsTakeNoMemory) {
  const Heaps heaps(make_fds(4), kStride);
  for (int heap = 0; heap < 4; ++heap) {
    EXPECT_EQ(memory_of(heaps, heap), 0U);
  }
  for (const int count : {1, 2, 5, 65}) {
    const std::uint64_t stride = Heaps::default_stride_bytes(count);
    EXPECT_EQ(stride & (stride - 1), 0U);
    EXPECT_GE(stride, 1U << 30U);
  }
}

TEST(RequireMemory, RefusesWhatTheLimitDoesNotHaveWithBothNumbers) {
  EXPECT_NO_THROW(require_memory(0, "nothing", 0));
  EXPECT_NO_THROW(require_memory(4096, "a page", 4096));
  try {
    require_memory(std::uint64_t{1} << 50U, "a petabyte", 1U << 20U);
    FAIL() << "a petabyte was granted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
    EXPECT_NE(error.detail().find("1125899906842624 bytes"), std::string::npos) << error.what();
    EXPECT_NE(error.detail().find("1 MiB"), std::string::npos) << error.what();
    EXPECT_NE(error.detail().find("a petabyte"), std::string::npos) << error.what();
  }
  EXPECT_THROW(require_memory(std::uint64_t{1} << 50U, "a petabyte", std::nullopt), Error);
}

}  // namespace
}  // namespace tileput::domain
