// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Message passing: who has seen the notification sees the data that were written before it.
//
// Arguments: out [2 int64: rounds seen, stale reads], window [4 KiB]; rounds, form, CommContext.
// Forms: 0 plain stores and TWAIT, 1 TPUT and TWAIT, 2 plain stores and polling with TTEST.
// Rank 0 writes to the last rank and notifies the next one; every rank passes the notification on; the last one reads
// and credits rank 0. With two ranks this is the plain form, with three the transitive one.
//
// Safety: rank 0 overwrites the data of round r only after the credit for r-1, which the reader sends after its reads.

#include <sched.h>
#include <pto/pto-inst.hpp>

#include "kernel_support.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  namespace comm = pto::comm;
  using comm::NotifyOp;
  using comm::WaitCmp;
  constexpr int kWords = 4;  // data words, each in a line of its own
  constexpr int kPitch = 16;
  __gm__ int64_t* out = test_kernel::data_of<int64_t>(args[0]);
  __gm__ int32_t* window = test_kernel::data_of<int32_t>(args[1]);
  const auto rounds = static_cast<int32_t>(args[2]);
  const bool use_tput = args[3] == 1;
  const bool poll = args[3] == 2;
  __gm__ CommContext* ctx = test_kernel::context_of(args[4]);
  const int n = static_cast<int>(ctx->rankNum);
  const int me = static_cast<int>(ctx->rankId);
  const int last = n - 1;

  __gm__ int32_t* data = window;
  __gm__ int32_t* flag = window + kWords * kPitch;
  __gm__ int32_t* source = window + 2 * kWords * kPitch;
  comm::Signal own(flag);
  comm::Signal next(test_kernel::remote(ctx, flag, (me + 1) % n));
  using Column = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, kWords, 1>, pto::Stride<1, 1, 1, kPitch, 1>>;
  using Tile = pto::Tile<pto::TileType::Vec, int32_t, kWords, 8, pto::BLayout::RowMajor, kWords, 1>;
  Tile tile;
  TASSIGN(tile, 0x0);

  const auto await_equal = [&](int32_t value) {
    if (poll) {
      while (!comm::TTEST(own, value, WaitCmp::EQ)) {
        sched_yield();
      }
    } else {
      comm::TWAIT(own, value, WaitCmp::EQ);
    }
  };

  int64_t seen = 0;
  int64_t stale = 0;
  for (int32_t round = 1; round <= rounds; ++round) {
    if (me == 0) {
      __gm__ int32_t* target = test_kernel::remote(ctx, data, last);
      if (use_tput) {
        for (int i = 0; i < kWords; ++i) {
          source[i * kPitch] = round + i;
        }
        Column to(target);
        Column from(source);
        comm::TPUT(to, from, tile);
      } else {
        for (int i = 0; i < kWords; ++i) {
          target[i * kPitch] = round + i;
        }
      }
      comm::TNOTIFY(next, round, NotifyOp::Set);
      await_equal(round);  // the credit
    } else {
      await_equal(round);
      if (me == last) {
        for (int i = 0; i < kWords; ++i) {
          stale += data[i * kPitch] == round + i ? 0 : 1;
        }
      }
      comm::TNOTIFY(next, 1, NotifyOp::AtomicAdd);
    }
    ++seen;
  }
  out[0] = seen;
  out[1] = stale;
}
