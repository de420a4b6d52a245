// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: one value needs exactly one DYNAMIC dimension

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
pto::Stride<> stride{64};
#else
pto::Stride<1, 1, 1, pto::DYNAMIC, 1> stride{64};
#endif
