// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: destination and source must have the same layout

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;

#ifdef MISTAKE
using Source = Tensor<float, pto::Layout::DN>;
#else
using Source = Tensor<float, pto::Layout::ND>;
#endif

void put(Tensor<float>& target, Source& source, Staging<float>& tile) { pto::comm::TPUT(target, source, tile); }
