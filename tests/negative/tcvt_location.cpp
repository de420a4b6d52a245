// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TCVT: all operands are Vec tiles

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Source = pto::Tile<pto::TileType::Mat, float, 1, 8>;
#else
using Source = pto::Tile<pto::TileType::Vec, float, 1, 8>;
#endif

void convert(pto::Tile<pto::TileType::Vec, int32_t, 1, 8>& target, Source& source) {
  TCVT(target, source, pto::RoundMode::CAST_RINT);
}
