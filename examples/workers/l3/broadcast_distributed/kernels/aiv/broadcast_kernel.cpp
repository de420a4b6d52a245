// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Broadcast by push: every rank tells the root that it is ready, the root writes its data into the windows of all and
// signals, and every rank copies out of its own window.
//
// Arguments: in [count] (read on the root only), out [count], scratch (window, layout in broadcast_window.hpp); n,
// root, CommContext. All ranks of a call name the same root; the next call may have another one.
//
// Safety. Let c be the number of calls so far, this one included, in which this root has been root. Every rank counts
// that itself, in `roots`: all ranks make the same calls.
// * Data is there: the root writes, drains and fences before its c-th signal of data, and we copy out after it.
// * Nobody reads what is overwritten: the root writes after the c-th "ready" of each peer. A peer sends it at the start
//   of this call, so its earlier calls, whoever was root in them, are over, copy-out included (drained). No two roots
//   write into one window at a time either: the one before had ended, as far as that peer goes, when its data had
//   arrived. Slack: none; without the wait a root could be any number of calls ahead of a peer that is slow.
// * Signals are never reset. A peer's c-th "ready" is followed by another to the same root only after that root's c-th
//   data; a root's c-th data by its next only after our next "ready". So while we wait the word holds c-1 or c modulo
//   2^32, and "not c-1" means that the c-th has arrived, also when the count wraps. The two counts are apart: a root
//   whose data we have not seen may already have told us that it is ready for the next call, in which we are root.

#include <pto/pto-inst.hpp>

#include "../broadcast_window.hpp"
#include "platform_comm/comm_context.h"
#include "tensor.h"

namespace {

using WordShape = pto::Shape<1, 1, 1, 1, pto::DYNAMIC>;
using WordStride = pto::Stride<1, 1, 1, 1, 1>;
using Words = pto::GlobalTensor<float, WordShape, WordStride>;
using WordTile =
    pto::Tile<pto::TileType::Vec, float, 1, broadcast_window::kTileWords, pto::BLayout::RowMajor, 1, pto::DYNAMIC>;

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
  for (int64_t done = 0; done < words; done += broadcast_window::kTileWords) {
    const int64_t left = words - done;
    const int64_t part = left < broadcast_window::kTileWords ? left : broadcast_window::kTileWords;
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

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* in_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ float* in = data_of(args[0]);
  __gm__ float* out = data_of(args[1]);
  __gm__ float* scratch = data_of(args[2]);
  const int n = static_cast<int>(args[3]);
  const int root = static_cast<int>(args[4]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[5]);

  const int me = static_cast<int>(ctx->rankId);
  const int64_t words = static_cast<int64_t>(in_tensor->shapes[0]) *
                        static_cast<int64_t>(get_element_size(in_tensor->dtype)) /
                        static_cast<int64_t>(broadcast_window::kWordBytes);
  const broadcast_window::Window window = broadcast_window::window_of(n, words);
  __gm__ uint8_t* base = reinterpret_cast<__gm__ uint8_t*>(scratch);
  __gm__ uint32_t* root_word = reinterpret_cast<__gm__ uint32_t*>(base + window.roots) + root;
  const auto data_cell_of = [&](int source) {
    return reinterpret_cast<__gm__ int32_t*>(base + window.signals + source * broadcast_window::kLineBytes);
  };
  const auto ready_cell_of = [&](int source) { return data_cell_of(source) + 1; };

  dcci(root_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  const uint32_t count = *root_word + 1;

  const int64_t tile_words = words < broadcast_window::kTileWords ? words : broadcast_window::kTileWords;
  WordTile tile(static_cast<unsigned>(tile_words));
  TASSIGN(tile, 0x0);

  if (me == root) {
    // Push: to each peer, starting with the next rank, as soon as it is ready.
    for (int i = 1; i < n; ++i) {
      const int dest = (me + i) % n;
      pto::comm::Signal ready(ready_cell_of(dest));
      pto::comm::TWAIT(ready, static_cast<int32_t>(count - 1), pto::comm::WaitCmp::NE);
      Words target(CommRemotePtr(ctx, scratch, dest), WordShape(words));
      Words source(in, WordShape(words));
      tile.SetValidCol(static_cast<unsigned>(tile_words));
      pto::comm::TPUT(target, source, tile);
    }
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    for (int i = 1; i < n; ++i) {
      pto::comm::Signal sent(CommRemotePtr(ctx, data_cell_of(me), (me + i) % n));
      pto::comm::TNOTIFY(sent, 1, pto::comm::NotifyOp::AtomicAdd);
    }
    copy_through(tile, out, in, words);
  } else {
    // The copy-out of an earlier call is drained: the kernel ends with a barrier.
    pto::comm::Signal ready(CommRemotePtr(ctx, ready_cell_of(me), root));
    pto::comm::TNOTIFY(ready, 1, pto::comm::NotifyOp::AtomicAdd);
    pto::comm::Signal sent(data_cell_of(root));
    pto::comm::TWAIT(sent, static_cast<int32_t>(count - 1), pto::comm::WaitCmp::NE);
    copy_through(tile, out, scratch, words);
  }
  pipe_barrier(PIPE_ALL);

  *root_word = count;
  dcci(root_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  dsb(DSB_DDR);
}
