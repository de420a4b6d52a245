// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: ColValid must be DYNAMIC or between 1 and Cols

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr int kColValid = 9;
#else
constexpr int kColValid = 8;
#endif
using Wide = pto::Tile<pto::TileType::Vec, float, 4, 8, pto::BLayout::RowMajor, 4, kColValid>;
static_assert(sizeof(Wide) != 0);
