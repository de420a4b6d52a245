// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Copies out what the task before it waited for.

#include <pto/pto-inst.hpp>

#include "intrinsic.h"
#include "tensor.h"

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

using namespace pto;  // NOLINT(build/namespaces)

static constexpr int kCount = 64;

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* scratch_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* out_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ float* slot = reinterpret_cast<__gm__ float*>(scratch_tensor->buffer.addr);
  __gm__ float* out = reinterpret_cast<__gm__ float*>(out_tensor->buffer.addr) + out_tensor->start_offset;
  if (get_block_idx(args) != 0 || get_block_num(args) != 1) {
    return;
  }
  using Row = GlobalTensor<float, Shape<1, 1, 1, 1, kCount>, Stride<kCount, kCount, kCount, kCount, 1>>;
  Tile<TileType::Vec, float, 1, kCount> tile;
  TASSIGN(tile, 0x0);
  Row arrived(slot), result(out);
  TLOAD(tile, arrived);
  set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
  wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
  TSTORE(result, tile);
  pipe_barrier(PIPE_ALL);
  dcci(slot, ENTIRE_DATA_CACHE, CACHELINE_OUT);
  out[kCount] = slot[kCount - 1];
}
