// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The ring shift with asynchronous pushes in pieces: a session per kernel, one wait on the last event, then the signal.

#include <pto/pto-inst.hpp>

#include <pto/comm/async_common/async_types.hpp>

#include "intrinsic.h"
#include "platform_comm/comm_context.h"
#include "tensor.h"

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

using namespace pto;  // NOLINT(build/namespaces)

static constexpr int kCount = 64;
static constexpr int kMaxAsyncEvents = 4;
static constexpr uint64_t kSdmaWorkspaceSize = 16384;
static constexpr int D = kCount / kMaxAsyncEvents;

struct AivAsyncSession {
  comm::AsyncSession session = {};
  comm::AsyncEvent events[kMaxAsyncEvents];
  int count = 0;
};

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] +
                                     (reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId]));
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* out_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ ChipTensor* scratch_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[2]);
  const int n = static_cast<int>(args[3]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);
  __gm__ float* in = reinterpret_cast<__gm__ float*>(in_tensor->buffer.addr) + in_tensor->start_offset;
  __gm__ float* out = reinterpret_cast<__gm__ float*>(out_tensor->buffer.addr) + out_tensor->start_offset;
  __gm__ float* slot = reinterpret_cast<__gm__ float*>(scratch_tensor->buffer.addr);
  __gm__ int32_t* signal = reinterpret_cast<__gm__ int32_t*>(slot + kCount);
  const int right = (static_cast<int>(ctx->rankId) + 1) % n;

  using Piece = GlobalTensor<float, Shape<1, 1, 1, 1, D>, Stride<D, D, D, D, 1>>;
  AivAsyncSession async;
#if !defined(__CPU_SIM) && !defined(__COSTMODEL)
  Tile<TileType::Vec, uint8_t, 1, comm::sdma::UB_ALIGN_SIZE> flags;
  TASSIGN(flags, 0x20000);
  comm::sdma::SdmaBaseConfig config = {};
  __gm__ uint8_t* workspace =
      ctx->workSpaceSize < kSdmaWorkspaceSize ? nullptr : reinterpret_cast<__gm__ uint8_t*>(ctx->workSpace);
  if (!comm::BuildAsyncSession(flags, workspace, async.session, 0, config)) {
    async.session = {};
  }
#endif
  for (int piece = 0; piece < kMaxAsyncEvents; ++piece) {
    Piece source(in + piece * D), target(CommRemotePtr(ctx, slot + piece * D, right));
    if (piece % 2 == 0) {
      async.events[async.count++] = comm::TPUT_ASYNC(target, source, async.session);
    } else {
      async.events[async.count++] = comm::TPUT_ASYNC<comm::DmaEngine::SDMA>(target, source, async.session, right);
    }
  }
  if (!async.events[async.count - 1].Wait(async.session)) {
    return;
  }
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  comm::Signal to(CommRemotePtr(ctx, signal, right)), own(signal);
  comm::TNOTIFY(to, 1, comm::NotifyOp::AtomicAdd);
  comm::TWAIT(own, 1, comm::WaitCmp::GE);
  dcci(slot, ENTIRE_DATA_CACHE, CACHELINE_OUT);
  for (int i = 0; i < kCount; ++i) {
    out[i] = slot[i];
  }
  out[kCount] = slot[kCount - 1];
}
