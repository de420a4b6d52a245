// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TROWSUM: the source is row-major and not boxed

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Source = pto::Tile<pto::TileType::Vec, float, 8, 8, pto::BLayout::ColMajor>;
#else
using Source = pto::Tile<pto::TileType::Vec, float, 8, 8>;
#endif

void sum(pto::Tile<pto::TileType::Vec, float, 8, 1, pto::BLayout::ColMajor>& sums, Source& source, Source& scratch) {
  TROWSUM(sums, source, scratch);
}
