// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// out = a times b on the cube core: a [M, K], b [K, N] of type ELEMENT, out [M, N] of type SUM, row-major, extents up
// to
// 64. Both types are macros that the command line sets.

#include <pto/pto-inst.hpp>

#include "tensor.h"

constexpr int kBlock = 64;
template <typename T>
using Matrix =
    pto::GlobalTensor<T, pto::Shape<1, 1, 1, pto::DYNAMIC, pto::DYNAMIC>, pto::Stride<1, 1, 1, pto::DYNAMIC, 1>>;
using StagedTile = pto::Tile<pto::TileType::Mat, ELEMENT, kBlock, kBlock, pto::BLayout::ColMajor, pto::DYNAMIC,
                             pto::DYNAMIC, pto::SLayout::RowMajor, 512>;
using LeftTile = pto::TileLeft<ELEMENT, kBlock, kBlock, pto::DYNAMIC, pto::DYNAMIC>;
using RightTile = pto::TileRight<ELEMENT, kBlock, kBlock, pto::DYNAMIC, pto::DYNAMIC>;
using SumTile = pto::TileAcc<SUM, kBlock, kBlock, pto::DYNAMIC, pto::DYNAMIC>;

template <typename T>
AICORE inline Matrix<T> matrix_of(__gm__ int64_t arg) {
  __gm__ ChipTensor* tensor = reinterpret_cast<__gm__ ChipTensor*>(arg);
  return Matrix<T>(reinterpret_cast<__gm__ T*>(tensor->buffer.addr) + tensor->start_offset,
                   {tensor->shapes[0], tensor->shapes[1]}, {tensor->shapes[1]});
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  const unsigned rows = reinterpret_cast<__gm__ ChipTensor*>(args[0])->shapes[0];
  const unsigned inner = reinterpret_cast<__gm__ ChipTensor*>(args[0])->shapes[1];
  const unsigned depth = reinterpret_cast<__gm__ ChipTensor*>(args[1])->shapes[0];
  const unsigned columns = reinterpret_cast<__gm__ ChipTensor*>(args[1])->shapes[1];
  Matrix<ELEMENT> a = matrix_of<ELEMENT>(args[0]);
  Matrix<ELEMENT> b = matrix_of<ELEMENT>(args[1]);
  Matrix<SUM> out = matrix_of<SUM>(args[2]);
  StagedTile a_tile(rows, inner);
  StagedTile b_tile(depth, columns);
  LeftTile left(rows, inner);
  RightTile right(depth, columns);
  SumTile sum(rows, columns);
  TASSIGN(a_tile, 0x0);
  TASSIGN(b_tile, 0x10000);
  TASSIGN(left, 0x0);
  TASSIGN(right, 0x0);
  TASSIGN(sum, 0x0);

  TLOAD(a_tile, a);
  TLOAD(b_tile, b);
  set_flag(PIPE_MTE2, PIPE_MTE1, EVENT_ID0);
  wait_flag(PIPE_MTE2, PIPE_MTE1, EVENT_ID0);
  TMOV(left, a_tile);
  TMOV(right, b_tile);
  set_flag(PIPE_MTE1, PIPE_M, EVENT_ID0);
  wait_flag(PIPE_MTE1, PIPE_M, EVENT_ID0);
  TMATMUL(sum, left, right);
  set_flag(PIPE_M, PIPE_FIX, EVENT_ID0);
  wait_flag(PIPE_M, PIPE_FIX, EVENT_ID0);
  TSTORE(out, sum);
  pipe_barrier(PIPE_ALL);
}
