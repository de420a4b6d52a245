// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TPUT: AtomicAdd adds float, half, bfloat16_t, int32_t, int16_t or int8_t

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;

#ifdef MISTAKE
using Element = uint32_t;
#else
using Element = int32_t;
#endif

void add(Tensor<Element>& target, Tensor<Element>& source, Staging<Element>& tile) {
  pto::comm::TPUT<pto::AtomicType::AtomicAdd>(target, source, tile);
}
