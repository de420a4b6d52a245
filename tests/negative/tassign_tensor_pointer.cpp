// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: a tensor is assigned a pointer to its element type

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
using Pointer = int*;
#else
using Pointer = float*;
#endif

void point(pto::GlobalTensor<float, pto::Shape<>, pto::Stride<>>& tensor, Pointer data) { TASSIGN(tensor, data); }
