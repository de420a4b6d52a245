// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TSTORE: from an Acc tile, float becomes half, bfloat16_t

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Element = uint32_t;
#else
using Element = int16_t;
#endif
using Tensor = pto::GlobalTensor<Element, pto::Shape<>, pto::Stride<>>;

void store(Tensor& target, pto::TileAcc<float, 16, 16>& tile) { TSTORE(target, tile); }
