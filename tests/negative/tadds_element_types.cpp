// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TADDS/TSUBS/TMULS/TMAXS/TMINS/TDIVS: both operands have the same element type

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Source = pto::Tile<pto::TileType::Vec, int32_t, 1, 8>;
#else
using Source = pto::Tile<pto::TileType::Vec, float, 1, 8>;
#endif

void add(pto::Tile<pto::TileType::Vec, float, 1, 8>& target, Source& source) { TADDS(target, source, 1); }
