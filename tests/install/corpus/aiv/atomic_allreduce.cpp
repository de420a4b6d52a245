// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Allreduce by atomic pushes into every rank: all forms of an atomic TPUT add up to one sum.

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

static constexpr int ALLREDUCE_COUNT = 256;
static constexpr int kRows = 4;
static constexpr int kCols = ALLREDUCE_COUNT / kRows;
static constexpr uint64_t kSumBytes = ALLREDUCE_COUNT * sizeof(float);

enum class Operation { ADD_SCALAR, ADD_TILES };
static constexpr Operation ADD_SCALAR = Operation::ADD_SCALAR;
static constexpr Operation ADD_TILES = Operation::ADD_TILES;

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] +
                                     (reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId]));
}

AICORE inline void RoundBarrier(__gm__ CommContext* ctx, __gm__ int32_t* round, int n) {
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  for (int peer = 0; peer < n; ++peer) {
    comm::Signal out(CommRemotePtr(ctx, round + ctx->rankId, peer));
    comm::TNOTIFY(out, 1, comm::NotifyOp::Set);
  }
  for (int peer = 0; peer < n; ++peer) {
    comm::Signal2D<1, 1> in(round + peer);
    comm::TWAIT(in, 1, comm::WaitCmp::EQ);
  }
}

using Matrix = GlobalTensor<float, Shape<1, 1, 1, kRows, kCols>, Stride<kCols, kCols, kCols, kCols, 1>>;
using MatrixTile = Tile<TileType::Vec, float, 1, kCols>;

template <Operation op>
struct InputWindowOp {
  AICORE static inline void Apply(__gm__ CommContext* ctx, __gm__ float* in, __gm__ float* sum, int peer) {
    Matrix source(in), target(CommRemotePtr(ctx, sum, peer));
    MatrixTile ping, pong;
    TASSIGN(ping, 0x0);
    TASSIGN(pong, 0x10000);
    if constexpr (op == ADD_SCALAR) {
      comm::Signal count(CommRemotePtr(ctx, reinterpret_cast<__gm__ int32_t*>(sum) + ALLREDUCE_COUNT, peer));
      comm::TNOTIFY(count, static_cast<int32_t>(ctx->rankId) + 1, comm::NotifyOp::AtomicAdd);
    } else if (peer % 3 == 0) {
      comm::TPUT<AtomicType::AtomicAdd>(target, source, ping);
    } else if (peer % 3 == 1) {
      AtomicType atomic = AtomicType::AtomicAdd;
      comm::TPUT(target, source, ping, atomic);
    } else {
      comm::TPUT<AtomicType::AtomicAdd>(target, source, ping, pong);
    }
  }
};

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* out_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ ChipTensor* scratch_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[2]);
  int n = static_cast<int>(args[3]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);
  __gm__ float* in = reinterpret_cast<__gm__ float*>(in_tensor->buffer.addr) + in_tensor->start_offset;
  __gm__ float* out = reinterpret_cast<__gm__ float*>(out_tensor->buffer.addr) + out_tensor->start_offset;
  __gm__ float* sum = reinterpret_cast<__gm__ float*>(scratch_tensor->buffer.addr);
  __gm__ int32_t* count = reinterpret_cast<__gm__ int32_t*>(scratch_tensor->buffer.addr + kSumBytes);

  for (int peer = 0; peer < n; ++peer) {
    InputWindowOp<ADD_TILES>::Apply(ctx, in, sum, peer);
    InputWindowOp<ADD_SCALAR>::Apply(ctx, in, sum, peer);
  }
  RoundBarrier(ctx, count + 16, n);
  dcci(sum, ENTIRE_DATA_CACHE, CACHELINE_OUT);
#if defined(__CPU_SIM) || defined(__COSTMODEL)
  for (int i = 0; i < ALLREDUCE_COUNT; ++i) {
    out[i] = sum[i];
  }
#else
  MatrixTile tile;
  TASSIGN(tile, 0x20000);
  for (int row = 0; row < kRows; ++row) {
    using Row = GlobalTensor<float, Shape<1, 1, 1, 1, kCols>, Stride<kCols, kCols, kCols, kCols, 1>>;
    Row source(sum + row * kCols), target(out + row * kCols);
    TLOAD(tile, source);
    set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
    wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
    TSTORE(target, tile);
    pipe_barrier(PIPE_ALL);
  }
#endif
  out[ALLREDUCE_COUNT] = static_cast<float>(*count);
}
