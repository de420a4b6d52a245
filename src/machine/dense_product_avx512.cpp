// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#define TILEPUT_MATRIX_LEVEL avx512
#include "machine/dense_product_level.hpp"
