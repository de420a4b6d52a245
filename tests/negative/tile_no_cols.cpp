// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: Rows and Cols must be positive

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr int kCols = 0;
#else
constexpr int kCols = 8;
#endif
using Empty = pto::Tile<pto::TileType::Vec, float, 8, kCols, pto::BLayout::RowMajor, 8, pto::DYNAMIC>;
static_assert(sizeof(Empty) != 0);
