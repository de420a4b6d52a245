// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// One number into an output. Arguments: out [1 int32]; value.

#include <pto/pto-inst.hpp>

#include "kernel_support.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  *test_kernel::data_of<int32_t>(args[0]) = static_cast<int32_t>(args[1]);
}
