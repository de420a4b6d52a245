// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: the staging tile must have the tensors' element type

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;

#ifdef MISTAKE
using Tile = Staging<int32_t>;
#else
using Tile = Staging<float>;
#endif

void put(Tensor<float>& target, Tensor<float>& source, Tile& tile, pto::AtomicType atomic) {
  pto::comm::TPUT(target, source, tile, atomic);
}
