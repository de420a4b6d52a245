// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: four values need exactly four DYNAMIC dimensions

#include "pto/common/pto_tile.hpp"

#ifdef MISTAKE
pto::Stride<1, 1, 1, pto::DYNAMIC, 1> stride(4, 3, 2, 1);
#else
pto::Stride<pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC, 1> stride(4, 3, 2, 1);
#endif
