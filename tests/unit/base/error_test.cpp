// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

#include "base/system.hpp"

namespace tileput {
namespace {

constexpr ErrorCode kCodes[] = {ErrorCode::kBadArgument,     ErrorCode::kNotFound,       ErrorCode::kMissingSymbol,
                                ErrorCode::kTooFewArguments, ErrorCode::kOutOfMemory,    ErrorCode::kSystem,
                                ErrorCode::kOutOfWindow,     ErrorCode::kOnChipOverflow, ErrorCode::kUnboundTile,
                                ErrorCode::kShapeMismatch,   ErrorCode::kOrchestration,  ErrorCode::kKernel,
                                ErrorCode::kAborted,         ErrorCode::kRankDied,       ErrorCode::kNoProgress,
                                ErrorCode::kInterrupted,     ErrorCode::kInternal};

TEST(Error, WhatIsCodeDetailAndHint) {
  const Error error(ErrorCode::kNoProgress, "rank 1 waits", "look");
  EXPECT_STREQ(error.what(), "no-progress: rank 1 waits (look)");
  EXPECT_EQ(error.code(), ErrorCode::kNoProgress);
  EXPECT_EQ(error.detail(), "rank 1 waits");
  EXPECT_EQ(error.hint(), "look");
  EXPECT_STREQ(Error(ErrorCode::kKernel, "x", "").what(), "kernel: x");
}

TEST(Error, EveryCodeHasANameOfItsOwn) {
  std::set<std::string> names;
  for (const ErrorCode code : kCodes) {
    names.emplace(name_of(code));
  }
  EXPECT_EQ(names.size(), std::size(kCodes));
  EXPECT_EQ(names.count("unknown"), 0U);
  EXPECT_EQ(name_of(static_cast<ErrorCode>(12345)), "unknown");
}

TEST(Error, ExitCodesFollowTheTable) {
  for (const ErrorCode code : kCodes) {
    const int number = static_cast<int>(code);
    const ExitCode expected = code == ErrorCode::kRankDied                                  ? ExitCode::kRankDied
                              : code == ErrorCode::kNoProgress                              ? ExitCode::kNoProgress
                              : code == ErrorCode::kInterrupted                             ? ExitCode::kInterrupted
                              : code == ErrorCode::kInternal || code == ErrorCode::kAborted ? ExitCode::kInternal
                              : number >= 10 && number < 30 ? ExitCode::kDiffers  // a kernel or orchestration failed
                                                            : ExitCode::kCannotStart;
    EXPECT_EQ(exit_code_of(code), expected) << name_of(code);
  }
}

TEST(Error, ThrowErrnoNamesCallAndNumber) {
  errno = ENOENT;
  try {
    base::throw_errno("open of x", "make it");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kSystem);
    EXPECT_EQ(error.detail(), "open of x failed: No such file or directory (errno 2)");
    EXPECT_EQ(error.hint(), "make it");
  }
}

TEST(System, FormatsBytes) {
  EXPECT_EQ(base::format_bytes(0), "0 B");
  EXPECT_EQ(base::format_bytes(1023), "1023 B");
  EXPECT_EQ(base::format_bytes(4096), "4 KiB");
  EXPECT_EQ(base::format_bytes(1536U << 20U), "1.5 GiB");
  EXPECT_EQ(base::format_bytes(~0ULL), "16 EiB");
}

TEST(System, RoundsUpToMultiples) {
  EXPECT_EQ(base::round_up(0, 4096), 0U);
  EXPECT_EQ(base::round_up(1, 4096), 4096U);
  EXPECT_EQ(base::round_up(4096, 4096), 4096U);
  EXPECT_EQ(base::round_up(4097, 4096), 8192U);
}

}  // namespace
}  // namespace tileput
