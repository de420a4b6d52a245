// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Kernels that wait for what never comes, and that address what they must not; see the enumeration.
//
// Arguments: out [int64], window [4096 bytes]; what, value, CommContext.

#include <sched.h>
#include <pto/pto-inst.hpp>

#include <cstdlib>

#include "../hang.hpp"
#include "kernel_support.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  namespace comm = pto::comm;
  using comm::NotifyOp;
  using comm::WaitCmp;
  using test_kernel::sleep_ms;
  using Row = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<1, 1, 1, 1, 1>>;
  using Grid = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 4, 8>, pto::Stride<1, 1, 1, 4096, 1>>;
  __gm__ int64_t* out = test_kernel::data_of<int64_t>(args[0]);
  __gm__ int32_t* window = test_kernel::data_of<int32_t>(args[1]);
  const int64_t value = args[3];
  __gm__ CommContext* ctx = test_kernel::context_of(args[4]);
  const int n = static_cast<int>(ctx->rankNum);
  const int me = static_cast<int>(ctx->rankId);
  const int next = (me + 1) % n;
  const int64_t words = static_cast<int64_t>(ctx->winSize) / 4;
  pto::Tile<pto::TileType::Vec, int32_t, 4, 8> tile;
  TASSIGN(tile, 0x0);
  Row own(window);

  switch (static_cast<Hang>(args[2])) {
    case Hang::kReturn: break;
    case Hang::kNotify: {  // word 16 of the next rank, after `value` milliseconds
      sleep_ms(value);
      comm::Signal word(test_kernel::remote(ctx, window + 16, next));
      comm::TNOTIFY(word, 1, NotifyOp::AtomicAdd);
      break;
    }
    case Hang::kWait: {  // for word 16 of the own window to reach `value`
      comm::Signal word(window + 16);
      comm::TWAIT(word, static_cast<int32_t>(value), WaitCmp::GE);
      break;
    }
    case Hang::kExchangeThenWait: {  // one exchange with the neighbours that works, then a second notify is missing
      comm::Signal there(test_kernel::remote(ctx, window + 16, next));
      comm::TNOTIFY(there, 1, NotifyOp::AtomicAdd);
      comm::Signal here(window + 16);
      comm::TWAIT(here, 1, WaitCmp::GE);
      comm::TWAIT(here, 2, WaitCmp::GE);
      break;
    }
    case Hang::kWaitForRegion: {  // four words, of which the third is not satisfied
      window[0] = window[1] = window[3] = 5;
      comm::Signal2D<1, 4> region(window);
      comm::TWAIT(region, 5, WaitCmp::GE);
      break;
    }
    case Hang::kPollForever: {
      comm::Signal word(window + 16);
      while (!comm::TTEST(word, 1, WaitCmp::GE)) {
        sched_yield();
      }
      break;
    }
    case Hang::kCompute: sleep_ms(value); break;
    case Hang::kAbort: std::abort();
    case Hang::kPlainStore: *reinterpret_cast<volatile int32_t*>(ctx->windowsIn[next] + value) = 1; break;
    case Hang::kNullLoad: out[0] = *reinterpret_cast<volatile int64_t*>(value); break;

    case Hang::kPut: {  // 8 words, beginning `value` words into the next rank's window
      Row target(test_kernel::remote(ctx, window, next) + value);
      comm::TPUT(target, own, tile);
      break;
    }
    case Hang::kGet: {
      Row source(test_kernel::remote(ctx, window, next) + value);
      comm::TGET(own, source, tile);
      break;
    }
    case Hang::kNotifyAt: {
      comm::Signal word(test_kernel::remote(ctx, window, next) + value);
      comm::TNOTIFY(word, 1, NotifyOp::Set);
      break;
    }
    case Hang::kWaitAt: {
      comm::Signal word(window + value);
      comm::TWAIT(word, 0, WaitCmp::EQ);
      break;
    }
    case Hang::kLoad: {
      pto::Tile<pto::TileType::Vec, int32_t, 1, 8> row;
      TASSIGN(row, 0x0);
      Row source(window + value);
      TLOAD(row, source);
      break;
    }
    case Hang::kStore: {
      pto::Tile<pto::TileType::Vec, int32_t, 1, 8> row;
      TASSIGN(row, 0x0);
      Row target(window + value);
      TSTORE(target, row);
      break;
    }
    case Hang::kStridedPut: {  // four rows, of which the last three lie behind the window
      Grid target(test_kernel::remote(ctx, window, next) + words - 8);
      Grid source(window);
      comm::TPUT(target, source, tile);
      break;
    }
    case Hang::kPutFromStack: {
      int32_t local[8] = {};
      Row source(reinterpret_cast<__gm__ int32_t*>(local));
      Row target(test_kernel::remote(ctx, window, next));
      comm::TPUT(target, source, tile);
      break;
    }
    case Hang::kTensor: {  // the task's tensor, `value` words into it
      Row source(reinterpret_cast<__gm__ int32_t*>(out) + value);
      Row target(test_kernel::remote(ctx, window, next));
      comm::TPUT(target, source, tile);
      break;
    }
    case Hang::kManyPhases: {  // `value` times a push and a notify, all into the own window
      Row target(window + 512);
      comm::Signal word(window + 16);
      for (int64_t i = 0; i < value; ++i) {
        comm::TPUT(target, own, tile);
        comm::TNOTIFY(word, 1, NotifyOp::AtomicAdd);
      }
      break;
    }
    case Hang::kPlainNotify:  // as kNotify by a plain store, which rings nobody
      sleep_ms(value);
      __atomic_store_n(test_kernel::remote(ctx, window + 16, next), 1, __ATOMIC_SEQ_CST);
      break;
    case Hang::kLoadNothing: {  // a tile without valid rows, of a tensor behind the window
      pto::Tile<pto::TileType::Vec, int32_t, 1, 8, pto::BLayout::RowMajor, pto::DYNAMIC, 8> row(0);
      TASSIGN(row, 0x0);
      Row source(window + value);
      TLOAD(row, source);
      break;
    }
    case Hang::kLoadPart: {  // the first row and column lie inside the window, other elements that are moved do not
      using Wide = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 4, 16>, pto::Stride<1, 1, 1, 100, 1>>;
      Wide source(window + value);
      TLOAD(tile, source);
      break;
    }
    case Hang::kHugeShape: {  // as far as 64 bits do not reach
      using Huge =
          pto::GlobalTensor<int64_t, pto::Shape<1, 1, 1, pto::DYNAMIC, 1>, pto::Stride<1, 1, 1, pto::DYNAMIC, 1>>;
      const pto::Shape<1, 1, 1, pto::DYNAMIC, 1> shape(2147483647);
      const pto::Stride<1, 1, 1, pto::DYNAMIC, 1> stride(2147483647);
      Huge target(reinterpret_cast<__gm__ int64_t*>(test_kernel::remote(ctx, window, next)), shape, stride);
      Huge source(reinterpret_cast<__gm__ int64_t*>(window), shape, stride);
      pto::Tile<pto::TileType::Vec, int64_t, 4, 4> staging;
      TASSIGN(staging, 0x0);
      comm::TPUT(target, source, staging);
      break;
    }
    case Hang::kAssign: {
      pto::Tile<pto::TileType::Vec, int32_t, 4, 8> high;
      TASSIGN(high, static_cast<uint64_t>(value));
      break;
    }
  }
}
