// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The additions of atomic_test.cpp, as the kernel and the test both see them.

#include <cstdint>

namespace atomic_cases {

/// How the ranks add.
enum Form : int { kPut, kPutAtRunTime, kPutPingPong, kStore };
enum Type : int { kFloat, kHalf, kBfloat16, kInt32, kInt16, kInt8 };
enum Mode : int { kSums, kWait };

/// Elements of the target in rank 0's window. Every rank adds to all but each third one.
inline constexpr int64_t kElements = 96;
constexpr bool is_neighbour(int64_t element) { return element % 3 == 2; }
/// What neighbours hold before and after; its bytes differ in every element type.
inline constexpr int kNeighbour = 77;

inline constexpr int64_t kRounds = 300;
/// What `rank` adds to `element` in round `round`. Rounds come in pairs that cancel out, so that sums stay exact, and
/// inside int8; the last, single one leaves a sum in which every rank's part is told apart from the others'.
constexpr int addend(int rank, int64_t element, int64_t round) {
  if (round == kRounds) {
    return 1 << rank;
  }
  const int value = 1 + static_cast<int>((rank + element + round / 2) % 5);
  return round % 2 == 0 ? value : -value;
}

/// A window: the target elements, what its rank adds, and words for barriers.
inline constexpr int64_t kAddendsBegin = 512;
inline constexpr int64_t kDataBytes = 1024;
inline constexpr int64_t kWindowBytes = kDataBytes + 1024;

}  // namespace atomic_cases
