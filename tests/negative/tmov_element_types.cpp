// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TMOV: both tiles must have the same element type

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Element = int32_t;
#else
using Element = float;
#endif

void move(pto::TileLeft<float, 16, 16>& target, pto::Tile<pto::TileType::Mat, Element, 16, 16>& source) {
  TMOV(target, source);
}
