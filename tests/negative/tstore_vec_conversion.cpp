// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: tile and tensor must have elements of the same size

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Tile = pto::Tile<pto::TileType::Vec, float, 1, 64>;
#else
using Tile = pto::TileAcc<float, 16, 16>;
#endif
using Tensor = pto::GlobalTensor<half, pto::Shape<>, pto::Stride<>>;

void store(Tensor& target, Tile& tile) { TSTORE(target, tile); }
