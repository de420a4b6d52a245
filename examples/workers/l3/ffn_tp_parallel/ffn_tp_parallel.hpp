// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A feed-forward layer split over ranks: each has a slice of x and w, and all end with the sum of the products.

#include <cstdint>
#include <memory>

#include "common/scene.hpp"

namespace example {

struct FfnTpParallelOptions {
  int ranks = 2;
  std::uint32_t rows = 64;     ///< of x and y
  std::uint32_t inner = 64;    ///< columns of x, rows of w
  std::uint32_t columns = 64;  ///< of w and y
  Payload payload = Payload::kFormula;
};

/// Two submissions in one run: a matrix product for each rank on its cube core, then a group that adds them up. Only
/// the partial results, which the first writes and the second reads, order them.
/// Errors: kBadArgument for 0 rows, columns or inner elements, tensors of 2^32 elements, and random payloads whose sum
/// would not be exact.
std::unique_ptr<Scene> make_ffn_tp_parallel(const FfnTpParallelOptions& options);

}  // namespace example
