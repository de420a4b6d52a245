// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The collectives of collective_test.cpp, as the kernel and the test both see them. Elements are int32.

#include <cstdint>

namespace collective_cases {

enum What : int { kBroadcast, kGather, kScatter, kSum, kMax, kMin };

/// Per rank (1, 1, 1, rows, cols), through tiles of tile_rows rows.
struct Case {
  const char* name;
  int64_t rows;
  int64_t cols;
  bool ping_pong;
  bool bound;
};
inline constexpr Case kCases[] = {
    {"OneRow", 1, 256, false, true},
    {"Rows128By32", 128, 32, true, true},
    {"Rows512By32", 512, 32, false, false},
    {"NoRows", 0, 32, false, true},
};
inline constexpr int kCaseCount = sizeof(kCases) / sizeof(kCases[0]);

/// The rounds are told apart by their numbers.
inline constexpr int kRounds = 3;

/// What element `index` of rank `rank`'s contribution is: powers that no subset of the ranks, or one taken twice, adds
/// up to; which rank has the largest changes from element to element.
constexpr int32_t contribution(int rank, int ranks, int64_t index, int round) {
  int32_t power = 1;
  for (int r = 0; r < static_cast<int>((rank + index) % ranks); ++r) {
    power *= ranks + 1;
  }
  return power + 1'000 * round + static_cast<int32_t>(index % 100);
}

/// What rank `rank` has in its result after the collective.
constexpr int32_t expected(What what, int rank, int root, int ranks, int64_t index, int64_t elements, int round) {
  switch (what) {
    case kBroadcast: return contribution(root, ranks, index, round);
    case kScatter: return contribution(root, ranks, rank * elements + index, round);
    case kGather: return contribution(static_cast<int>(index / elements), ranks, index % elements, round);
    default: break;
  }
  int32_t result = contribution(root, ranks, index, round);
  for (int r = 0; r < ranks; ++r) {
    if (r != root) {
      const int32_t other = contribution(r, ranks, index, round);
      result = what == kSum ? result + other : (what == kMax) == (other > result) ? other : result;
    }
  }
  return result;
}

/// A window: what its rank contributes (ranks parts for a scatter), its result (ranks parts for a gather), one guard
/// word, and words for signals.
constexpr int64_t part_words(const Case& c) { return c.rows * c.cols; }
constexpr int64_t result_begin(const Case& c, int64_t ranks) { return ranks * part_words(c); }
constexpr int64_t guard_begin(const Case& c, int64_t ranks) { return 2 * ranks * part_words(c); }
constexpr int64_t signals_begin(const Case& c, int64_t ranks) { return guard_begin(c, ranks) + 16; }
constexpr int64_t window_bytes(const Case& c, int64_t ranks) { return (signals_begin(c, ranks) + 64) * 4; }

}  // namespace collective_cases
