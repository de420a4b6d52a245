// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The body of every dense_product_<level>.cpp, compiled with that level's flags and TILEPUT_MATRIX_LEVEL its name.
///
/// Inline functions of one name that were compiled with different flags would be merged by the linker, and the
/// baseline could end up with instructions that its CPU lacks. Eigen therefore gets a namespace per level, and these
/// files instantiate nothing else: tests/unit/machine/level_objects.sh reads that from the objects' symbols.

#ifndef TILEPUT_MATRIX_LEVEL
#error "TILEPUT_MATRIX_LEVEL names the instruction-set level that this file is compiled for"
#endif

#define TILEPUT_JOIN_AGAIN(a, b) a##b
#define TILEPUT_JOIN(a, b) TILEPUT_JOIN_AGAIN(a, b)
#define Eigen TILEPUT_JOIN(tileput_eigen_, TILEPUT_MATRIX_LEVEL)  // NOLINT(readability-identifier-naming)
#define EIGEN_MPL2_ONLY
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>

#include "machine/dense_product.hpp"

namespace tileput::machine::TILEPUT_MATRIX_LEVEL {

void multiply_dense(const DenseProduct& product) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using ColMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;
  const Eigen::Map<const RowMajor> left(product.left, product.rows, product.depth);
  const Eigen::Map<const ColMajor> right(product.right, product.depth, product.cols);
  Eigen::Map<RowMajor> out(product.out, product.rows, product.cols);
  out.noalias() = left * right;
}

}  // namespace tileput::machine::TILEPUT_MATRIX_LEVEL
