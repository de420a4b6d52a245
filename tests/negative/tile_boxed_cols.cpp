// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: Cols of a boxed tile must be a multiple of InnerCols

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr int kCols = 12;
#else
constexpr int kCols = 16;
#endif
using Boxed =
    pto::Tile<pto::TileType::Mat, float, 16, kCols, pto::BLayout::ColMajor, 16, kCols, pto::SLayout::RowMajor, 512>;
static_assert(sizeof(Boxed) != 0);
