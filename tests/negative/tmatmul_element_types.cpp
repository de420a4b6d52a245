// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TMATMUL: left and right have the same elements

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Element = bfloat16_t;
#else
using Element = half;
#endif

void multiply(pto::TileAcc<float, 16, 16>& acc, pto::TileLeft<Element, 16, 16>& left,
              pto::TileRight<half, 16, 16>& right) {
  TMATMUL(acc, left, right);
}
