// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: TMATMUL: the operands are an Acc, a Left and a Right tile

#include "pto/pto-inst.hpp"

#ifdef MISTAKE
using Left = pto::TileRight<float, 16, 16>;
#else
using Left = pto::TileLeft<float, 16, 16>;
#endif

void multiply(pto::TileAcc<float, 16, 16>& acc, Left& left, pto::TileRight<float, 16, 16>& right) {
  TMATMUL(acc, left, right);
}
