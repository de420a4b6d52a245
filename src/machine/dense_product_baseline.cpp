// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#define TILEPUT_MATRIX_LEVEL baseline
#include "machine/dense_product_level.hpp"
