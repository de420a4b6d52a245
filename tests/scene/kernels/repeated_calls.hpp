// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the host and the kernels of the repeated-calls tests agree on.

#include <cstdint>

namespace repeated_calls {

/// Tensors, then scalars; the indices of a kernel's arguments.
enum Argument : int { kIn, kOut, kScratch, kResult, kRanks, kContext, kSeed, kCalls, kFirstEpoch, kMode, kArguments };

enum class Mode : std::uint64_t {
  kPrepare,          ///< only writes kFirstEpoch to this rank's epoch line and signal cells
  kAtOnce,           ///< instructions take effect at once
  kDeferring,        ///< they take effect at the next drain, fence or TNOTIFY
  kDeferringStrict,  ///< at the next drain or fence: TNOTIFY publishes nothing that was not drained
};

/// Entries of the int64 result tensor of each rank.
enum Result : int {
  kMismatches,
  kFirstCall,    ///< of the first mismatch
  kFirstSource,  ///< of the first mismatch
  kFirstIndex,   ///< of the first mismatch
  kCanaries,     ///< guard words around in and out that changed
  kPending,      ///< calls after which an effect was still deferred
  kCallsDone,
  kSleepsBetweenCalls,  ///< of this rank, as the next two
  kSleepsBeforeNotify,
  kSleepsBeforeCopyOut,
  kCallNs,  ///< median of the first calls
  kResults
};

/// Words before and behind the slices of in and out that the tested kernel is given.
inline constexpr std::uint32_t kGuardWords = 32;

/// A well-mixed 64 bits.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// What `source` sends to `dest` in a call; nothing else is likely to look like it.
constexpr std::uint32_t payload(std::uint64_t seed, std::uint64_t call, std::uint64_t source, std::uint64_t dest,
                                std::uint64_t index) {
  return static_cast<std::uint32_t>(mix(mix(seed ^ (call << 20U)) ^ (source << 56U) ^ (dest << 48U) ^ index));
}

}  // namespace repeated_calls
