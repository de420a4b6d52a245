// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Combine: sends every processed row back to the rank that the token came from, and sums the rows of each token.
//
// Arguments: recv_y [L x R x D], recv_idx [L x R]; routed_y [T x D]; scratch (window, layout in ep_window.hpp); n,
// CommContext.
//
// It belongs to the latest dispatch on the same window, from which it has the counts: rows of an expert lie in the
// order of the ranks they came from, and recv_idx has the route, by which the owner's rows are ordered. Calls of
// dispatch and combine alternate.
//
// Safety, for calls e = 1, 2, ... on one window.
// * Each row of routed_y_buf belongs to one route, and each route went to one expert of one rank, so it has one writer.
// * The push of call e overwrites what a peer summed up in call e-1. It comes after dispatch e, whose barriers the peer
//   signals after its combine e-1 is over. One set of rows is enough, without slack.
// * The sums read after the barrier, which a peer signals after its pushes are drained and fenced.
// * Cells are never reset. A peer's combine e+1 needs our dispatch e+1, so while we wait its cell holds e-1 or e modulo
//   2^32, and "not e-1" means e.
// * After a dispatch that moved nothing because an expert lacked room, the counts are 0 and routed_y is left as it is.

#include <pto/pto-inst.hpp>

#include "../ep_device.hpp"

namespace {

/// Sends rows back: those of each expert, source by source.
AICORE inline void PushRows(__gm__ CommContext* ctx, int n, __gm__ ChipTensor* recv_tensor, __gm__ bfloat16_t* recv_y,
                            __gm__ int32_t* recv_idx, __gm__ uint32_t* counts, __gm__ bfloat16_t* routed_y_buf) {
  const int64_t experts = recv_tensor->shapes[0];
  const int64_t capacity = recv_tensor->shapes[1];
  const int64_t hidden = recv_tensor->shapes[2];
  const int64_t me = ctx->rankId;
  const auto valid = static_cast<unsigned>(ep::smaller(hidden, ep::kRowTileElements));
  ep::RowTile<bfloat16_t, ep::kRowTileElements> tile(valid);
  TASSIGN(tile, 0x0);
  for (int64_t expert = 0; expert < experts; ++expert) {
    int64_t row = expert * capacity;
    for (int source = 0; source < n; ++source) {
      const int64_t end = row + counts[(source * n + me) * experts + expert];
      for (; row < end; ++row) {
        __gm__ bfloat16_t* slot = routed_y_buf + recv_idx[row] * hidden;
        ep::Row<bfloat16_t> target(ep::CommRemotePtr(ctx, slot, source), ep::RowShape(hidden));
        ep::Row<bfloat16_t> processed(recv_y + row * hidden, ep::RowShape(hidden));
        tile.SetValidCol(valid);
        pto::comm::TPUT(target, processed, tile);
      }
    }
  }
}

/// sum[0:elements] = float(rows[0]) + float(rows[1]) + ..., in that order; rows lie `hidden` apart.
AICORE inline void SumRows(__gm__ float* sum, __gm__ bfloat16_t* rows, int64_t topk, int64_t hidden) {
  ep::RowTile<bfloat16_t, ep::kMathTileElements> row_tile(1);
  ep::RowTile<float, ep::kMathTileElements> wide_tile(1);
  ep::RowTile<float, ep::kMathTileElements> sum_tile(1);
  TASSIGN(row_tile, 0x0);
  TASSIGN(wide_tile, 0x10000);
  TASSIGN(sum_tile, 0x20000);
  for (int64_t done = 0; done < hidden; done += ep::kMathTileElements) {
    const int64_t part = ep::smaller(hidden - done, ep::kMathTileElements);
    row_tile.SetValidCol(static_cast<unsigned>(part));
    wide_tile.SetValidCol(static_cast<unsigned>(part));
    sum_tile.SetValidCol(static_cast<unsigned>(part));
    for (int64_t k = 0; k < topk; ++k) {
      ep::Row<bfloat16_t> row(rows + k * hidden + done, ep::RowShape(part));
      TLOAD(row_tile, row);
      set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
      wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
      if (k == 0) {
        TCVT(sum_tile, row_tile, pto::RoundMode::CAST_RINT);
      } else {
        TCVT(wide_tile, row_tile, pto::RoundMode::CAST_RINT);
        pipe_barrier(PIPE_V);
        TADD(sum_tile, sum_tile, wide_tile);
      }
      set_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);
      wait_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);
    }
    ep::Row<float> target(sum + done, ep::RowShape(part));
    set_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
    wait_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
    TSTORE(target, sum_tile);
    set_flag(PIPE_MTE3, PIPE_V, EVENT_ID0);
    wait_flag(PIPE_MTE3, PIPE_V, EVENT_ID0);
  }
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* recv_tensor = ep::tensor_of(args[0]);
  __gm__ ChipTensor* routed_tensor = ep::tensor_of(args[2]);
  __gm__ float* routed_y = ep::data_of<float>(args[2]);
  __gm__ uint8_t* base = reinterpret_cast<__gm__ uint8_t*>(ep::data_of<float>(args[3]));
  const int n = static_cast<int>(args[4]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[5]);
  const int64_t tokens = routed_tensor->shapes[0];
  const int64_t hidden = routed_tensor->shapes[1];
  // Only the size of the window depends on the routes.
  const ep::Window window = ep::window_of(
      {static_cast<uint64_t>(n), recv_tensor->shapes[0], recv_tensor->shapes[1], recv_tensor->shapes[2], 0});
  __gm__ uint32_t* counts = reinterpret_cast<__gm__ uint32_t*>(base + window.counts);
  __gm__ bfloat16_t* routed_y_buf = reinterpret_cast<__gm__ bfloat16_t*>(base + window.routed_y);
  __gm__ ep::State* state = reinterpret_cast<__gm__ ep::State*>(base + window.state);

  ep::clean_lines(base + window.counts, window.recv_x - window.counts);
  const uint32_t epoch = state->combine_epoch + 1;
  const int64_t topk = state->topk;

  PushRows(ctx, n, recv_tensor, ep::data_of<bfloat16_t>(args[0]), ep::data_of<int32_t>(args[1]), counts, routed_y_buf);
  ep::MeshBarrier(ctx, base + window.combine_done, n, epoch);
  for (int64_t token = 0; state->refused == 0 && token < tokens; ++token) {
    SumRows(routed_y + token * hidden, routed_y_buf + token * topk * hidden, topk, hidden);
  }
  pipe_barrier(PIPE_ALL);

  state->combine_epoch = epoch;
  ep::clean_lines(state, ep::kLineBytes);
  dsb(DSB_DDR);
}
