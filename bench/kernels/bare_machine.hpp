// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the host, the orchestration and the kernels of bare_machine agree on. C++17, as orchestrations are.
///
/// Samples are int64, one array per rank: the nanoseconds of each timed batch.

#include <cstddef>
#include <cstdint>
#include <ctime>

namespace bare_machine {

inline constexpr std::uint64_t kLineBytes = 64;

/// Buffer "cells" of each window, lines of 64 bytes, one writer per line; n is the rank count:
///
///     [ meeting: n ][ bare: n ][ signal: n ][ counts: 1, this rank's alone ]
///
/// Line r of a group is written by rank r. All of them count up, by wrapping difference, and are never reset.
enum Group : int { kMeeting, kBare, kSignal, kGroups };
constexpr std::uint64_t cells_bytes(std::uint64_t ranks) { return (kGroups * ranks + 1) * kLineBytes; }

/// Tensors, then scalars; the indices of a kernel's arguments.
enum CopyArgument : int { kCopySource, kCopyTarget, kCopyCells, kCopySamples, kCopyRepeats, kCopyRounds, kCopyContext };
enum PingPongArgument : int { kPingCells, kPingSamples, kPingFirstSample, kPingTrips, kPingContext };
enum FlagsArgument : int { kFlagsCells, kFlagsSamples, kFlagsSample, kFlagsSkip, kFlagsCalls, kFlagsContext };
enum MoeArgument : int {
  kMoeX,          ///< tokens * row_bytes
  kMoeCopied,     ///< rows: routes * row_bytes
  kMoeProcessed,  ///< rows
  kMoeSums,       ///< 2 * tokens * row_bytes
  kMoeReceived,   ///< of the window: rows, where the number of ranks divides the routes
  kMoeReturned,   ///< of the window: rows
  kMoeCells,
  kMoeRowBytes,
  kMoeTopk,
  kMoeTokens,
  kMoeContext
};
inline constexpr std::size_t kMoeRowBytesMax = std::size_t{1} << 20U;
/// Of the orchestration that times the all-to-all; the kernel gets in, out, scratch, the rank count and the context.
enum CallArgument : int { kCallIn, kCallOut, kCallScratch, kCallSamples, kCallTensors };
enum CallScalar : int { kCallRanks, kCallSample, kCallSkip, kCallCalls, kCallContext, kCallScalars };

/// Variants of a round, in the order of their samples.
enum CopyVariant : int { kCopyOurs, kCopyBare, kCopyUnchecked, kCopyVariants };
enum PingVariant : int { kPingAdd, kPingSet, kPingBare, kPingVariants };

/// Sample 0 of a copy's array counts bytes of the first TPUT that did not arrive; the rounds follow.
inline constexpr int kCopyFirstSample = 1;

inline std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace bare_machine
