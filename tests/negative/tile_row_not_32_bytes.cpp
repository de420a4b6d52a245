// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: a row of an unboxed row-major tile

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
using Bad = pto::Tile<pto::TileType::Vec, float, 4, 7>;
#else
using Bad = pto::Tile<pto::TileType::Vec, float, 4, 8, pto::BLayout::RowMajor, 4, 7>;
#endif
static_assert(sizeof(Bad) != 0);
