// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: AtomicAdd needs tile and tensor of the same element type

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
constexpr pto::AtomicType kMode = pto::AtomicType::AtomicAdd;
#else
constexpr pto::AtomicType kMode = pto::AtomicType::AtomicNone;
#endif
using Tensor = pto::GlobalTensor<half, pto::Shape<>, pto::Stride<>>;
using Tile = pto::TileAcc<float, 16, 16>;

void store(Tensor& target, Tile& tile) { pto::TSTORE<Tile, Tensor, kMode>(target, tile); }
