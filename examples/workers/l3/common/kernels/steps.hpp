// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What kernels of several examples are made of: transfers and sums of any length through tiles, signal cells, and
/// counts of calls. Included after pto/pto-inst.hpp.
///
/// Drains and fences stand in the kernels: before notify() and mesh_barrier(), and before the end.

#include "platform_comm/comm_context.h"
#include "slot_window.hpp"
#include "tensor.h"

namespace steps {

using slot_window::kTileWords;

using WordShape = pto::Shape<1, 1, 1, 1, pto::DYNAMIC>;
using WordStride = pto::Stride<1, 1, 1, 1, 1>;
using Words = pto::GlobalTensor<float, WordShape, WordStride>;
using WordTile = pto::Tile<pto::TileType::Vec, float, 1, kTileWords, pto::BLayout::RowMajor, 1, pto::DYNAMIC>;

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

/// 4-byte words of a tensor.
AICORE inline int64_t words_of(__gm__ int64_t arg) {
  __gm__ ChipTensor* tensor = reinterpret_cast<__gm__ ChipTensor*>(arg);
  return static_cast<int64_t>(tensor->numel() * get_element_size(tensor->dtype) / slot_window::kWordBytes);
}

/// What a kernel is given: in, out, scratch; n, its own scalars, CommContext.
struct Call {
  __gm__ float* in;
  __gm__ float* out;
  __gm__ float* scratch;
  int n;
  int me;
  __gm__ CommContext* ctx;
};

AICORE inline Call call_of(__gm__ int64_t* args, int context = 4) {
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[context]);
  return {data_of(args[0]),
          data_of(args[1]),
          data_of(args[2]),
          static_cast<int>(args[3]),
          static_cast<int>(ctx->rankId),
          ctx};
}

/// What lies at a byte offset of this rank's window.
template <typename T>
AICORE inline __gm__ T* at(const Call& call, uint64_t offset) {
  return reinterpret_cast<__gm__ T*>(reinterpret_cast<__gm__ uint8_t*>(call.scratch) + offset);
}

/// Cell `index` of this rank's window, whose cells begin at byte `signals`: one line each.
AICORE inline __gm__ int32_t* cell_of(const Call& call, uint64_t signals, int index) {
  return at<int32_t>(call, signals + index * slot_window::kLineBytes);
}

/// A count in a line that only this rank writes.
AICORE inline uint32_t load_count(__gm__ uint32_t* word) {
  dcci(word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  return *word;
}

/// Leaves it for the next call.
AICORE inline void store_count(__gm__ uint32_t* word, uint32_t count) {
  *word = count;
  dcci(word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  dsb(DSB_DDR);
}

/// target[0:words] = source, or += with AtomicAdd; the target may lie in a peer's window.
template <pto::AtomicType atomic = pto::AtomicType::AtomicNone>
AICORE inline void push(__gm__ float* target, __gm__ float* source, int64_t words) {
  WordTile tile(kTileWords);
  TASSIGN(tile, kFirstTile);
  Words to(target, WordShape(words));
  Words from(source, WordShape(words));
  pto::comm::TPUT<atomic>(to, from, tile);
}

/// target[0:words] = source, both of this rank.
AICORE inline void copy(__gm__ float* target, __gm__ float* source, int64_t words) {
  WordTile tile(kTileWords);
  TASSIGN(tile, kFirstTile);
  for (int64_t done = 0; done < words; done += kTileWords) {
    const int64_t part = words - done < kTileWords ? words - done : kTileWords;
    tile.SetValidCol(static_cast<unsigned>(part));
    Words from(source + done, WordShape(part));
    Words to(target + done, WordShape(part));
    TLOAD(tile, from);
    set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
    wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
    TSTORE(to, tile);
    set_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
    wait_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
  }
}

/// target[0:words] = part_of(0) + part_of(1) + ... + part_of(n-1), in this order; `target` may be one of the parts.
template <class PartOf>
AICORE inline void add_parts(__gm__ float* target, const PartOf& part_of, int n, int64_t words) {
  WordTile sum(kTileWords);
  WordTile next(kTileWords);
  TASSIGN(sum, kFirstTile);
  TASSIGN(next, kSecondTile);
  for (int64_t done = 0; done < words; done += kTileWords) {
    const int64_t size = words - done < kTileWords ? words - done : kTileWords;
    sum.SetValidCol(static_cast<unsigned>(size));
    next.SetValidCol(static_cast<unsigned>(size));
    Words first(part_of(0) + done, WordShape(size));
    TLOAD(sum, first);
    for (int part = 1; part < n; ++part) {
      Words source(part_of(part) + done, WordShape(size));
      TLOAD(next, source);
      set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
      wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
      TADD(sum, sum, next);
      set_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);  // the next part may be loaded
      wait_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);
    }
    pipe_barrier(PIPE_ALL);  // the sum comes from V, or with one part from MTE2
    Words result(target + done, WordShape(size));
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

/// One credit to every peer, one from every peer, where `target` is the count of such barriers: whoever leaves sees
/// what all have drained and fenced before they entered. There is a cell for each rank.
AICORE inline void mesh_barrier(const Call& call, uint64_t signals, uint32_t target) {
  for (int i = 1; i < call.n; ++i) {
    notify(call, cell_of(call, signals, call.me), (call.me + i) % call.n);
  }
  for (int i = 1; i < call.n; ++i) {
    wait_for(cell_of(call, signals, (call.me + i) % call.n), target);
  }
}

}  // namespace steps
