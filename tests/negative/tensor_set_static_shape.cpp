// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: SetShape: the dimension is not DYNAMIC

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
constexpr int kDim = 4;
#else
constexpr int kDim = 3;
#endif

void cut(pto::GlobalTensor<float, pto::Shape<1, 1, 1, pto::DYNAMIC, 8>, pto::Stride<>>& tensor) {
  tensor.SetShape<kDim>(2);
}
