// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TROWSUM: all operands are Vec tiles

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Source = pto::Tile<pto::TileType::Mat, float, 8, 8>;
#else
using Source = pto::Tile<pto::TileType::Vec, float, 8, 8>;
#endif

void sum(pto::Tile<pto::TileType::Vec, float, 8, 1, pto::BLayout::ColMajor>& sums, Source& source,
         pto::Tile<pto::TileType::Vec, float, 8, 8>& scratch) {
  TROWSUM(sums, source, scratch);
}
