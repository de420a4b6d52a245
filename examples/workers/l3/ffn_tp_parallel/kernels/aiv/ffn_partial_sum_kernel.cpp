// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// y = the sum of all ranks' partial results: every rank pushes its own into its mailbox in every window, signals, waits
// for the signals of all peers, and adds up its own mailboxes in the order of the ranks.
//
// Arguments: partial [M, N], y [M, N], scratch (window, layout in ffn_window.hpp); n, CommContext.
//
// Safety, for calls e = 1, 2, ... on one window; a call's epoch e is this rank's own count of calls.
// * The sum of call e reads mailbox set e % 2. Peer p wrote its mailbox before it signalled e (drained, fenced), and we
//   read after we have seen that signal.
// * A push of call e overwrites what peers read in call e-2. We are in call e, so in call e-1 we saw every peer's
//   signal e-1; a peer sends it after its own call e-2, sum included, is over. Slack: none.
// * Signals are never reset. A peer can be one call ahead, not two, because its call e+2 needs our signal e+1. So "not
//   e-1" in its cell means that e has arrived, also when the count wraps.
// * Every rank adds the same numbers in the same order, so y has the same bits everywhere.

#include <pto/pto-inst.hpp>

#include "../ffn_window.hpp"
#include "platform_comm/comm_context.h"
#include "tensor.h"

namespace {

using RowShape = pto::Shape<1, 1, 1, 1, pto::DYNAMIC>;
using RowStride = pto::Stride<1, 1, 1, 1, 1>;
using Row = pto::GlobalTensor<float, RowShape, RowStride>;
using RowTile = pto::Tile<pto::TileType::Vec, float, 1, ffn::kTileElements, pto::BLayout::RowMajor, 1, pto::DYNAMIC>;

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  const uint64_t offset = reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId];
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] + offset);
}

AICORE inline __gm__ float* data_of(__gm__ int64_t arg) {
  __gm__ ChipTensor* tensor = reinterpret_cast<__gm__ ChipTensor*>(arg);
  return reinterpret_cast<__gm__ float*>(tensor->buffer.addr) + tensor->start_offset;
}

/// y[0:elements] = mailbox 0 + mailbox 1 + ..., tile by tile.
AICORE inline void add_mailboxes(RowTile& sum, RowTile& next, __gm__ float* y, __gm__ float* mailboxes, int n,
                                 int64_t elements) {
  for (int64_t done = 0; done < elements; done += ffn::kTileElements) {
    const int64_t left = elements - done;
    const int64_t part = left < ffn::kTileElements ? left : ffn::kTileElements;
    sum.SetValidCol(static_cast<unsigned>(part));
    next.SetValidCol(static_cast<unsigned>(part));
    Row first(mailboxes + done, RowShape(part));
    TLOAD(sum, first);
    for (int source = 1; source < n; ++source) {
      Row mailbox(mailboxes + source * elements + done, RowShape(part));
      TLOAD(next, mailbox);
      set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
      wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
      TADD(sum, sum, next);
      set_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);
      wait_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);
    }
    pipe_barrier(PIPE_ALL);
    Row result(y + done, RowShape(part));
    TSTORE(result, sum);
    set_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
    wait_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
  }
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* partial_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ float* partial = data_of(args[0]);
  __gm__ float* y = data_of(args[1]);
  __gm__ float* scratch = data_of(args[2]);
  const int n = static_cast<int>(args[3]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);

  const int me = static_cast<int>(ctx->rankId);
  const int64_t elements = static_cast<int64_t>(partial_tensor->shapes[0]) * partial_tensor->shapes[1];
  const ffn::Window window = ffn::window_of(n, elements);
  __gm__ uint8_t* base = reinterpret_cast<__gm__ uint8_t*>(scratch);
  __gm__ uint32_t* epoch_word = reinterpret_cast<__gm__ uint32_t*>(base + window.epoch);
  const auto cell_of = [&](int source) {
    return reinterpret_cast<__gm__ int32_t*>(base + window.signals + source * ffn::kLineBytes);
  };

  dcci(epoch_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  const uint32_t epoch = *epoch_word + 1;
  __gm__ float* mailboxes = scratch + (epoch % ffn::kMailboxSets) * n * elements;
  __gm__ float* my_mailbox = mailboxes + me * elements;

  RowTile sum_tile(ffn::kTileElements);
  RowTile next_tile(ffn::kTileElements);
  TASSIGN(sum_tile, 0x0);
  TASSIGN(next_tile, 0x10000);

  // Push: my partial result into my mailbox in every window, starting with the next rank's.
  for (int i = 1; i <= n; ++i) {
    Row target(CommRemotePtr(ctx, my_mailbox, (me + i) % n), RowShape(elements));
    Row source(partial, RowShape(elements));
    pto::comm::TPUT(target, source, next_tile);
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

  add_mailboxes(sum_tile, next_tile, y, mailboxes, n, elements);
  pipe_barrier(PIPE_ALL);

  *epoch_word = epoch;
  dcci(epoch_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  dsb(DSB_DDR);
}
