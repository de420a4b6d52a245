// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: an Acc tile is stored to a tensor of its own element type

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;

#ifdef MISTAKE
using Element = int32_t;
#else
using Element = float;
#endif

void store(Tensor<Element>& target, pto::TileAcc<float, 16, 16>& tile) { TSTORE(target, tile); }
