// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: only the tensor layouts ND, DN and NZ can be moved

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;

#ifdef MISTAKE
constexpr auto kLayout = pto::Layout::NC1HWC0;
#else
constexpr auto kLayout = pto::Layout::NZ;
#endif

void load(Staging<float>& tile, Tensor<float, kLayout>& source) { TLOAD(tile, source); }
