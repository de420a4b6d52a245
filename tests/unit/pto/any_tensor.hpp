// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Tensors whose shape and strides are all known at run time only.

#include <pto/pto-inst.hpp>

#include <cstdint>
#include <utility>

#include "support.hpp"

namespace tileput::test {

using AnyShape = pto::Shape<>;
using AnyStride = pto::Stride<>;
template <class T, pto::Layout layout = pto::Layout::ND>
using AnyTensor = pto::GlobalTensor<T, AnyShape, AnyStride, layout>;

template <class T, pto::Layout layout = pto::Layout::ND>
AnyTensor<T, layout> tensor_of(T* data, const Extents& n, const Extents& s) {
  return {data, AnyShape(n[0], n[1], n[2], n[3], n[4]), AnyStride(s[0], s[1], s[2], s[3], s[4])};
}

/// Row and column of the tile for a tensor index, as spec section 8.1 enumerates them.
inline std::pair<std::int64_t, std::int64_t> place(pto::Layout layout, const Extents& n, const Extents& i) {
  switch (layout) {
    case pto::Layout::DN: return {i[3], ((i[0] * n[1] + i[1]) * n[2] + i[2]) * n[4] + i[4]};
    case pto::Layout::NZ: return {i[2] * n[3] + i[3], (i[0] * n[1] + i[1]) * n[4] + i[4]};
    default: return {((i[0] * n[1] + i[1]) * n[2] + i[2]) * n[3] + i[3], i[4]};
  }
}

}  // namespace tileput::test
