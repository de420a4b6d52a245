// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: three values need exactly three DYNAMIC dimensions

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
pto::Shape<> shape(2, 4, 8);
#else
pto::Shape<1, 1, pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC> shape(2, 4, 8);
#endif
