// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: the valid rows are not DYNAMIC

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr int kValid = 4;
#else
constexpr int kValid = pto::DYNAMIC;
#endif

void cut(pto::Tile<pto::TileType::Vec, float, 4, 8, pto::BLayout::RowMajor, kValid, 8>& tile) { tile.SetValidRow(2); }
