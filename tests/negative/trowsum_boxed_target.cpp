// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TROWSUM: the target is not boxed

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Sums = pto::Tile<pto::TileType::Vec, float, 16, 8, pto::BLayout::ColMajor, 16, 8, pto::SLayout::RowMajor, 512>;
#else
using Sums = pto::Tile<pto::TileType::Vec, float, 16, 8>;
#endif

void sum(Sums& sums, pto::Tile<pto::TileType::Vec, float, 8, 8>& source,
         pto::Tile<pto::TileType::Vec, float, 8, 8>& scratch) {
  TROWSUM(sums, source, scratch);
}
