// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: Rows of a boxed tile must be a multiple of InnerRows

#include "pto/common/pto_tile.hpp"

template <pto::TileType kLoc, int kRows>
using Boxed = pto::Tile<kLoc, float, kRows, 16, pto::BLayout::ColMajor, kRows, 16, pto::SLayout::RowMajor, 512>;

// Vec tiles and single rows are exempt.
static_assert(sizeof(Boxed<pto::TileType::Vec, 20>) != 0 && sizeof(Boxed<pto::TileType::Mat, 1>) != 0);
#ifdef MISTAKE
static_assert(sizeof(Boxed<pto::TileType::Mat, 20>) != 0);
#endif
