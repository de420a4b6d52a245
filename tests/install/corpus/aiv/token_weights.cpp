// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Weights the rows of a token table and sums them, through bfloat16 and back: the arithmetic of a combine step.

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

#include <pto/pto-inst.hpp>

#include "tensor.h"

using namespace pto;  // NOLINT(build/namespaces)

static constexpr int N = 2;
static constexpr int T = 16;
static constexpr int TOPK = 2;
static constexpr int D = 8;
static constexpr int L = 4;
static constexpr int R = 64;
static constexpr int N_ROUTES = T * TOPK;
static constexpr int W_PAD = 8;
static constexpr int IDX_PAD = 16;
static constexpr int TILE = T * W_PAD;

AICORE constexpr int CeilAlign(int value, int to) { return (value + to - 1) / to * to; }
static constexpr int kTileBytes = CeilAlign(TILE * sizeof(float), 0x100);

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* out_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ float* in = reinterpret_cast<__gm__ float*>(in_tensor->buffer.addr) + in_tensor->start_offset;
  __gm__ float* out = reinterpret_cast<__gm__ float*>(out_tensor->buffer.addr) + out_tensor->start_offset;

  using Table = GlobalTensor<float, Shape<1, 1, 1, T, W_PAD>, Stride<TILE, TILE, TILE, W_PAD, 1>>;
  using Sums = GlobalTensor<float, Shape<1, 1, 1, T, 1>, Stride<1, 1, 1, 1, 1>, Layout::DN>;
  using TableTile = Tile<TileType::Vec, float, T, W_PAD>;
  using NarrowTile = Tile<TileType::Vec, bfloat16_t, T, IDX_PAD, BLayout::RowMajor, T, W_PAD>;
  using SumTile = Tile<TileType::Vec, float, T, 1, BLayout::ColMajor>;

  TableTile x, halves, scratch;
  NarrowTile narrow;
  SumTile sums;
  TASSIGN(x, 0x0);
  TASSIGN(halves, kTileBytes);
  TASSIGN(narrow, 2 * kTileBytes);
  TASSIGN(scratch, 0x10000);
  TASSIGN(sums, 0x20000);

  Table table(in);
  TLOAD(x, table);
  set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
  wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
  TMULS(halves, x, 0.5f);
  pipe_barrier(PIPE_V);
  TADD(x, x, halves);
  pipe_barrier(PIPE_V);
  TCVT(narrow, x, RoundMode::CAST_ROUND);
  pipe_barrier(PIPE_V);
  TCVT(x, narrow, RoundMode::CAST_ROUND);
  pipe_barrier(PIPE_V);
  TROWSUM(sums, x, scratch);
  set_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
  wait_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
  Sums result(out);
  TSTORE(result, sums);
  pipe_barrier(PIPE_ALL);
  for (int route = 0; route < N_ROUTES; ++route) {
    out[R + route] = static_cast<float>(route / TOPK * D + route % TOPK * L + N);
  }
}
