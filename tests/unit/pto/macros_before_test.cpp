// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// A kernel that defines the address-space macros before it includes the instruction set (spec section 1.3), as the
/// device compiler wants them.

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

#include <pto/pto-inst.hpp>

#include "platform_comm/comm_context.h"
#include "tensor.h"

#include <gtest/gtest.h>

namespace {

static __aicore__ inline int add(__gm__ int* a, int b) { return *a + b; }
AICORE inline int twice(int a) { return 2 * a; }
PTO_INST int three() { return 3; }
PTO_INTERNAL int four() { return 4; }
PTO_INLINE int five() { return 5; }
inline __global__ int six(__in__ int*, __out__ int*) { return 6; }

TEST(MacrosBefore, AreEmptyAfterwards) {
  int value = 1;
  EXPECT_EQ(add(&value, 2), 3);
  EXPECT_EQ(twice(2) + three() + four() + five() + six(nullptr, nullptr), 22);
  __ubuf__ __cbuf__ __ca__ __cb__ __cc__ __fbuf__ __biasbuf__ __tf__ int other = 5;
  EXPECT_EQ(other, 5);
}

}  // namespace

// Once more: every inclusion of the umbrella empties them again.
#undef __aicore__
#define __aicore__ [aicore]
#include <pto/pto-inst.hpp>  // NOLINT(build/include)

namespace {
TEST(MacrosBefore, AreEmptyAfterTheSecondInclusion) {
  static const auto seven = [] __aicore__() { return 7; };
  EXPECT_EQ(seven(), 7);
}
}  // namespace
