// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which instruction sets the vector unit is compiled for. To be included before anything of Highway's.

/// Vectors of a length that only the running machine knows have no lane counts at compile time, which the loops of the
/// vector unit use; those machines also have NEON.
///
/// Levels between those that differ for these loops would only be built: SSE2, AVX2 and AVX-512 are the three of
/// x86-64.
#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
