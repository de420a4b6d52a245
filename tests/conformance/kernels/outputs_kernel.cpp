// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Copies `count` elements of the first tensor to the second, adding a number to each.
//
// Arguments: source, target [int32]; count, number.

#include <pto/pto-inst.hpp>

#include "kernel_support.hpp"

namespace {

constexpr int kTile = 64;

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ int32_t* source = test_kernel::data_of<int32_t>(args[0]);
  __gm__ int32_t* target = test_kernel::data_of<int32_t>(args[1]);
  const int count = static_cast<int>(args[2]);
  const auto number = static_cast<int32_t>(args[3]);
  using Line = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, -1>, pto::Stride<1, 1, 1, 1, 1>>;
  pto::Tile<pto::TileType::Vec, int32_t, 1, kTile, pto::BLayout::RowMajor, 1, -1> tile(kTile);
  TASSIGN(tile, 0x0);
  for (int done = 0; done < count; done += kTile) {
    const int part = count - done < kTile ? count - done : kTile;
    tile.SetValidCol(static_cast<unsigned>(part));
    Line from(source + done, pto::Shape<1, 1, 1, 1, -1>(part));
    Line to(target + done, pto::Shape<1, 1, 1, 1, -1>(part));
    TLOAD(tile, from);
    pipe_barrier(PIPE_ALL);
    TADDS(tile, tile, number);
    pipe_barrier(PIPE_ALL);
    TSTORE(to, tile);
    pipe_barrier(PIPE_ALL);
  }
}
