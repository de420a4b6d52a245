// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: the destination's elements are const

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;
template <class T>
using Group = pto::comm::ParallelGroup<Tensor<T>>;

#ifdef MISTAKE
using Members = Group<const float>;
#else
using Members = Group<float>;
#endif

void broadcast(Members& group, Tensor<const float>& source, Staging<float>& tile) {
  pto::comm::TBROADCAST(group, source, tile);
}
