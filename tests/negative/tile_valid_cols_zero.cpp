// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: ColValid must be DYNAMIC or between 1 and Cols

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr int kValid = 0;
#else
constexpr int kValid = 1;
#endif
using Narrow = pto::Tile<pto::TileType::Vec, float, 4, 8, pto::BLayout::RowMajor, 4, kValid>;
static_assert(sizeof(Narrow) != 0);
