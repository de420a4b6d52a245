// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The sum of all ranks' partial products: mailboxes, one for each source, added up by tiles.

#include <pto/pto-inst.hpp>

#include "platform_comm/comm_context.h"
#include "tensor.h"

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

using namespace pto;  // NOLINT(build/namespaces)

static constexpr int kRows = 16;
static constexpr int kCols = 16;
static constexpr int kElemsPerPartial = kRows * kCols;

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] +
                                     (reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId]));
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* scratch_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* out_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  const int n = static_cast<int>(args[2]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[3]);
  __gm__ float* partial = reinterpret_cast<__gm__ float*>(scratch_tensor->buffer.addr);
  __gm__ float* mailboxes = partial + kElemsPerPartial;
  __gm__ int32_t* signals = reinterpret_cast<__gm__ int32_t*>(mailboxes + n * kElemsPerPartial);
  __gm__ float* out = reinterpret_cast<__gm__ float*>(out_tensor->buffer.addr) + out_tensor->start_offset;
  const int me = static_cast<int>(ctx->rankId);

  using TileShape = TileShape2D<float, kRows, kCols, Layout::ND>;
  using TileStride = BaseShape2D<float, kRows, kCols, Layout::ND>;
  using GT = GlobalTensor<float, TileShape, TileStride, Layout::ND>;
  using PartialTile = Tile<TileType::Vec, float, kRows, kCols>;
  PartialTile sum, next;
  TASSIGN(sum, 0x0);
  TASSIGN(next, 0x10000);
  for (int peer = 0; peer < n; ++peer) {
    GT source(partial), target(CommRemotePtr(ctx, mailboxes + me * kElemsPerPartial, peer));
    comm::TPUT(target, source, next);
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    comm::Signal done(CommRemotePtr(ctx, signals + me, peer));
    comm::TNOTIFY(done, 1, comm::NotifyOp::AtomicAdd);
  }
  TEXPANDS(sum, 0.0f);
  for (int src = 0; src < n; ++src) {
    comm::Signal arrived(signals + src);
    comm::TWAIT(arrived, 1, comm::WaitCmp::GE);
    GT mailbox(mailboxes + src * kElemsPerPartial);
    TLOAD(next, mailbox);
    set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
    wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
    TADD(sum, sum, next);
    pipe_barrier(PIPE_ALL);
  }
  GT result(out);
  TSTORE(result, sum);
  pipe_barrier(PIPE_ALL);
}
