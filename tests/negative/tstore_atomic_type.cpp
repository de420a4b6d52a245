// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: AtomicAdd adds float, half

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Element = uint32_t;
#else
using Element = int32_t;
#endif
using Tensor = pto::GlobalTensor<Element, pto::Shape<>, pto::Stride<>>;
using Tile = pto::Tile<pto::TileType::Vec, Element, 1, 64>;

void add(Tensor& target, Tile& tile) { pto::TSTORE<Tile, Tensor, pto::AtomicType::AtomicAdd>(target, tile); }
