// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: group and local tensor must have the same element type

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;
template <class T>
using Group = pto::comm::ParallelGroup<Tensor<T>>;

#ifdef MISTAKE
using Source = Tensor<int32_t>;
#else
using Source = Tensor<float>;
#endif

void broadcast(Group<float>& group, Source& source, Staging<float>& tile) {
  pto::comm::TBROADCAST(group, source, tile);
}
