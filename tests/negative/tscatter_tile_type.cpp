// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: the tiles must have the tensors' element type

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;
template <class T>
using Group = pto::comm::ParallelGroup<Tensor<T>>;

#ifdef MISTAKE
using Tile = Staging<int32_t>;
#else
using Tile = Staging<float>;
#endif

void scatter(Group<float>& group, Tensor<float>& source, Tile& ping, Tile& pong) {
  pto::comm::TSCATTER(group, source, ping, pong);
}
