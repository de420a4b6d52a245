// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Dispatch: sends every routed token with its weight and route number to the rank that has the expert.
//
// Arguments: indices [T x TOPK], x_norm [T x D], w_padded [T*TOPK x 8], idx_padded [T*TOPK x 8]; recv_x [L x R x D],
// recv_w [L x R], recv_idx [L x R], recv_count [L x 1]; scratch (window, layout in ep_window.hpp); n, CommContext.
//
// Steps: count own routes by expert and add the counts to everybody's table; barrier; every rank computes from the same
// table where its rows go, and pushes them; barrier; copy what arrived to the outputs.
//
// Safety, for calls e = 1, 2, ... on one window; e is this rank's own count of calls.
// * Counts are totals over all calls and never reset. A rank takes its reading of call e between the barriers. A peer
// adds
//   the counts of e before it signals the first barrier of e, and those of e+1 after it has left the second barrier of
//   e, which needs our signal, sent after the reading. So the reading is exactly the total of calls 1 to e, and less
//   the reading of e-1, which is kept, it is the count of e, modulo 2^32.
// * Rows of expert x from rank s begin behind those of ranks below s, so that no two ranks write the same row.
// * The push of call e overwrites what peers copied out in call e-1. It comes after the first barrier of e, which a
// peer
//   signals after its call e-1 is over. One set of rows is enough, without slack.
// * The copy-out reads after the second barrier, which a peer signals after its pushes are drained and fenced.
// * Cells are never reset. No peer signals barrier e+1 of a kind before we have entered the other barrier that lies
//   between, so while we wait a cell holds e-1 or e modulo 2^32, and "not e-1" means e.
// * If any expert of any rank gets more rows than fit, all ranks see it in the same table, and none pushes. recv_count
//   then has what would not have fitted, and 0 for every other expert; local expert and combine move nothing.

#include <pto/pto-inst.hpp>

#include "../ep_device.hpp"

namespace {

struct Call {
  __gm__ CommContext* ctx;
  int n;
  int me;
  int64_t routes;
  int64_t topk;
  int64_t hidden;
  int64_t experts;
  int64_t capacity;
  ep::Window window;
  __gm__ uint8_t* base;

  /// Entries of one rank's row of counts: one for each expert of all ranks.
  AICORE int64_t row_counts() const { return n * experts; }
  template <typename T>
  AICORE __gm__ T* at(uint64_t offset) const {
    return reinterpret_cast<__gm__ T*>(base + offset);
  }
};

/// Counts this rank's routes by expert and adds the counts to its row of everybody's table. 0 adds nothing.
AICORE inline void PublishCounts(const Call& call, __gm__ int32_t* indices) {
  __gm__ uint32_t* histogram = call.at<uint32_t>(call.window.cursor);
  for (int64_t expert = 0; expert < call.row_counts(); ++expert) {
    histogram[expert] = 0;
  }
  for (int64_t route = 0; route < call.routes; ++route) {
    ++histogram[indices[route]];
  }
  __gm__ int32_t* my_row = call.at<int32_t>(call.window.pub_counts) + call.me * call.row_counts();
  for (int i = 1; i <= call.n; ++i) {
    __gm__ int32_t* row = ep::CommRemotePtr(call.ctx, my_row, (call.me + i) % call.n);
    for (int64_t expert = 0; expert < call.row_counts(); ++expert) {
      if (histogram[expert] != 0) {
        pto::comm::Signal count(row + expert);
        pto::comm::TNOTIFY(count, static_cast<int32_t>(histogram[expert]), pto::comm::NotifyOp::AtomicAdd);
      }
    }
  }
}

/// This call's counts from the totals; sets the cursors to this rank's first row of each expert, and recv_count. True
/// if every expert has room.
AICORE inline bool TakeCounts(const Call& call, __gm__ int32_t* recv_count) {
  __gm__ uint32_t* totals = call.at<uint32_t>(call.window.pub_counts);
  __gm__ uint32_t* previous = call.at<uint32_t>(call.window.previous);
  __gm__ uint32_t* counts = call.at<uint32_t>(call.window.counts);
  __gm__ uint32_t* cursor = call.at<uint32_t>(call.window.cursor);
  const int64_t row_counts = call.row_counts();
  ep::clean_lines(totals, call.n * row_counts * sizeof(uint32_t));
  bool fits = true;
  for (int64_t expert = 0; expert < row_counts; ++expert) {
    uint64_t rows = 0;
    for (int source = 0; source < call.n; ++source) {
      const int64_t entry = source * row_counts + expert;
      if (source == call.me) {
        cursor[expert] = static_cast<uint32_t>(rows);
      }
      const uint32_t total = totals[entry];
      counts[entry] = total - previous[entry];
      previous[entry] = total;
      rows += counts[entry];
    }
    fits = fits && rows <= static_cast<uint64_t>(call.capacity);
    if (expert / call.experts == call.me) {
      recv_count[expert % call.experts] = static_cast<int32_t>(rows);
    }
  }
  return fits;
}

/// Nothing moves in this call: no counts, and recv_count names only what does not fit.
AICORE inline void Refuse(const Call& call, __gm__ int32_t* recv_count) {
  __gm__ uint32_t* counts = call.at<uint32_t>(call.window.counts);
  for (int64_t entry = 0; entry < call.n * call.row_counts(); ++entry) {
    counts[entry] = 0;
  }
  for (int64_t expert = 0; expert < call.experts; ++expert) {
    if (recv_count[expert] <= call.capacity) {
      recv_count[expert] = 0;
    }
  }
}

/// One TPUT per route for x, weight and index, in the order of the routes.
AICORE inline void PushRoutes(const Call& call, __gm__ int32_t* indices, __gm__ bfloat16_t* x, __gm__ float* weights,
                              __gm__ int32_t* routes) {
  __gm__ uint32_t* cursor = call.at<uint32_t>(call.window.cursor);
  __gm__ bfloat16_t* recv_x = call.at<bfloat16_t>(call.window.recv_x);
  __gm__ float* recv_w = call.at<float>(call.window.recv_w);
  __gm__ int32_t* recv_idx = call.at<int32_t>(call.window.recv_idx);
  constexpr int kPadded = static_cast<int>(ep::kPadded);
  const auto valid = static_cast<unsigned>(ep::smaller(call.hidden, ep::kRowTileElements));
  ep::RowTile<bfloat16_t, ep::kRowTileElements> x_tile(valid);
  pto::Tile<pto::TileType::Vec, float, 1, kPadded> w_tile;
  pto::Tile<pto::TileType::Vec, int32_t, 1, kPadded> idx_tile;
  TASSIGN(x_tile, 0x0);
  TASSIGN(w_tile, 0x10000);
  TASSIGN(idx_tile, 0x10020);
  for (int64_t route = 0; route < call.routes; ++route) {
    const int expert = indices[route];
    const int dest = static_cast<int>(expert / call.experts);
    const int64_t row = expert % call.experts * call.capacity + cursor[expert]++;
    ep::Row<bfloat16_t> x_source(x + route / call.topk * call.hidden, ep::RowShape(call.hidden));
    ep::Row<bfloat16_t> x_target(ep::CommRemotePtr(call.ctx, recv_x + row * call.hidden, dest),
                                 ep::RowShape(call.hidden));
    x_tile.SetValidCol(valid);
    pto::comm::TPUT(x_target, x_source, x_tile);
    ep::Row<float> w_source(weights + route * kPadded, ep::RowShape(kPadded));
    ep::Row<float> w_target(ep::CommRemotePtr(call.ctx, recv_w + row * kPadded, dest), ep::RowShape(kPadded));
    pto::comm::TPUT(w_target, w_source, w_tile);
    ep::Row<int32_t> idx_source(routes + route * kPadded, ep::RowShape(kPadded));
    ep::Row<int32_t> idx_target(ep::CommRemotePtr(call.ctx, recv_idx + row * kPadded, dest), ep::RowShape(kPadded));
    pto::comm::TPUT(idx_target, idx_source, idx_tile);
  }
}

/// target[0:elements] = source[0:elements], both this rank's: a TPUT that leaves no rank.
AICORE inline void CopyOut(__gm__ bfloat16_t* target, __gm__ bfloat16_t* source, int64_t elements) {
  if (elements == 0) {
    return;
  }
  const auto valid = static_cast<unsigned>(ep::smaller(elements, ep::kBlockTileElements));
  ep::RowTile<bfloat16_t, ep::kBlockTileElements> tile(valid);
  TASSIGN(tile, 0x0);
  ep::Row<bfloat16_t> from(source, ep::RowShape(elements));
  ep::Row<bfloat16_t> to(target, ep::RowShape(elements));
  pto::comm::TPUT(to, from, tile);
}

/// target[row] = the sum of source[row][0:8], of which column 0 alone is not 0.
template <typename T>
AICORE inline void Compact(__gm__ T* target, __gm__ T* source, int64_t rows) {
  constexpr int kPadded = static_cast<int>(ep::kPadded);
  using Table = pto::GlobalTensor<T, pto::Shape<1, 1, 1, pto::DYNAMIC, kPadded>, pto::Stride<1, 1, 1, kPadded, 1>>;
  using Column =
      pto::GlobalTensor<T, pto::Shape<1, 1, 1, pto::DYNAMIC, 1>, pto::Stride<1, 1, 1, 1, 1>, pto::Layout::DN>;
  using TableTile =
      pto::Tile<pto::TileType::Vec, T, ep::kCompactRows, kPadded, pto::BLayout::RowMajor, pto::DYNAMIC, kPadded>;
  using ColumnTile = pto::Tile<pto::TileType::Vec, T, ep::kCompactRows, 1, pto::BLayout::ColMajor, pto::DYNAMIC, 1>;
  TableTile padded(1);
  TableTile temporary(1);
  ColumnTile sums(1);
  TASSIGN(padded, 0x10000);
  TASSIGN(temporary, 0x14000);
  TASSIGN(sums, 0x18000);
  for (int64_t done = 0; done < rows; done += ep::kCompactRows) {
    const int64_t part = ep::smaller(rows - done, ep::kCompactRows);
    padded.SetValidRow(static_cast<unsigned>(part));
    temporary.SetValidRow(static_cast<unsigned>(part));
    sums.SetValidRow(static_cast<unsigned>(part));
    Table from(source + done * kPadded, pto::Shape<1, 1, 1, pto::DYNAMIC, kPadded>(part));
    Column to(target + done, pto::Shape<1, 1, 1, pto::DYNAMIC, 1>(part));
    TLOAD(padded, from);
    set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
    wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
    TROWSUM(sums, padded, temporary);
    set_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
    wait_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
    TSTORE(to, sums);
    set_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
    wait_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
  }
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* indices_tensor = ep::tensor_of(args[0]);
  __gm__ ChipTensor* recv_tensor = ep::tensor_of(args[4]);
  __gm__ int32_t* indices = ep::data_of<int32_t>(args[0]);
  __gm__ bfloat16_t* recv_x_out = ep::data_of<bfloat16_t>(args[4]);
  __gm__ float* recv_w_out = ep::data_of<float>(args[5]);
  __gm__ int32_t* recv_idx_out = ep::data_of<int32_t>(args[6]);
  __gm__ int32_t* recv_count = ep::data_of<int32_t>(args[7]);

  Call call{};
  call.n = static_cast<int>(args[9]);
  call.ctx = reinterpret_cast<__gm__ CommContext*>(args[10]);
  call.me = static_cast<int>(call.ctx->rankId);
  call.topk = indices_tensor->shapes[1];
  call.routes = indices_tensor->shapes[0] * call.topk;
  call.experts = recv_tensor->shapes[0];
  call.capacity = recv_tensor->shapes[1];
  call.hidden = recv_tensor->shapes[2];
  call.window = ep::window_of({static_cast<uint64_t>(call.n), static_cast<uint64_t>(call.experts),
                               static_cast<uint64_t>(call.capacity), static_cast<uint64_t>(call.hidden),
                               static_cast<uint64_t>(call.routes)});
  call.base = reinterpret_cast<__gm__ uint8_t*>(ep::data_of<float>(args[8]));

  __gm__ ep::State* state = call.at<ep::State>(call.window.state);
  ep::clean_lines(state, ep::kLineBytes);
  const uint32_t epoch = state->dispatch_epoch + 1;

  PublishCounts(call, indices);
  ep::MeshBarrier(call.ctx, call.base + call.window.count_done, call.n, epoch);
  const bool fits = TakeCounts(call, recv_count);
  if (fits) {
    PushRoutes(call, indices, ep::data_of<bfloat16_t>(args[1]), ep::data_of<float>(args[2]),
               ep::data_of<int32_t>(args[3]));
  } else {
    Refuse(call, recv_count);
  }
  ep::MeshBarrier(call.ctx, call.base + call.window.data_done, call.n, epoch);

  // Stage-out: purely local.
  for (int64_t expert = 0; fits && expert < call.experts; ++expert) {
    const int64_t rows = recv_count[expert];
    const int64_t first = expert * call.capacity;
    CopyOut(recv_x_out + first * call.hidden, call.at<bfloat16_t>(call.window.recv_x) + first * call.hidden,
            rows * call.hidden);
    Compact(recv_w_out + first, call.at<float>(call.window.recv_w) + first * ep::kPadded, rows);
    Compact(recv_idx_out + first, call.at<int32_t>(call.window.recv_idx) + first * ep::kPadded, rows);
  }
  pipe_barrier(PIPE_ALL);

  // What scalar stores wrote, for combine and for the next call.
  state->dispatch_epoch = epoch;
  state->topk = static_cast<uint32_t>(call.topk);
  state->refused = fits ? 0 : 1;
  ep::clean_lines(call.base + call.window.previous, call.window.recv_x - call.window.previous);
  ep::clean_lines(recv_count, call.experts * sizeof(int32_t));
  dsb(DSB_DDR);
}
