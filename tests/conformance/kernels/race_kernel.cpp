// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// One access to 'data', without any signal; see race.hpp.
//
// Arguments: data [int32, 16]; step, CommContext.

#include "../race.hpp"

#include <pto/pto-inst.hpp>

#include "kernel_support.hpp"

namespace {

using Row = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
using RowTile = pto::Tile<pto::TileType::Vec, int32_t, 1, 8, pto::BLayout::RowMajor>;

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ int32_t* data = test_kernel::data_of<int32_t>(args[0]);
  __gm__ CommContext* ctx = test_kernel::context_of(args[2]);
  const int next = static_cast<int>((ctx->rankId + 1) % ctx->rankNum);
  RowTile tile;
  TASSIGN(tile, 0x0);
  switch (static_cast<RaceStep>(args[1])) {
    case RaceStep::kNothing: break;
    case RaceStep::kPut: {
      Row source(data + 8);
      Row target(test_kernel::remote(ctx, data, next));
      pto::comm::TPUT(target, source, tile);
      break;
    }
    case RaceStep::kLoad: {
      Row source(data);
      TLOAD(tile, source);
      break;
    }
  }
  pipe_barrier(PIPE_ALL);
}
