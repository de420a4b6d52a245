// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: RowValid must be DYNAMIC or between 1 and Rows

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr int kValid = 5;
#else
constexpr int kValid = 4;
#endif
using Tall = pto::Tile<pto::TileType::Vec, float, 4, 8, pto::BLayout::RowMajor, kValid, 8>;
static_assert(sizeof(Tall) != 0);
