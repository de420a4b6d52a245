// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The native action of TMATMUL and TMATMUL_ACC. In the library, because which vector instructions the machine has is
/// known only there, at run time.

#include "tileput/machine/instruction.hpp"

namespace tileput::machine {

/// Whether the product of the valid regions exists, its operands lie inside their storage and `acc` can hold it.
constexpr bool is_product(const TileRegion& acc, const TileRegion& left, const TileRegion& right) noexcept {
  const bool counts = left.valid_rows >= 0 && left.valid_cols >= 0 && right.valid_cols >= 0;  // an unsigned may wrap
  return counts && left.valid_cols == right.valid_rows && left.valid_rows <= left.rows &&
         left.valid_cols <= left.cols && right.valid_rows <= right.rows && right.valid_cols <= right.cols &&
         left.valid_rows <= acc.rows && right.valid_cols <= acc.cols;
}

/// acc(i,j) = sum_k left(i,k) * right(k,j), or acc(i,j) += it, over the valid rows and columns of `left` and `right`,
/// for which is_product() holds. kF32, kF16 or kBf16 into kF32, where products are exact and sums are rounded in an
/// unspecified order; kS8 or kU8 into kS32, exact, wrapping.
void multiply(const TileRegion& acc, const TileRegion& left, const TileRegion& right, bool accumulate);

}  // namespace tileput::machine
