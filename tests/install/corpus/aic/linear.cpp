// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// partial = x times w on the matrix unit: two loads, two moves, one product, one store.

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

#include <pto/pto-inst.hpp>

#include "pipe_sync.h"
#include "tensor.h"

using namespace pto;  // NOLINT(build/namespaces)

template <typename T, int R, int L, int N>
AICORE inline void local_linear_impl(__gm__ T* x, __gm__ T* w, __gm__ T* partial) {
  using GlobalX = GlobalTensor<T, TileShape2D<T, R, L>, BaseShape2D<T, R, L>>;
  using GlobalW = GlobalTensor<T, TileShape2D<T, L, N>, BaseShape2D<T, L, N>>;
  using GlobalOut = GlobalTensor<float, TileShape2D<float, R, N>, BaseShape2D<float, R, N>>;
  Tile<TileType::Mat, T, R, L, BLayout::ColMajor, R, L, SLayout::RowMajor, 512> x_tile;
  Tile<TileType::Mat, T, L, N, BLayout::ColMajor, L, N, SLayout::RowMajor, 512> w_tile;
  TileLeft<T, R, L> left;
  TileRight<T, L, N> right;
  TileAcc<float, R, N> acc;
  TASSIGN(x_tile, 0x0);
  TASSIGN(w_tile, 0x10000);
  TASSIGN(left, 0x0);
  TASSIGN(right, 0x0);
  TASSIGN(acc, 0x0);

  GlobalX x_global(x);
  GlobalW w_global(w);
  GlobalOut out_global(partial);
  TLOAD(x_tile, x_global);
  TLOAD(w_tile, w_global);
  set_flag(PIPE_MTE2, PIPE_MTE1, EVENT_ID0);
  wait_flag(PIPE_MTE2, PIPE_MTE1, EVENT_ID0);
  TMOV(left, x_tile);
  TMOV(right, w_tile);
  set_flag(PIPE_MTE1, PIPE_M, EVENT_ID0);
  wait_flag(PIPE_MTE1, PIPE_M, EVENT_ID0);
  TMATMUL(acc, left, right);
  set_flag(PIPE_M, PIPE_FIX, EVENT_ID0);
  wait_flag(PIPE_M, PIPE_FIX, EVENT_ID0);
  TSTORE(out_global, acc);
  pipe_barrier(PIPE_ALL);
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* scratch_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ float* in = reinterpret_cast<__gm__ float*>(in_tensor->buffer.addr) + in_tensor->start_offset;
  __gm__ float* partial = reinterpret_cast<__gm__ float*>(scratch_tensor->buffer.addr);
  local_linear_impl<float, 16, 16, 16>(in, in + 256, partial);
  pipe_sync();
}
