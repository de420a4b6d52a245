// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The product of dense matrices, once for every instruction-set level: Eigen chooses its kernels when it is compiled.

#include <cstdint>

#include "tileput/machine/instruction.hpp"

namespace tileput::machine {

/// Levels in rising order. Only the first exists on machines other than x86-64.
enum class MatrixLevel : std::uint8_t { kBaseline, kAvx2, kAvx512 };

/// out(i,j) = sum_k left(i,k) * right(k,j); `left` and `out` are row-major, `right` is column-major, none has gaps.
/// All three extents are positive.
struct DenseProduct {
  float* out;
  const float* left;
  const float* right;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t depth;
};
namespace baseline {
void multiply_dense(const DenseProduct& product);
}
namespace avx2 {
void multiply_dense(const DenseProduct& product);
}
namespace avx512 {
void multiply_dense(const DenseProduct& product);
}

/// Whether this build and this CPU have the level.
bool has_level(MatrixLevel level) noexcept;

/// multiply() of matrix_unit.hpp with the products of one level, which the CPU has.
void multiply_with(MatrixLevel level, const TileRegion& acc, const TileRegion& left, const TileRegion& right,
                   bool accumulate);

}  // namespace tileput::machine
