// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: SFractalSize must be 512, 1024 or 32

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr int kFractal = 256;
#else
constexpr int kFractal = 1024;
#endif
using Boxed =
    pto::Tile<pto::TileType::Mat, float, 16, 16, pto::BLayout::ColMajor, 16, 16, pto::SLayout::RowMajor, kFractal>;
static_assert(sizeof(Boxed) != 0);
