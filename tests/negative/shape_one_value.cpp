// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: one value needs exactly one DYNAMIC dimension

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
pto::Shape<1, 1, 1, pto::DYNAMIC, pto::DYNAMIC> shape(4);
#else
pto::Shape<1, 1, 1, pto::DYNAMIC, 8> shape(4);
#endif
