// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: the accumulator of floating-point tiles has float elements

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Element = float;
#else
using Element = int32_t;
#endif

void multiply(pto::TileAcc<Element, 16, 16>& acc, pto::TileLeft<int8_t, 32, 32>& left,
              pto::TileRight<int8_t, 32, 32>& right) {
  TMATMUL_ACC(acc, left, right);
}
