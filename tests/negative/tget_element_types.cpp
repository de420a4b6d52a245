// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: destination and source must have the same element type

#include "pto/pto-inst.hpp"

template <class T>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;

#ifdef MISTAKE
using Source = Tensor<int32_t>;
#else
using Source = Tensor<const float>;
#endif

void get(Tensor<float>& target, Source& source, Staging<float>& tile) { pto::comm::TGET(target, source, tile); }
