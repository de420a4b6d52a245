// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: the destination's elements are const

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;

#ifdef MISTAKE
using Element = const float;
#else
using Element = float;
#endif

void store(Tensor<Element>& target, Staging<float>& tile) { TSTORE(target, tile); }
