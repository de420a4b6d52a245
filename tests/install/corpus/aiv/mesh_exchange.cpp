// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// All-to-all by pushes. Macros after the include, namespace opened, run-time shapes, and signals as hand-written
// tensors of five dimensions.

#include "pto/pto-inst.hpp"

#include "platform_comm/comm_context.h"
#include "tensor.h"

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

using namespace pto;  // NOLINT(build/namespaces)

static constexpr size_t COUNT_PER_RANK = 64;
static constexpr int kMaxSupportedRanks = 16;
static constexpr uint64_t kSlotBytes = COUNT_PER_RANK * sizeof(float);
static constexpr uint64_t kOffSlots = 0;
static constexpr uint64_t kOffSignals = kOffSlots + kMaxSupportedRanks * kSlotBytes;

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  uint64_t base = ctx->windowsIn[ctx->rankId];
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] + (reinterpret_cast<uint64_t>(local) - base));
}

AICORE inline void MeshBarrier(__gm__ CommContext* ctx, __gm__ int32_t* row, int n) {
  using WordShape = Shape<1, 1, 1, 1, 1>;
  using RowShape = Shape<1, 1, 1, 1, DYNAMIC>;
  using WordStride = Stride<1, 1, 1, 1, 1>;
  const int me = static_cast<int>(ctx->rankId);
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  for (int peer = 0; peer < n; ++peer) {
    GlobalTensor<int32_t, WordShape, WordStride, Layout::ND> out(CommRemotePtr(ctx, row + me, peer));
    comm::TNOTIFY(out, 1, comm::NotifyOp::AtomicAdd);
  }
  GlobalTensor<int32_t, RowShape, WordStride, Layout::ND> in(row, RowShape(n));
  comm::TWAIT(in, 1, comm::WaitCmp::GE);
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* out_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ ChipTensor* scratch_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[2]);
  int n = static_cast<int>(args[3]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);

  using ShapeDyn = pto::Shape<DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC>;
  using StrideDyn = pto::Stride<DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC>;
  using Global = pto::GlobalTensor<float, ShapeDyn, StrideDyn, Layout::ND>;
  using TileData = pto::Tile<TileType::Vec, float, 1, COUNT_PER_RANK, BLayout::RowMajor, -1, -1>;

  __gm__ float* in = reinterpret_cast<__gm__ float*>(in_tensor->buffer.addr) + in_tensor->start_offset;
  __gm__ float* out = reinterpret_cast<__gm__ float*>(out_tensor->buffer.addr) + out_tensor->start_offset;
  __gm__ uint8_t* window = reinterpret_cast<__gm__ uint8_t*>(scratch_tensor->buffer.addr);
  __gm__ float* slots = reinterpret_cast<__gm__ float*>(window + kOffSlots);
  __gm__ int32_t* signals = reinterpret_cast<__gm__ int32_t*>(window + kOffSignals);

  ShapeDyn shape(1, 1, 1, 1, COUNT_PER_RANK);
  StrideDyn stride(COUNT_PER_RANK, COUNT_PER_RANK, COUNT_PER_RANK, COUNT_PER_RANK, 1);
  TileData tile(1, COUNT_PER_RANK);
  TASSIGN(tile, 0x10000);
  for (int dest = 0; dest < n; ++dest) {
    Global source(in + dest * COUNT_PER_RANK, shape, stride);
    Global target(CommRemotePtr(ctx, slots + ctx->rankId * COUNT_PER_RANK, dest), shape, stride);
    comm::TPUT(target, source, tile);
  }
  MeshBarrier(ctx, signals, n);
  for (int src = 0; src < n; ++src) {
    Global arrived(slots + src * COUNT_PER_RANK, shape, stride);
    Global result(out + src * COUNT_PER_RANK, shape, stride);
    TLOAD(tile, arrived);
    set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID1);
    wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID1);
    TSTORE(result, tile);
    pipe_barrier(PIPE_ALL);
  }
}
