// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TADDS/TSUBS/TMULS/TMAXS/TMINS/TDIVS: elements are float, half, bfloat16_t or integers of 8, 16 or 32 bits

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Operand = pto::Tile<pto::TileType::Vec, int64_t, 1, 8>;
#else
using Operand = pto::Tile<pto::TileType::Vec, int32_t, 1, 8>;
#endif

void divide(Operand& tile) { TDIVS(tile, tile, 3); }
