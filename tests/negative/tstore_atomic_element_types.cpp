// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: AtomicAdd needs tile and tensor of the same element type

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Element = int32_t;
#else
using Element = float;
#endif
using Tensor = pto::GlobalTensor<Element, pto::Shape<>, pto::Stride<>>;
using Tile = pto::Tile<pto::TileType::Vec, float, 1, 64>;

void add(Tensor& target, Tile& tile) { pto::TSTORE<Tile, Tensor, pto::AtomicType::AtomicAdd>(target, tile); }
