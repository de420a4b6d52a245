// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/machine/matrix_unit.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "machine/blocks.hpp"
#include "machine/dense_product.hpp"
#include "machine/scratch.hpp"

namespace tileput::machine {

namespace {

constexpr auto kFloatBytes = static_cast<std::int64_t>(sizeof(float));

/// How many products may be summed at once. Those of 8-bit integers are summed as floats, which is exact in any order
/// while no sum exceeds 2^24: 1024 products of up to 128 * 128, 258 of up to 255 * 255.
constexpr std::int64_t depth_max(Element element) noexcept {
  switch (element) {
    case Element::kS8: return 1024;
    case Element::kU8: return 256;
    default: return std::numeric_limits<std::int64_t>::max();
  }
}

void multiply_dense_with(MatrixLevel level, const DenseProduct& product) {
  switch (level) {
#ifdef TILEPUT_X86_LEVELS
    case MatrixLevel::kAvx512: return avx512::multiply_dense(product);
    case MatrixLevel::kAvx2: return avx2::multiply_dense(product);
#endif
    default: return baseline::multiply_dense(product);
  }
}

MatrixLevel best_level() noexcept {
  for (const MatrixLevel level : {MatrixLevel::kAvx512, MatrixLevel::kAvx2}) {
    if (has_level(level)) {
      return level;
    }
  }
  return MatrixLevel::kBaseline;
}

/// Copies a part of a tile to a dense matrix of floats.
void unpack(const Block& dense, const TileRegion& tile, const Rectangle& part) {
  const TileRegion floats = tile.element == Element::kF32 ? tile : converted(tile, part, Element::kF32, sizeof(float));
  for_each_block(floats, part, [&](const Block& block, const Rectangle& at) {
    copy_block(advanced(dense, at.row - part.row, at.col - part.col), block, at.rows, at.cols, sizeof(float));
  });
}

/// target = value, or target += value; integers wrap.
template <class T, bool kAccumulate>
void put(std::byte* target, const std::byte* value) noexcept {
  float product = 0;
  std::memcpy(&product, value, sizeof(product));
  T result{};
  if constexpr (std::is_same_v<T, float>) {
    result = product;
  } else {
    result = static_cast<T>(static_cast<std::int32_t>(product));
  }
  if constexpr (kAccumulate) {
    T before{};
    std::memcpy(&before, target, sizeof(T));
    result += before;
  }
  std::memcpy(target, &result, sizeof(T));
}

/// put() for rows x cols elements; those of a row of `product` are adjacent.
template <class T, bool kAccumulate>
void put_block(const Block& target, const Block& product, std::int64_t rows, std::int64_t cols) {
  constexpr std::int64_t kBoxCols = 16;
  for (std::int64_t r = 0; r < rows; ++r) {
    std::byte* const to = target.address + r * target.row_step_bytes;
    const std::byte* const from = product.address + r * product.row_step_bytes;
    if (cols == kBoxCols && target.col_step_bytes == kFloatBytes) {  // a row of a box: constants, for the vectorizer
      float values[kBoxCols];
      T sums[kBoxCols];
      std::memcpy(values, from, sizeof(values));
      std::memcpy(sums, to, sizeof(sums));
      for (std::int64_t c = 0; c < kBoxCols; ++c) {
        put<T, kAccumulate>(reinterpret_cast<std::byte*>(sums + c), reinterpret_cast<const std::byte*>(values + c));
      }
      std::memcpy(to, sums, sizeof(sums));
    } else {
      for (std::int64_t c = 0; c < cols; ++c) {
        put<T, kAccumulate>(to + c * target.col_step_bytes, from + c * kFloatBytes);
      }
    }
  }
}

/// Writes a dense, row-major product of rows x cols to the accumulator.
void put_product(const TileRegion& acc, const Block& product, std::int64_t rows, std::int64_t cols, bool accumulate) {
  for_each_block(acc, {.rows = rows, .cols = cols}, [&](const Block& block, const Rectangle& at) {
    const Block part = advanced(product, at.row, at.col);
    if (acc.element != Element::kF32) {
      const auto put_integers = accumulate ? &put_block<std::uint32_t, true> : &put_block<std::uint32_t, false>;
      put_integers(block, part, at.rows, at.cols);
    } else if (accumulate) {
      put_block<float, true>(block, part, at.rows, at.cols);
    } else {
      copy_block(block, part, at.rows, at.cols, sizeof(float));
    }
  });
}

}  // namespace

bool has_level(MatrixLevel level) noexcept {
#ifdef TILEPUT_X86_LEVELS
  // The features that the compiler was allowed for the level's file, see src/CMakeLists.txt.
  switch (level) {
    case MatrixLevel::kAvx512:
      return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
             __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    case MatrixLevel::kAvx2: return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    case MatrixLevel::kBaseline: return true;
  }
  return false;
#else
  return level == MatrixLevel::kBaseline;
#endif
}

void multiply_with(MatrixLevel level, const TileRegion& acc, const TileRegion& left, const TileRegion& right,
                   bool accumulate) {
  thread_local Scratch left_scratch;
  thread_local Scratch right_scratch;
  thread_local Scratch product_scratch;
  const std::int64_t rows = left.valid_rows;
  const std::int64_t cols = right.valid_cols;
  const std::int64_t depth = left.valid_cols;
  if (rows == 0 || cols == 0 || (depth == 0 && accumulate)) {
    return;
  }
  const std::int64_t step = std::min(depth, depth_max(left.element));
  const auto bytes_of = [](std::int64_t elements) { return static_cast<std::size_t>(elements * kFloatBytes); };
  std::byte* const product = product_scratch.get(bytes_of(rows * cols));
  const Block in_rows{product, cols * kFloatBytes, kFloatBytes};
  if (depth == 0) {
    std::memset(product, 0, bytes_of(rows * cols));
    put_product(acc, in_rows, rows, cols, false);
    return;
  }
  std::byte* const dense_left = left_scratch.get(bytes_of(rows * step));
  std::byte* const dense_right = right_scratch.get(bytes_of(step * cols));
  for (std::int64_t first = 0; first < depth; first += step) {
    const std::int64_t count = std::min(step, depth - first);
    // The orders that Left and Right tiles have inside their boxes, so that both are copied in runs.
    unpack({dense_left, count * kFloatBytes, kFloatBytes}, left, {.col = first, .rows = rows, .cols = count});
    unpack({dense_right, kFloatBytes, count * kFloatBytes}, right, {.row = first, .rows = count, .cols = cols});
    multiply_dense_with(level, {reinterpret_cast<float*>(product), reinterpret_cast<const float*>(dense_left),
                                reinterpret_cast<const float*>(dense_right), rows, cols, count});
    put_product(acc, in_rows, rows, cols, accumulate || first > 0);
  }
}

void multiply(const TileRegion& acc, const TileRegion& left, const TileRegion& right, bool accumulate) {
  static const MatrixLevel kLevel = best_level();
  multiply_with(kLevel, acc, left, right, accumulate);
}

}  // namespace tileput::machine
