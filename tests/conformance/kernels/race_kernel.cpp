// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Accesses to 'data'; see race.hpp.
//
// Arguments: data [int32, 16; 32 with a signal]; step, CommContext.

#include "../race.hpp"

#include <pto/pto-inst.hpp>

#include "kernel_support.hpp"

namespace {

using Row = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
using RowTile = pto::Tile<pto::TileType::Vec, int32_t, 1, 8, pto::BLayout::RowMajor>;

constexpr int kSignal = 31;  // of the words of 'data'

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  namespace comm = pto::comm;
  __gm__ int32_t* data = test_kernel::data_of<int32_t>(args[0]);
  const auto step = static_cast<RaceStep>(args[1]);
  __gm__ CommContext* ctx = test_kernel::context_of(args[2]);
  const int next = static_cast<int>((ctx->rankId + 1) % ctx->rankNum);
  RowTile tile;
  TASSIGN(tile, 0x0);
  if (step == RaceStep::kPut || step == RaceStep::kSend) {
    Row source(data + 8);
    Row target(test_kernel::remote(ctx, data, next));
    comm::TPUT(target, source, tile);
  }
  if (step == RaceStep::kSend) {
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    comm::Signal to(test_kernel::remote(ctx, data + kSignal, next));
    comm::TNOTIFY(to, 1, comm::NotifyOp::AtomicAdd);
  }
  if (step == RaceStep::kReceive) {
    comm::Signal from(data + kSignal);
    comm::TWAIT(from, 1, comm::WaitCmp::GE);
  }
  if (step == RaceStep::kLoad || step == RaceStep::kReceive) {
    Row source(data);
    TLOAD(tile, source);
  }
  if (step == RaceStep::kReload) {
    RowTile other;
    TASSIGN(other, 0x100);
    Row words(data);
    TSTORE(words, tile);
    TLOAD(other, words);
  }
  pipe_barrier(PIPE_ALL);
}
