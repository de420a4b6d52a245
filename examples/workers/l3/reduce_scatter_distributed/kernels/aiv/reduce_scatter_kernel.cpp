// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Reduce-scatter by push: every rank writes its part for each peer into its own slot of that peer's window, signals,
// waits for the signals of all peers, and adds up the parts in its own window.
//
// Arguments: in [n x count], out [count], scratch (window, layout in slot_window.hpp); n, CommContext.
//
// Parts are added in the order of their ranks, 0 first, whenever they arrive: a result is the same bit for bit in every
// run. Its own part a rank takes from its input, so that slot stays unused.
//
// Safety, for calls e = 1, 2, ... on one window; a call's epoch e is this rank's own count of calls.
// * The sum of call e reads slot set e % 2. Peer p wrote its slot before it signalled e (drained, fenced), and we read
//   after we have seen that signal.
// * A push of call e overwrites what a peer read in call e-2. We are in call e, so in call e-1 we saw every peer's
//   signal e-1; a peer sends it after its own call e-2, sum included, is over. No barrier at the end is needed.
//   Slack: none; with one slot set the push of e would race with the sum of e-1.
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

/// target[0:words] = the sum over ranks s = 0..n-1 of the words at part_of(s), tile by tile.
template <typename PartOf>
AICORE inline void add_up(WordTile& sum, WordTile& part, __gm__ float* target, const PartOf& part_of, int n,
                          int64_t words) {
  for (int64_t done = 0; done < words; done += slot_window::kTileWords) {
    const int64_t left = words - done;
    const int64_t now = left < slot_window::kTileWords ? left : slot_window::kTileWords;
    sum.SetValidCol(static_cast<unsigned>(now));
    part.SetValidCol(static_cast<unsigned>(now));
    Words first(part_of(0) + done, WordShape(now));
    TLOAD(sum, first);
    for (int s = 1; s < n; ++s) {
      Words next(part_of(s) + done, WordShape(now));
      TLOAD(part, next);
      set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
      wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
      TADD(sum, sum, part);
      set_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);  // the part may be overwritten
      wait_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);
    }
    pipe_barrier(PIPE_ALL);  // the sum comes from V, or with one rank from MTE2
    Words to(target + done, WordShape(now));
    TSTORE(to, sum);
    set_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
    wait_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
  }
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* out_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ float* in = data_of(args[0]);
  __gm__ float* out = data_of(args[1]);
  __gm__ float* scratch = data_of(args[2]);
  const int n = static_cast<int>(args[3]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);

  const int me = static_cast<int>(ctx->rankId);
  const int64_t words = out_tensor->shapes[0];
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
  WordTile sum_tile(static_cast<unsigned>(tile_words));
  TASSIGN(tile, 0x0);
  TASSIGN(sum_tile, 0x10000);

  // Push: the part of each peer into my slot of its window, starting with the next rank.
  for (int i = 1; i < n; ++i) {
    const int dest = (me + i) % n;
    Words target(CommRemotePtr(ctx, my_slot, dest), WordShape(words));
    Words source(in + dest * words, WordShape(words));
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

  // Sum: purely local.
  const auto part_of = [&](int rank) { return rank == me ? in + me * words : slots + rank * words; };
  add_up(sum_tile, tile, out, part_of, n, words);
  pipe_barrier(PIPE_ALL);

  *epoch_word = epoch;
  dcci(epoch_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  dsb(DSB_DDR);
}
