// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Kernels with one defect each, which the sanitizers must report.
//
// Arguments: out [2 int64], window [4000 bytes]; ignored, which defect, CommContext.

#include <sched.h>
#include <pto/pto-inst.hpp>

#include "../conformance/kernels/kernel_support.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ int64_t* out = test_kernel::data_of<int64_t>(args[0]);
  __gm__ ChipTensor* window = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ uint8_t* bytes = test_kernel::data_of<uint8_t>(args[1]);
  __gm__ int32_t* words = test_kernel::data_of<int32_t>(args[1]);
  __gm__ CommContext* ctx = test_kernel::context_of(args[4]);
  const uint64_t size = window->buffer.size;
  switch (args[3]) {
    case 0:  // none
      bytes[size - 1] = 1;
      break;
    case 1:  // one byte behind the own window
      bytes[size] = 1;
      break;
    case 2:  // one word behind the peer's window, through the instruction
    {
      using Row = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<1, 1, 1, 1, 1>>;
      pto::Tile<pto::TileType::Vec, int32_t, 1, 8> tile;
      TASSIGN(tile, 0x0);
      Row source(words);
      Row target(test_kernel::remote(ctx, words + size / 4 - 7, 1 - static_cast<int>(ctx->rankId)));
      pto::comm::TPUT(target, source, tile);
      break;
    }
    case 3: {  // an array on the kernel's stack
      volatile int32_t local[4] = {};
      volatile int64_t index = 4 + (args[2] & 1);
      local[index] = 1;
      out[1] = local[0];
      break;
    }
    default: {  // both ranks write one word of rank 0 without a signal between them
      volatile int32_t* const word = test_kernel::remote(ctx, words + 64, 0);
      for (int i = 0; i < 1000; ++i) {
        *word = *word + 1;
        sched_yield();
      }
      break;
    }
  }
  out[0] = 1;
}
