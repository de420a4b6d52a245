// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TEXPANDS: the target is a Vec tile

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Target = pto::Tile<pto::TileType::Mat, float, 1, 8>;
#else
using Target = pto::Tile<pto::TileType::Vec, float, 1, 8>;
#endif

void fill(Target& tile) { TEXPANDS(tile, 1.0F); }
