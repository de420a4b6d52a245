// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// out = reduced * scale + bias, element by element, on 16 x 16 floats.
//
// Arguments: reduced, scale, bias, out, 256 floats each.
//
// Safety: nothing here is shared with another rank, and nothing is kept from one call to the next. `reduced` was
// written by a task before, which the worker orders. Events order the pipes: arithmetic after the loads, the store
// after that.

#include <pto/pto-inst.hpp>

#include "../affine_shape.hpp"
#include "pipe_sync.h"
#include "tensor.h"

namespace {

using Shape = pto::TileShape2D<float, affine::kRows, affine::kColumns>;
using Stride = pto::BaseShape2D<float, affine::kRows, affine::kColumns>;
using Matrix = pto::GlobalTensor<float, Shape, Stride>;
using MatrixTile = pto::Tile<pto::TileType::Vec, float, affine::kRows, affine::kColumns>;

AICORE inline Matrix matrix_of(__gm__ int64_t arg) {
  __gm__ ChipTensor* tensor = reinterpret_cast<__gm__ ChipTensor*>(arg);
  return Matrix(reinterpret_cast<__gm__ float*>(tensor->buffer.addr) + tensor->start_offset);
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  Matrix reduced = matrix_of(args[0]);
  Matrix scale = matrix_of(args[1]);
  Matrix bias = matrix_of(args[2]);
  Matrix out = matrix_of(args[3]);
  MatrixTile value;
  MatrixTile factor;
  MatrixTile summand;
  TASSIGN(value, 0x0);
  TASSIGN(factor, 0x10000);
  TASSIGN(summand, 0x20000);

  TLOAD(value, reduced);
  TLOAD(factor, scale);
  TLOAD(summand, bias);
  set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
  wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
  TMUL(value, value, factor);
  pipe_barrier(PIPE_V);
  TADD(value, value, summand);
  set_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
  wait_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
  TSTORE(out, value);
  pipe_barrier(PIPE_ALL);
  pipe_sync();
}
