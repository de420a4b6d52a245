// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Local expert: y = bf16(weight * float(x)) for every row that arrived, rounded to nearest, ties to even.
//
// Arguments: recv_x [L x R x D], recv_w [L x R], recv_count [L x 1]; recv_y [L x R x D]; CommContext.
//
// Safety: nothing here is in a window. The inputs are those of a task that is complete, so its stores, scalar ones too,
// are in memory. Rows at and beyond the count are neither read nor written; an expert whose count exceeds R got no
// rows.

#include <pto/pto-inst.hpp>

#include "../ep_device.hpp"

namespace {

/// y[0:elements] = bf16(weight * float(x[0:elements])).
AICORE inline void ScaleRow(__gm__ bfloat16_t* y, __gm__ bfloat16_t* x, float weight, int64_t elements) {
  ep::RowTile<bfloat16_t, ep::kMathTileElements> x_tile(1);
  ep::RowTile<float, ep::kMathTileElements> wide_tile(1);
  ep::RowTile<bfloat16_t, ep::kMathTileElements> y_tile(1);
  TASSIGN(x_tile, 0x0);
  TASSIGN(wide_tile, 0x10000);
  TASSIGN(y_tile, 0x20000);
  for (int64_t done = 0; done < elements; done += ep::kMathTileElements) {
    const int64_t part = ep::smaller(elements - done, ep::kMathTileElements);
    x_tile.SetValidCol(static_cast<unsigned>(part));
    wide_tile.SetValidCol(static_cast<unsigned>(part));
    y_tile.SetValidCol(static_cast<unsigned>(part));
    ep::Row<bfloat16_t> source(x + done, ep::RowShape(part));
    ep::Row<bfloat16_t> target(y + done, ep::RowShape(part));
    TLOAD(x_tile, source);
    set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
    wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
    TCVT(wide_tile, x_tile, pto::RoundMode::CAST_RINT);
    pipe_barrier(PIPE_V);
    TMULS(wide_tile, wide_tile, weight);
    pipe_barrier(PIPE_V);
    TCVT(y_tile, wide_tile, pto::RoundMode::CAST_RINT);
    set_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
    wait_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
    TSTORE(target, y_tile);
    set_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
    wait_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);
  }
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* recv_tensor = ep::tensor_of(args[0]);
  __gm__ bfloat16_t* recv_x = ep::data_of<bfloat16_t>(args[0]);
  __gm__ float* recv_w = ep::data_of<float>(args[1]);
  __gm__ int32_t* recv_count = ep::data_of<int32_t>(args[2]);
  __gm__ bfloat16_t* recv_y = ep::data_of<bfloat16_t>(args[3]);
  const int64_t experts = recv_tensor->shapes[0];
  const int64_t capacity = recv_tensor->shapes[1];
  const int64_t hidden = recv_tensor->shapes[2];

  for (int64_t expert = 0; expert < experts; ++expert) {
    const int64_t rows = recv_count[expert] <= capacity ? recv_count[expert] : 0;
    for (int64_t row = expert * capacity; row < expert * capacity + rows; ++row) {
      ScaleRow(recv_y + row * hidden, recv_x + row * hidden, recv_w[row], hidden);
    }
  }
  pipe_barrier(PIPE_ALL);
}
