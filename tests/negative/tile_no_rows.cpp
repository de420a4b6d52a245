// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: Rows and Cols must be positive

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr int kRows = 0;
#else
constexpr int kRows = 1;
#endif
using Empty = pto::Tile<pto::TileType::Vec, float, kRows, 8, pto::BLayout::RowMajor, pto::DYNAMIC, 8>;
static_assert(sizeof(Empty) != 0);
