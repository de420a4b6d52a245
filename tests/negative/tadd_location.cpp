// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TADD/TSUB/TMUL/TMAX/TMIN: all operands are Vec tiles

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Source = pto::Tile<pto::TileType::Mat, float, 1, 8>;
#else
using Source = pto::Tile<pto::TileType::Vec, float, 1, 8>;
#endif

void add(pto::Tile<pto::TileType::Vec, float, 1, 8>& target, Source& source) { TADD(target, target, source); }
