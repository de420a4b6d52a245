// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// out = a + b, float tensors of one size that is a multiple of 8, up to 16384 elements.

#include <pto/pto-inst.hpp>

#include "run_add_shape.hpp"
#include "tensor.h"

using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, pto::DYNAMIC>, pto::Stride<1, 1, 1, 1, 1>>;
using RowTile = pto::Tile<pto::TileType::Vec, float, 1, kElementsMax, pto::BLayout::RowMajor, 1, pto::DYNAMIC>;

AICORE inline __gm__ float* data_of(__gm__ int64_t arg) {
  __gm__ ChipTensor* tensor = reinterpret_cast<__gm__ ChipTensor*>(arg);
  return reinterpret_cast<__gm__ float*>(tensor->buffer.addr) + tensor->start_offset;
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  const int64_t elements = static_cast<int64_t>(reinterpret_cast<__gm__ ChipTensor*>(args[0])->numel());
  Row a(data_of(args[0]), pto::Shape<1, 1, 1, 1, pto::DYNAMIC>(elements));
  Row b(data_of(args[1]), pto::Shape<1, 1, 1, 1, pto::DYNAMIC>(elements));
  Row out(data_of(args[2]), pto::Shape<1, 1, 1, 1, pto::DYNAMIC>(elements));
  RowTile left(static_cast<unsigned>(elements));
  RowTile right(static_cast<unsigned>(elements));
  TASSIGN(left, 0x0);
  TASSIGN(right, 0x10000);
  TLOAD(left, a);
  TLOAD(right, b);
  set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
  wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
  TADD(left, left, right);
  set_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
  wait_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);
  TSTORE(out, left);
  pipe_barrier(PIPE_ALL);
}
