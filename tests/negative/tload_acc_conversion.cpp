// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: tile and tensor must have elements of the same size

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Element = half;
#else
using Element = float;
#endif
using Tensor = pto::GlobalTensor<Element, pto::Shape<>, pto::Stride<>>;

void load(pto::TileAcc<float, 16, 16>& tile, Tensor& source) { TLOAD(tile, source); }
