// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Every rank pushes its row to the rank on its right. Macros before the include, no namespace opened: instructions are
// found by argument-dependent lookup; all shapes static.

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

#include <pto/pto-inst.hpp>

#include "pipe_sync.h"
#include "platform_comm/comm_context.h"
#include "tensor.h"

static constexpr int N = 64;
static constexpr int kMaxRanks = 16;

using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, N>, pto::Stride<N, N, N, N, 1>>;
using RowTile = pto::Tile<pto::TileType::Vec, float, 1, N>;

template <typename T>
static __aicore__ inline __gm__ T* comm_remote_ptr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  const uint64_t offset = (uint64_t)local - ctx->windowsIn[ctx->rankId];
  return (__gm__ T*)(ctx->windowsIn[peer] + offset);
}

static __aicore__ inline void NeighborBarrier(__gm__ CommContext* ctx, __gm__ int32_t* signal, int to) {
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  pto::comm::Signal out(comm_remote_ptr(ctx, signal, to));
  pto::comm::TNOTIFY(out, (int32_t)1, pto::comm::NotifyOp::AtomicAdd);
  pto::comm::Signal in(signal);
  pto::comm::TWAIT(in, 1, pto::comm::WaitCmp::GE);
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* out_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ ChipTensor* scratch_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[2]);
  const int n = static_cast<int>(args[3]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);
  if (n > kMaxRanks) {
    return;
  }
  __gm__ float* in = reinterpret_cast<__gm__ float*>(in_tensor->buffer.addr) + in_tensor->start_offset;
  __gm__ float* out = reinterpret_cast<__gm__ float*>(out_tensor->buffer.addr) + out_tensor->start_offset;
  __gm__ float* slot = reinterpret_cast<__gm__ float*>(scratch_tensor->buffer.addr) + scratch_tensor->start_offset;
  __gm__ int32_t* signal = reinterpret_cast<__gm__ int32_t*>(slot + N);
  const int right = (static_cast<int>(ctx->rankId) + 1) % n;

  RowTile tile;
  TASSIGN(tile, 0x0);
  Row source(in);
  Row target(comm_remote_ptr(ctx, slot, right));
  pto::comm::TPUT(target, source, tile);
  NeighborBarrier(ctx, signal, right);

  Row arrived(slot);
  Row result(out);
  TLOAD(tile, arrived);
  set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
  wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
  TSTORE(result, tile);
  dcci(slot, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  out[N] = slot[N - 1];
  pipe_sync();
}
