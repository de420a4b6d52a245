// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Pushes a row to the right and returns; the task is complete when the row from the left has arrived.

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

#include <pto/pto-inst.hpp>

#include "intrinsic.h"
#include "platform_comm/comm_context.h"
#include "pto_async_kernel_api.h"
#include "tensor.h"

static constexpr int kCount = 64;

template <typename T>
static __aicore__ inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  return (__gm__ T*)(ctx->windowsIn[peer] + ((uint64_t)local - ctx->windowsIn[ctx->rankId]));
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* scratch_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  const int n = static_cast<int>(args[2]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[3]);
  __gm__ float* in = reinterpret_cast<__gm__ float*>(in_tensor->buffer.addr) + in_tensor->start_offset;
  __gm__ float* slot = reinterpret_cast<__gm__ float*>(scratch_tensor->buffer.addr);
  __gm__ int32_t* counter = reinterpret_cast<__gm__ int32_t*>(slot + kCount);
  const int right = (static_cast<int>(ctx->rankId) + 1) % n;

  using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, kCount>, pto::Stride<kCount, kCount, kCount, kCount, 1>>;
  pto::Tile<pto::TileType::Vec, float, 1, kCount> tile;
  TASSIGN(tile, 0x0);
  Row source(in), target(CommRemotePtr(ctx, slot, right));
  pto::comm::TPUT(target, source, tile);
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  send_notification(CommRemotePtr(ctx, counter, right), 1, pto::comm::NotifyOp::AtomicAdd);
  AsyncCtx async_ctx = get_async_ctx(args);
  save_expected_notification_counter(async_ctx, counter, 1);
}
