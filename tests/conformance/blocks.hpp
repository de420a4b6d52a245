// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What blocks_kernel.cpp can do.

enum class Blocks : int {
  kIdentify,
  kOnChip,
  kBarriers,
  kReverse,
  kThrow,
  kThrowPolling,
  kRefused,
  kKill,
  kFault,
  kOverflowStack,
  kTwoWait,
  kOneComputes,
  kFirstReturns,
  kPush,
};

inline constexpr int kEveryBlock = -1;  ///< in place of the block that kFault is about
inline constexpr int kBlockWords = 16;  ///< of out, for each block
