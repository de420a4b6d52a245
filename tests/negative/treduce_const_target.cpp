// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TREDUCE: the destination's elements are const

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;
template <class T>
using Group = pto::comm::ParallelGroup<Tensor<T>>;

#ifdef MISTAKE
using Target = Tensor<const float>;
#else
using Target = Tensor<float>;
#endif

void reduce(Group<float>& group, Target& target, Staging<float>& acc, Staging<float>& recv) {
  pto::comm::TREDUCE(group, target, acc, recv, pto::comm::ReduceOp::Sum);
}
