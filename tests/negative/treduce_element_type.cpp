// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TREDUCE: reduces float, half, bfloat16_t or integers of up to 32 bits

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;
template <class T>
using Group = pto::comm::ParallelGroup<Tensor<T>>;

#ifdef MISTAKE
using Element = double;
#else
using Element = float;
#endif

void reduce(Group<Element>& group, Tensor<Element>& target, Staging<Element>& acc, Staging<Element>& recv) {
  pto::comm::TREDUCE(group, target, acc, recv, pto::comm::ReduceOp::Sum);
}
