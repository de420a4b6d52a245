// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: Rows of a tile whose boxes are column-major in both orders must be a multiple of InnerRows

#include "pto/common/pto_tile.hpp"

template <pto::TileType kLoc, int kRows>
using Boxed = pto::Tile<kLoc, float, kRows, 32, pto::BLayout::ColMajor, kRows, 32, pto::SLayout::ColMajor, 512>;

static_assert(sizeof(Boxed<pto::TileType::Vec, 24>) != 0);
#ifdef MISTAKE
static_assert(sizeof(Boxed<pto::TileType::Vec, 20>) != 0);
#endif
