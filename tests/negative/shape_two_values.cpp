// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: two values need exactly two DYNAMIC dimensions

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
pto::Shape<1, 1, 1, 1, 8> shape(4, 8);
#else
pto::Shape<1, 1, 1, pto::DYNAMIC, pto::DYNAMIC> shape(4, 8);
#endif
