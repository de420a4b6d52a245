// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the fault tests and fault_kernel.cpp agree on.

#include <cstdint>

namespace fault_kernel {

enum class Mode : std::int64_t {
  kAllToAll,  ///< `value` epochs of the push all-to-all; every epoch first adds 1 to the input
  kWait,      ///< rank 0 computes for `value` ms, the others wait for a signal from it
  kSleep,     ///< for `value` ms: computes as far as anybody can tell
  kInspect,   ///< looks at the own window for `value` ms: out[0] = words that were not zero, out[1] = see below
};

inline constexpr int kWords = 64;  ///< for each destination

/// kInspect, out[1]: whether the windows lie at the same offset of every heap, counted in pages from rank 0's window:
/// equal in two runs when each rank's window is where it was.
inline constexpr std::uint64_t kPageBytes = 4096;

/// What `source` sends to `dest`, before the epochs are added.
constexpr std::int32_t payload(int source, int dest, int index) { return (source << 24) | (dest << 16) | (index << 8); }

}  // namespace fault_kernel
