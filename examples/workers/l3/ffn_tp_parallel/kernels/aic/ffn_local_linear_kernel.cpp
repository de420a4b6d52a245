// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// partial = x times w on the cube core, block by block: operands go from memory to L1 (Mat), from there to L0 (Left,
// Right), products add up in the accumulator, which is stored once for each block of the result.
//
// Arguments: x [M, K], w [K, N], partial [M, N], all float, row-major.
//
// Safety: nothing here is shared with another rank. Events order the pipes for each tile: L1 is loaded after MTE1 has
// moved what was there, L0 is filled after M has multiplied what was there, and the accumulator starts anew after FIX
// has stored it. Each event that gives a tile back is raised once before the loops, and waited for once after them.
// Events that one pipe raises for two others have an id each.

#include <pto/pto-inst.hpp>

#include "pipe_sync.h"
#include "tensor.h"

namespace {

using MatrixShape = pto::Shape<1, 1, 1, pto::DYNAMIC, pto::DYNAMIC>;
using MatrixStride = pto::Stride<1, 1, 1, pto::DYNAMIC, 1>;
using Matrix = pto::GlobalTensor<float, MatrixShape, MatrixStride>;

/// Rows and columns of the tiles: 16 KiB of floats each.
constexpr int kBlock = 64;

using StagedTile = pto::Tile<pto::TileType::Mat, float, kBlock, kBlock, pto::BLayout::ColMajor, pto::DYNAMIC,
                             pto::DYNAMIC, pto::SLayout::RowMajor, 512>;
using LeftTile = pto::TileLeft<float, kBlock, kBlock, pto::DYNAMIC, pto::DYNAMIC>;
using RightTile = pto::TileRight<float, kBlock, kBlock, pto::DYNAMIC, pto::DYNAMIC>;
using SumTile = pto::TileAcc<float, kBlock, kBlock, pto::DYNAMIC, pto::DYNAMIC>;

AICORE inline __gm__ float* data_of(__gm__ int64_t arg) {
  __gm__ ChipTensor* tensor = reinterpret_cast<__gm__ ChipTensor*>(arg);
  return reinterpret_cast<__gm__ float*>(tensor->buffer.addr) + tensor->start_offset;
}

AICORE inline unsigned part_of(int64_t extent, int64_t begin) {
  const int64_t left = extent - begin;
  return static_cast<unsigned>(left < kBlock ? left : kBlock);
}

AICORE inline Matrix block_of(__gm__ float* matrix, int64_t columns, int64_t row, int64_t column, unsigned height,
                              unsigned width) {
  return Matrix(matrix + row * columns + column, MatrixShape(height, width), MatrixStride(columns));
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* x_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* w_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ float* x = data_of(args[0]);
  __gm__ float* w = data_of(args[1]);
  __gm__ float* partial = data_of(args[2]);
  const int64_t rows = x_tensor->shapes[0];
  const int64_t inner = x_tensor->shapes[1];
  const int64_t columns = w_tensor->shapes[1];

  StagedTile x_tile(kBlock, kBlock);
  StagedTile w_tile(kBlock, kBlock);
  LeftTile left(kBlock, kBlock);
  RightTile right(kBlock, kBlock);
  SumTile sum(kBlock, kBlock);
  TASSIGN(x_tile, 0x0);
  TASSIGN(w_tile, 0x10000);
  TASSIGN(left, 0x0);
  TASSIGN(right, 0x0);
  TASSIGN(sum, 0x0);

  set_flag(PIPE_MTE1, PIPE_MTE2, EVENT_ID1);  // L1 is free
  set_flag(PIPE_M, PIPE_MTE1, EVENT_ID0);     // L0 is free
  set_flag(PIPE_FIX, PIPE_M, EVENT_ID0);      // the accumulator is free
  for (int64_t row = 0; row < rows; row += kBlock) {
    for (int64_t column = 0; column < columns; column += kBlock) {
      const unsigned height = part_of(rows, row);
      const unsigned width = part_of(columns, column);
      sum.SetValidShape(height, width);
      wait_flag(PIPE_FIX, PIPE_M, EVENT_ID0);
      for (int64_t k = 0; k < inner; k += kBlock) {
        const unsigned depth = part_of(inner, k);
        x_tile.SetValidShape(height, depth);
        left.SetValidShape(height, depth);
        w_tile.SetValidShape(depth, width);
        right.SetValidShape(depth, width);
        Matrix x_block = block_of(x, inner, row, k, height, depth);
        Matrix w_block = block_of(w, columns, k, column, depth, width);
        wait_flag(PIPE_MTE1, PIPE_MTE2, EVENT_ID1);
        TLOAD(x_tile, x_block);
        TLOAD(w_tile, w_block);
        set_flag(PIPE_MTE2, PIPE_MTE1, EVENT_ID0);
        wait_flag(PIPE_MTE2, PIPE_MTE1, EVENT_ID0);
        wait_flag(PIPE_M, PIPE_MTE1, EVENT_ID0);
        TMOV(left, x_tile);
        TMOV(right, w_tile);
        set_flag(PIPE_MTE1, PIPE_MTE2, EVENT_ID1);
        set_flag(PIPE_MTE1, PIPE_M, EVENT_ID0);
        wait_flag(PIPE_MTE1, PIPE_M, EVENT_ID0);
        if (k == 0) {
          TMATMUL(sum, left, right);
        } else {
          TMATMUL_ACC(sum, left, right);
        }
        set_flag(PIPE_M, PIPE_MTE1, EVENT_ID0);
      }
      set_flag(PIPE_M, PIPE_FIX, EVENT_ID1);
      wait_flag(PIPE_M, PIPE_FIX, EVENT_ID1);
      Matrix partial_block = block_of(partial, columns, row, column, height, width);
      TSTORE(partial_block, sum);
      set_flag(PIPE_FIX, PIPE_M, EVENT_ID0);
    }
  }
  wait_flag(PIPE_MTE1, PIPE_MTE2, EVENT_ID1);
  wait_flag(PIPE_M, PIPE_MTE1, EVENT_ID0);
  wait_flag(PIPE_FIX, PIPE_M, EVENT_ID0);
  pipe_sync();
}
