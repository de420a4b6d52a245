// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "base/archive.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "orchestration/protocol.hpp"

namespace tileput::base {
namespace {

ErrorCode code_of_reading(const std::vector<std::byte>& bytes, const auto& read) {
  Reader in(bytes);
  try {
    read(in);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was refused";
  return ErrorCode::kBadArgument;
}

TEST(Archive, ReturnsWhatWasWritten) {
  Writer out;
  out.put(std::uint8_t{7}).put(-1.5).put(std::string("one\0two", 7)).put(std::string());
  out.put(std::vector<std::uint16_t>{1, 65535}).put(std::vector<std::string>{"a", "", "ccc"}).put(std::vector<int>{});
  Writer tail;
  tail.put(std::int64_t{-9});
  out.append(tail);
  out.append(Writer());
  Reader in(out.bytes());
  EXPECT_EQ(in.take<std::uint8_t>(), 7);
  EXPECT_EQ(in.take<double>(), -1.5);
  EXPECT_EQ(in.take<std::string>(), std::string("one\0two", 7));
  EXPECT_EQ(in.take<std::string>(), "");
  EXPECT_EQ(in.take<std::vector<std::uint16_t>>(), (std::vector<std::uint16_t>{1, 65535}));
  EXPECT_EQ(in.take<std::vector<std::string>>(), (std::vector<std::string>{"a", "", "ccc"}));
  EXPECT_EQ(in.take<std::vector<int>>(), std::vector<int>{});
  EXPECT_EQ(in.take<std::int64_t>(), -9);
}

TEST(Archive, EveryTruncationIsRefused) {
  Writer out;
  out.put(std::uint32_t{1}).put(std::string("text")).put(std::vector<std::uint64_t>{1, 2, 3});
  for (std::size_t size = 0; size < out.bytes().size(); ++size) {
    const std::vector<std::byte> part(out.bytes().begin(), out.bytes().begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(code_of_reading(part,
                              [](Reader& in) {
                                in.take<std::uint32_t>();
                                in.take<std::string>();
                                in.take<std::vector<std::uint64_t>>();
                              }),
              ErrorCode::kInternal)
        << size;
  }
}

TEST(Archive, AbsurdCountsAllocateNothing) {
  for (const std::uint64_t count : {std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()}) {
    Writer out;
    out.put(count);
    EXPECT_EQ(code_of_reading(out.bytes(), [](Reader& in) { in.take<std::string>(); }), ErrorCode::kInternal);
    EXPECT_EQ(code_of_reading(out.bytes(), [](Reader& in) { in.take<std::vector<double>>(); }), ErrorCode::kInternal);
  }
}

TEST(Archive, MessagesReturnWhatWasWritten) {
  orchestration::LoadRequest load{7, "orch.so", "entry", "", {{3, 1, "a.so"}, {-1, 0, "b.so"}}};
  Writer out;
  load.save(out);
  orchestration::save_error(out, Error(ErrorCode::kKernel, "detail", "hint"));
  Reader in(out.bytes());
  orchestration::LoadRequest read;
  read.load(in);
  EXPECT_EQ(read.callable, 7U);
  EXPECT_EQ(read.orchestration, "orch.so");
  EXPECT_EQ(read.config, "");
  ASSERT_EQ(read.kernels.size(), 2U);
  EXPECT_EQ(read.kernels[1].func_id, -1);
  EXPECT_EQ(read.kernels[1].file, "b.so");
  const Error error = orchestration::load_error(in);
  EXPECT_EQ(error.code(), ErrorCode::kKernel);
  EXPECT_STREQ(error.what(), "kernel: detail (hint)");
}

}  // namespace
}  // namespace tileput::base
