// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: tile and tensor must have elements of the same size

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;

#ifdef MISTAKE
using Element = half;
#else
using Element = int32_t;
#endif

void load(Staging<float>& tile, Tensor<Element>& source) { TLOAD(tile, source); }
