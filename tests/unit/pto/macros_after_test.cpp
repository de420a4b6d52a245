// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// A kernel that defines the address-space macros after it included the instruction set (spec section 1.3).

#include "tensor.h"

#include "pto/pto-inst.hpp"

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

#include "pipe_sync.h"
#include "platform_comm/comm_context.h"
#include "pto/comm/comm_types.hpp"
#include "pto/comm/pto_comm_inst.hpp"

#include <gtest/gtest.h>

namespace {

static __aicore__ inline int add(__gm__ int* a, int b) { return *a + b; }

TEST(MacrosAfter, AreEmpty) {
  int value = 1;
  EXPECT_EQ(add(&value, 2), 3);
}

#if !defined(__DAV_VEC__) && !defined(__DAV_CUBE__)
#error "pipe_sync.h of the public headers needs one of these after the pto header"
#endif

}  // namespace
