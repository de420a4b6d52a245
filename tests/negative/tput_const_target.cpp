// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: the destination's elements are const

#include "pto/pto-inst.hpp"

template <class T>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>>;
using Staging = pto::Tile<pto::TileType::Vec, float, 1, 64>;

#ifdef MISTAKE
using Target = Tensor<const float>;
#else
using Target = Tensor<float>;
#endif

void put(Target& target, Tensor<const float>& source, Staging& tile) { pto::comm::TPUT(target, source, tile); }
