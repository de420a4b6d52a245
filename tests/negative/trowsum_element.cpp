// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TROWSUM: elements are float, half, bfloat16_t, int32_t or int16_t

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Operand = pto::Tile<pto::TileType::Vec, uint32_t, 8, 8>;
#else
using Operand = pto::Tile<pto::TileType::Vec, int32_t, 8, 8>;
#endif

void sum(Operand& sums, Operand& source, Operand& scratch) { TROWSUM(sums, source, scratch); }
