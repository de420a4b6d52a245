// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The transposition of a small square of elements in 16-byte vectors, which every machine that tileput runs on has.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace tileput::machine {

/// As many unsigned integers as fill 16 bytes.
template <class Word>
struct Vector16 {
  static constexpr int kWords = static_cast<int>(16 / sizeof(Word));
  typedef Word Type __attribute__((vector_size(16)));  // NOLINT(modernize-use-using): attributes that depend on Word

  /// The words of the lower (or the upper) halves of a and b in turns: a0 b0 a1 b1 ...
  template <bool kUpper, int... i>
  static Type interleave(Type a, Type b, std::integer_sequence<int, i...> /*words*/) noexcept {
    return __builtin_shufflevector(a, b, (i / 2 + i % 2 * kWords + (kUpper ? kWords / 2 : 0))...);
  }
};

/// target(r,c) = source(r,c) for a square of Vector16<Word>::kWords elements: rows of the target and columns of the
/// source are adjacent elements and begin at the given steps.
template <class Word>
void copy_transposed(std::byte* target, std::int64_t target_row_step, const std::byte* source,
                     std::int64_t source_col_step) noexcept {
  using Vector = Vector16<Word>;
  constexpr int kWords = Vector::kWords;
  constexpr auto kIndices = std::make_integer_sequence<int, kWords>{};
  typename Vector::Type v[kWords];
  // Everything is unrolled, so that the vectors stay in registers.
#pragma GCC unroll 16
  for (int i = 0; i < kWords; ++i) {
    std::memcpy(&v[i], source + i * source_col_step, sizeof(v[i]));
  }
  // Seen as one sequence of words, each step is a perfect shuffle; after log2(kWords) of them word (i,j) is at (j,i).
#pragma GCC unroll 4
  for (int step = 1; step < kWords; step *= 2) {
    typename Vector::Type w[kWords];
#pragma GCC unroll 8
    for (int i = 0; i < kWords / 2; ++i) {
      w[2 * i] = Vector::template interleave<false>(v[i], v[i + kWords / 2], kIndices);
      w[2 * i + 1] = Vector::template interleave<true>(v[i], v[i + kWords / 2], kIndices);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kWords; ++i) {
      v[i] = w[i];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kWords; ++i) {
    std::memcpy(target + i * target_row_step, &v[i], sizeof(v[i]));
  }
}

}  // namespace tileput::machine
