// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which instruction sets the vector unit is compiled for. To be included before anything of Highway's.

/// Vectors of a length that only the running machine knows have no lane counts at compile time, which the loops of the
/// vector unit use; those machines also have NEON.
///
/// Levels that differ little for these loops would only take time to build: x86-64 has single lanes, SSE4, AVX2 and
/// AVX-512.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | HWY_AVX3_DL)
