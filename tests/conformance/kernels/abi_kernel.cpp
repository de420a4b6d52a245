// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Reports its argument array: three tensors, ten scalars of every kind, CommContext last.
//
// Arguments: in [7 int16], out [24 int64], window; int8, uint8, int16, int32, uint32, int64, uint64, float, double,
// bool, CommContext.

#include <pto/pto-inst.hpp>

#include "intrinsic.h"
#include "kernel_support.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ int64_t* out = test_kernel::data_of<int64_t>(args[1]);
  __gm__ ChipTensor* window = reinterpret_cast<__gm__ ChipTensor*>(args[2]);
  for (int i = 0; i < 10; ++i) {
    out[i] = args[3 + i];
  }
  __gm__ CommContext* ctx = test_kernel::context_of(args[13]);
  out[10] = ctx->rankId;
  out[11] = window->buffer.addr == ctx->windowsIn[ctx->rankId] ? 1 : 0;
  out[12] = in->ndims;
  out[13] = in->shapes[0];
  out[14] = static_cast<int64_t>(in->dtype);
  out[15] = static_cast<int64_t>(in->buffer.size);
  out[16] = test_kernel::data_of<int16_t>(args[0])[6];
  out[17] = get_block_idx(args);
  out[18] = get_block_num(args);
  out[19] = get_sub_block_id(args);
  out[20] = args[48] != 0 && args[49] != 0 ? 1 : 0;
  out[21] = in->shapes[1];
}
