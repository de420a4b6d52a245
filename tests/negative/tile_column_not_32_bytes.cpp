// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: a column of an unboxed column-major tile

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr int kRows = 12;
#else
constexpr int kRows = 16;
#endif
using Column = pto::Tile<pto::TileType::Vec, std::int16_t, kRows, 1, pto::BLayout::ColMajor>;
static_assert(sizeof(Column) != 0);
