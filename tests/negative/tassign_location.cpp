// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: only Vec, Mat, Left, Right and Acc tiles have on-chip memory

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr auto kLoc = pto::TileType::Bias;
#else
constexpr auto kLoc = pto::TileType::Acc;
#endif

void bind(pto::Tile<kLoc, float, 4, 8>& tile) { TASSIGN(tile, 0); }
