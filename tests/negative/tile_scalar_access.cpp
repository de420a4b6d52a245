// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: only Vec tiles have scalar access

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr auto kLoc = pto::TileType::Mat;
#else
constexpr auto kLoc = pto::TileType::Vec;
#endif

float first(pto::Tile<kLoc, float, 4, 8>& tile) { return tile.GetValue(0); }
