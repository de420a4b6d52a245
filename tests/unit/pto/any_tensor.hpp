// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Tensors whose shape and strides are all known at run time only.

#include <pto/pto-inst.hpp>

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

}  // namespace tileput::test
