// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TROWSUM: all operands have the same element type

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Sums = pto::Tile<pto::TileType::Vec, int32_t, 8, 1, pto::BLayout::ColMajor>;
#else
using Sums = pto::Tile<pto::TileType::Vec, float, 8, 1, pto::BLayout::ColMajor>;
#endif

void sum(Sums& sums, pto::Tile<pto::TileType::Vec, float, 8, 8>& source,
         pto::Tile<pto::TileType::Vec, float, 8, 8>& scratch) {
  TROWSUM(sums, source, scratch);
}
