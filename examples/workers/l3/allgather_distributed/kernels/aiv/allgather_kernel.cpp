// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Allgather by push: every rank writes its data into its own slot of every peer's window, signals, waits for the
// signals of all peers, and copies out of its own window.
//
// Arguments: in [count], out [n x count], scratch (window, layout in slot_window.hpp); n, CommContext.
//
// Safety, for calls e = 1, 2, ... on one window; a call's epoch e is this rank's own count of calls.
// * Copy-out of call e reads slot set e % 2. Peer p wrote its slot before it signalled e (drained, fenced), and we read
//   after we have seen that signal.
// * A push of call e overwrites what a peer read in call e-2. We are in call e, so in call e-1 we saw every peer's
//   signal e-1; a peer sends it after its own call e-2, copy-out included, is over. No barrier at the end is needed.
//   Slack: none; with one slot set the push of e would race with the copy-out of e-1.
// * Signals are never reset. A peer can be one call ahead, not two, because its call e+2 needs our signal e+1. So while
//   we wait in call e its cell holds e-1, e or e+1 modulo 2^32, and "not e-1" means that e has arrived, also when the
//   count wraps.

#include <pto/pto-inst.hpp>

#include "../../../common/kernels/slot_window.hpp"
#include "platform_comm/comm_context.h"
#include "tensor.h"

namespace {

using WordShape = pto::Shape<1, 1, 1, 1, pto::DYNAMIC>;
using WordStride = pto::Stride<1, 1, 1, 1, 1>;
using Words = pto::GlobalTensor<float, WordShape, WordStride>;
using WordTile =
    pto::Tile<pto::TileType::Vec, float, 1, slot_window::kTileWords, pto::BLayout::RowMajor, 1, pto::DYNAMIC>;

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
  for (int64_t done = 0; done < words; done += slot_window::kTileWords) {
    const int64_t left = words - done;
    const int64_t part = left < slot_window::kTileWords ? left : slot_window::kTileWords;
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
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);

  const int me = static_cast<int>(ctx->rankId);
  const int64_t words = static_cast<int64_t>(in_tensor->shapes[0]) *
                        static_cast<int64_t>(get_element_size(in_tensor->dtype)) /
                        static_cast<int64_t>(slot_window::kWordBytes);
  const slot_window::Window window = slot_window::window_of(n, words);
  __gm__ uint8_t* base = reinterpret_cast<__gm__ uint8_t*>(scratch);
  __gm__ uint32_t* epoch_word = reinterpret_cast<__gm__ uint32_t*>(base + window.epoch);
  const auto cell_of = [&](int source) {
    return reinterpret_cast<__gm__ int32_t*>(base + window.signals + source * slot_window::kLineBytes);
  };

  dcci(epoch_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  const uint32_t epoch = *epoch_word + 1;
  __gm__ float* slots = scratch + (epoch % slot_window::kSlotSets) * n * words;
  __gm__ float* my_slot = slots + me * words;

  const int64_t tile_words = words < slot_window::kTileWords ? words : slot_window::kTileWords;
  WordTile tile(static_cast<unsigned>(tile_words));
  TASSIGN(tile, 0x0);

  // Push: my data into my slot of every window, my own last.
  for (int i = 1; i <= n; ++i) {
    const int dest = (me + i) % n;
    Words target(CommRemotePtr(ctx, my_slot, dest), WordShape(words));
    Words source(in, WordShape(words));
    tile.SetValidCol(static_cast<unsigned>(tile_words));
    pto::comm::TPUT(target, source, tile);
  }
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);

  // Barrier: one credit to every peer, one from every peer.
  for (int i = 1; i < n; ++i) {
    pto::comm::Signal arrived(CommRemotePtr(ctx, cell_of(me), (me + i) % n));
    pto::comm::TNOTIFY(arrived, 1, pto::comm::NotifyOp::AtomicAdd);
  }
  for (int i = 1; i < n; ++i) {
    pto::comm::Signal arrived(cell_of((me + i) % n));
    pto::comm::TWAIT(arrived, static_cast<int32_t>(epoch - 1), pto::comm::WaitCmp::NE);
  }

  // Copy-out: purely local, the slots lie in the order of the output.
  copy_through(tile, out, slots, n * words);
  pipe_barrier(PIPE_ALL);

  *epoch_word = epoch;
  dcci(epoch_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  dsb(DSB_DDR);
}
