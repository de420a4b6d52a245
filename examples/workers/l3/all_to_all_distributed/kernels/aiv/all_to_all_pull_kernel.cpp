// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// All-to-all by pull, the older form: every rank stages its data in its own window, all meet, every rank reads its part
// from the windows of all, all meet again.
//
// Arguments: in [n x count], out [n x count], scratch (window, layout in all_to_all_window.hpp); n, CommContext.
//
// Safety: the epoch line counts barriers, two a call. The stage is overwritten by the next call only after the second
// barrier, which every peer enters after its reads from us are over. A peer can be one barrier ahead, not two, because
// it needs our credit for each; so "not b-1" in its cell means that barrier b has been reached, modulo 2^32.

#include <pto/pto-inst.hpp>

#include "../all_to_all_window.hpp"
#include "platform_comm/comm_context.h"
#include "tensor.h"

namespace {

using WordShape = pto::Shape<1, 1, 1, 1, pto::DYNAMIC>;
using WordStride = pto::Stride<1, 1, 1, 1, 1>;
using Words = pto::GlobalTensor<float, WordShape, WordStride>;
using WordTile =
    pto::Tile<pto::TileType::Vec, float, 1, all_to_all::kTileWords, pto::BLayout::RowMajor, 1, pto::DYNAMIC>;

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  const uint64_t offset = reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId];
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] + offset);
}

AICORE inline __gm__ float* data_of(__gm__ int64_t arg) {
  __gm__ ChipTensor* tensor = reinterpret_cast<__gm__ ChipTensor*>(arg);
  return reinterpret_cast<__gm__ float*>(tensor->buffer.addr) + tensor->start_offset;
}

/// target[0:words] = source[0:words], tile by tile.
AICORE inline void copy_through(WordTile& tile, __gm__ float* target, __gm__ float* source, int64_t words) {
  for (int64_t done = 0; done < words; done += all_to_all::kTileWords) {
    const int64_t left = words - done;
    const int64_t part = left < all_to_all::kTileWords ? left : all_to_all::kTileWords;
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

/// Everything issued before is drained and visible to whoever leaves the same barrier.
AICORE inline void MeshBarrier(__gm__ CommContext* ctx, __gm__ uint8_t* cells, int n, int me, uint32_t barrier) {
  const auto cell_of = [&](int source) {
    return reinterpret_cast<__gm__ int32_t*>(cells + source * all_to_all::kLineBytes);
  };
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  for (int i = 1; i < n; ++i) {
    pto::comm::Signal arrived(CommRemotePtr(ctx, cell_of(me), (me + i) % n));
    pto::comm::TNOTIFY(arrived, 1, pto::comm::NotifyOp::AtomicAdd);
  }
  for (int i = 1; i < n; ++i) {
    pto::comm::Signal arrived(cell_of((me + i) % n));
    pto::comm::TWAIT(arrived, static_cast<int32_t>(barrier - 1), pto::comm::WaitCmp::NE);
  }
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ float* in = data_of(args[0]);
  __gm__ float* out = data_of(args[1]);
  __gm__ float* scratch = data_of(args[2]);
  const int n = static_cast<int>(args[3]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);

  const int me = static_cast<int>(ctx->rankId);
  const int64_t count = in_tensor->shapes[0] / n;
  const int64_t words =
      count * static_cast<int64_t>(get_element_size(in_tensor->dtype)) / static_cast<int64_t>(all_to_all::kWordBytes);
  const all_to_all::Window window = all_to_all::window_of(all_to_all::kPullSlotSets, n, words);
  __gm__ uint8_t* base = reinterpret_cast<__gm__ uint8_t*>(scratch);
  __gm__ uint8_t* cells = base + window.signals;
  __gm__ uint32_t* barrier_word = reinterpret_cast<__gm__ uint32_t*>(base + window.epoch);
  dcci(barrier_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  const uint32_t barrier = *barrier_word;

  WordTile stage_tile(1);
  WordTile receive_tile(1);
  TASSIGN(stage_tile, 0x0);
  TASSIGN(receive_tile, 0x10000);

  copy_through(stage_tile, scratch, in, n * words);
  MeshBarrier(ctx, cells, n, me, barrier + 1);
  for (int i = 1; i <= n; ++i) {
    const int source = (me + i) % n;
    copy_through(receive_tile, out + source * words, CommRemotePtr(ctx, scratch + me * words, source), words);
  }
  MeshBarrier(ctx, cells, n, me, barrier + 2);

  *barrier_word = barrier + 2;
  dcci(barrier_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  dsb(DSB_DDR);
}
