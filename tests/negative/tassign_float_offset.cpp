// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: a tile is assigned a byte offset in on-chip memory

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
using Offset = float;
#else
using Offset = unsigned short;
#endif

void bind(pto::Tile<pto::TileType::Vec, float, 4, 8>& tile, Offset offset) { TASSIGN(tile, offset); }
