// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The function prefixes of instructions and kernel helpers (spec section 1.3). AICORE, which is empty, comes from
/// address_space.hpp.

#define PTO_INST inline __attribute__((always_inline))
#define PTO_INTERNAL inline __attribute__((always_inline))
#define PTO_INLINE inline __attribute__((always_inline))

#include "pto/common/address_space.hpp"
