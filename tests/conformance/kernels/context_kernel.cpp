// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What a rank sees of its domain.
//
// Arguments: out [16 int64], buffer a, buffer b (adjacent, of one window); dirty, CommContext.

#include <pto/pto-inst.hpp>

#include "kernel_support.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ int64_t* out = test_kernel::data_of<int64_t>(args[0]);
  __gm__ uint8_t* a = test_kernel::data_of<uint8_t>(args[1]);
  __gm__ uint8_t* b = test_kernel::data_of<uint8_t>(args[2]);
  __gm__ ChipTensor* a_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ ChipTensor* b_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[2]);
  __gm__ CommContext* ctx = test_kernel::context_of(args[4]);
  const int me = static_cast<int>(ctx->rankId);
  const int n = static_cast<int>(ctx->rankNum);

  out[0] = ctx->rankId;
  out[1] = ctx->rankNum;
  out[2] = static_cast<int64_t>(ctx->winSize);
  out[3] = test_kernel::remote(ctx, b, me) == b ? 1 : 0;
  out[4] = reinterpret_cast<uint64_t>(a) == ctx->windowsIn[me] ? 1 : 0;
  out[5] = b - a;
  int64_t nonzero = 0;
  int64_t misaligned = 0;
  int64_t overlaps = 0;
  int64_t unequal = 0;
  for (int r = 0; r < n; ++r) {
    misaligned += ctx->windowsIn[r] % 4096 == 0 ? 0 : 1;
    unequal += ctx->windowsIn[r] == ctx->windowsOut[r] ? 0 : 1;
    for (int s = 0; s < r; ++s) {
      const uint64_t low = ctx->windowsIn[r] < ctx->windowsIn[s] ? ctx->windowsIn[r] : ctx->windowsIn[s];
      const uint64_t high = ctx->windowsIn[r] < ctx->windowsIn[s] ? ctx->windowsIn[s] : ctx->windowsIn[r];
      overlaps += high - low < ctx->winSize ? 1 : 0;
    }
    if (args[3] == 0) {
      const auto* const bytes = reinterpret_cast<const uint8_t*>(ctx->windowsIn[r]);
      for (uint64_t i = 0; i < ctx->winSize; ++i) {
        nonzero += bytes[i] == 0 ? 0 : 1;
      }
    }
  }
  out[6] = nonzero;
  out[7] = misaligned;
  out[8] = overlaps;
  out[9] = unequal;
  out[10] = static_cast<int64_t>(a_tensor->buffer.size);
  out[11] = static_cast<int64_t>(b_tensor->buffer.size);
  out[12] = static_cast<int64_t>(b_tensor->start_offset);
  out[13] = b_tensor->shapes[0];
  if (args[3] != 0) {
    std::memset(reinterpret_cast<void*>(ctx->windowsIn[me]), 0xff, ctx->winSize);
  }
}
