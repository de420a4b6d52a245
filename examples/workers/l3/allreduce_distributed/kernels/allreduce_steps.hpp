// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the allreduce kernels are made of: transfers of any length through tiles, and signal cells. Included after
/// pto/pto-inst.hpp.

#include "allreduce_window.hpp"
#include "platform_comm/comm_context.h"
#include "tensor.h"

namespace allreduce {

using RowShape = pto::Shape<1, 1, 1, 1, pto::DYNAMIC>;
using RowStride = pto::Stride<1, 1, 1, 1, 1>;
using Row = pto::GlobalTensor<float, RowShape, RowStride>;
using RowTile = pto::Tile<pto::TileType::Vec, float, 1, kTileElements, pto::BLayout::RowMajor, 1, pto::DYNAMIC>;

constexpr int kFirstTile = 0x0;
constexpr int kSecondTile = 0x10000;

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  const uint64_t offset = reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId];
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] + offset);
}

AICORE inline __gm__ float* data_of(__gm__ int64_t arg) {
  __gm__ ChipTensor* tensor = reinterpret_cast<__gm__ ChipTensor*>(arg);
  return reinterpret_cast<__gm__ float*>(tensor->buffer.addr) + tensor->start_offset;
}

/// What every mode is given: in [count], out [count], scratch; n, CommContext.
struct Call {
  __gm__ float* in;
  __gm__ float* out;
  __gm__ float* scratch;
  int64_t count;
  int n;
  int me;
  __gm__ CommContext* ctx;
};

AICORE inline Call call_of(__gm__ int64_t* args) {
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);
  return {data_of(args[0]),
          data_of(args[1]),
          data_of(args[2]),
          reinterpret_cast<__gm__ ChipTensor*>(args[0])->shapes[0],
          static_cast<int>(args[3]),
          static_cast<int>(ctx->rankId),
          ctx};
}

AICORE inline __gm__ int32_t* cell_of(const Call& call, const Window& window, int index) {
  __gm__ uint8_t* base = reinterpret_cast<__gm__ uint8_t*>(call.scratch);
  return reinterpret_cast<__gm__ int32_t*>(base + window.signals + index * kLineBytes);
}

AICORE inline uint32_t load_epoch(const Call& call, const Window& window) {
  __gm__ uint8_t* base = reinterpret_cast<__gm__ uint8_t*>(call.scratch);
  __gm__ uint32_t* word = reinterpret_cast<__gm__ uint32_t*>(base + window.epoch);
  dcci(word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  return *word;
}

/// Drains what the call has issued, then leaves the count for the next call.
AICORE inline void store_epoch(const Call& call, const Window& window, uint32_t epoch) {
  pipe_barrier(PIPE_ALL);
  __gm__ uint8_t* base = reinterpret_cast<__gm__ uint8_t*>(call.scratch);
  __gm__ uint32_t* word = reinterpret_cast<__gm__ uint32_t*>(base + window.epoch);
  *word = epoch;
  dcci(word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  dsb(DSB_DDR);
}

/// target[0:elements] = source, or += with AtomicAdd; tile by tile.
template <pto::AtomicType atomic = pto::AtomicType::AtomicNone>
AICORE inline void push(__gm__ float* target, __gm__ float* source, int64_t elements) {
  RowTile tile(kTileElements);
  TASSIGN(tile, kFirstTile);
  Row to(target, RowShape(elements));
  Row from(source, RowShape(elements));
  pto::comm::TPUT<atomic>(to, from, tile);
}

/// target[0:elements] = source, both of this rank.
AICORE inline void copy(__gm__ float* target, __gm__ float* source, int64_t elements) {
  RowTile tile(kTileElements);
  TASSIGN(tile, kFirstTile);
  for (int64_t done = 0; done < elements; done += kTileElements) {
    const int64_t part = elements - done < kTileElements ? elements - done : kTileElements;
    tile.SetValidCol(static_cast<unsigned>(part));
    Row from(source + done, RowShape(part));
    Row to(target + done, RowShape(part));
    TLOAD(tile, from);
    set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
    wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
    TSTORE(to, tile);
    set_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
    wait_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
  }
}

/// target[0:elements] = part_of(0) + part_of(1) + ... + part_of(n-1), in this order; `target` may be one of the parts.
template <class PartOf>
AICORE inline void add_parts(__gm__ float* target, const PartOf& part_of, int n, int64_t elements) {
  RowTile sum(kTileElements);
  RowTile next(kTileElements);
  TASSIGN(sum, kFirstTile);
  TASSIGN(next, kSecondTile);
  for (int64_t done = 0; done < elements; done += kTileElements) {
    const int64_t size = elements - done < kTileElements ? elements - done : kTileElements;
    sum.SetValidCol(static_cast<unsigned>(size));
    next.SetValidCol(static_cast<unsigned>(size));
    Row first(part_of(0) + done, RowShape(size));
    TLOAD(sum, first);
    for (int part = 1; part < n; ++part) {
      Row source(part_of(part) + done, RowShape(size));
      TLOAD(next, source);
      set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
      wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
      TADD(sum, sum, next);
      set_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);
      wait_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);
    }
    pipe_barrier(PIPE_ALL);  // also where there was only one part to load
    Row result(target + done, RowShape(size));
    TSTORE(result, sum);
    set_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
    wait_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
  }
}

/// Tells `peer`, in its cell, that what this rank has drained and fenced is there.
AICORE inline void notify(const Call& call, __gm__ int32_t* cell, int peer) {
  pto::comm::Signal signal(CommRemotePtr(call.ctx, cell, peer));
  pto::comm::TNOTIFY(signal, 1, pto::comm::NotifyOp::AtomicAdd);
}

/// Waits until a cell of this rank has counted to `target`, modulo 2^32. It was at target-1 or beyond before, because
/// every count is waited for in turn: so "not target-1" means that it has arrived, however far its writer is ahead.
AICORE inline void wait_for(__gm__ int32_t* cell, uint32_t target) {
  pto::comm::Signal signal(cell);
  pto::comm::TWAIT(signal, static_cast<int32_t>(target - 1), pto::comm::WaitCmp::NE);
}

}  // namespace allreduce
