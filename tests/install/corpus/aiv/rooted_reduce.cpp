// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The last rank reduces what all ranks staged and broadcasts the result: root-driven collectives with tiles that were
// never bound, found through the group's namespace.

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

#include <pto/comm/comm_types.hpp>
#include <pto/comm/pto_comm_inst.hpp>
#include <pto/pto-inst.hpp>

#include "platform_comm/comm_context.h"
#include "tensor.h"

static constexpr int kRows = 8;
static constexpr int kCols = 16;
static constexpr int kCount = kRows * kCols;
static constexpr int kMaxSupportedRanks = 16;

using Global = pto::GlobalTensor<float, pto::Shape<1, 1, 1, kRows, kCols>,
                                 pto::Stride<kCount, kCount, kCount, kCols, 1>, pto::Layout::ND>;
using TileData = pto::Tile<pto::TileType::Vec, float, kRows, kCols>;

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  return (__gm__ T*)(ctx->windowsIn[peer] + ((uint64_t)local - ctx->windowsIn[ctx->rankId]));
}

AICORE inline void Raise(__gm__ CommContext* ctx, __gm__ int32_t* word, int peer) {
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  pto::comm::Signal out(CommRemotePtr(ctx, word, peer));
  pto::comm::TNOTIFY(out, 1, pto::comm::NotifyOp::AtomicAdd);
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* out_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ ChipTensor* scratch_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[2]);
  const int n = static_cast<int>(args[3]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);
  __gm__ float* in = reinterpret_cast<__gm__ float*>(in_tensor->buffer.addr) + in_tensor->start_offset;
  __gm__ float* out = reinterpret_cast<__gm__ float*>(out_tensor->buffer.addr) + out_tensor->start_offset;
  __gm__ float* staged = reinterpret_cast<__gm__ float*>(scratch_tensor->buffer.addr);
  __gm__ float* reduced = staged + kCount;
  __gm__ float* received = reduced + kCount;
  __gm__ int32_t* ready = reinterpret_cast<__gm__ int32_t*>(received + kCount);
  __gm__ int32_t* sent = ready + 16;
  const int root = n - 1;

  TileData tile;
  TASSIGN(tile, 0x0);
  Global source(in), stage(staged);
  TLOAD(tile, source);
  set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID2);
  wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID2);
  TSTORE(stage, tile);
  Raise(ctx, ready, root);

  if (static_cast<int>(ctx->rankId) == root) {
    pto::comm::Signal all(ready);
    pto::comm::TWAIT(all, n, pto::comm::WaitCmp::EQ);
    Global members[kMaxSupportedRanks];
    Global targets[kMaxSupportedRanks];
    for (int peer = 0; peer < n; ++peer) {
      members[peer] = Global(CommRemotePtr(ctx, staged, peer));
      targets[peer] = Global(CommRemotePtr(ctx, received, peer));
    }
    Global result(reduced);
    TileData accumulated, arriving, staging;
    pto::comm::ParallelGroup<Global> sources(members, n, root);
    TREDUCE(sources, result, accumulated, arriving, pto::comm::ReduceOp::Sum);
    pipe_barrier(PIPE_ALL);
    pto::comm::ParallelGroup<Global> group = pto::comm::ParallelGroup<Global>::Create(targets, n, root);
    pto::comm::TBROADCAST(group, result, staging);
    for (int peer = 0; peer < n; ++peer) {
      Raise(ctx, sent, peer);
    }
  }
  pto::comm::Signal arrived(sent);
  pto::comm::TWAIT(arrived, 1, pto::comm::WaitCmp::GE);
  Global from(received), to(out);
  TLOAD(tile, from);
  set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID2);
  wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID2);
  TSTORE(to, tile);
  pipe_barrier(PIPE_ALL);
}
