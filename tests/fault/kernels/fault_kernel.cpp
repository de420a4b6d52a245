// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The push all-to-all with named points at which a test ends or stops this rank; and a few other things to be doing
// when a fault comes. The protocol and its safety argument are those of all_to_all_kernel.cpp.
//
// Arguments: in, out [n x kWords int32], window (all_to_all_window.hpp); mode, value, CommContext.

#include <time.h>
#include <pto/pto-inst.hpp>

#include "../fault_modes.hpp"
#include "../inject.hpp"
#include "all_to_all_window.hpp"
#include "platform_comm/comm_context.h"
#include "tensor.h"

namespace {

namespace comm = pto::comm;
using fault_kernel::kWords;
using fault_kernel::Mode;
using tileput::fault::Call;

using Words = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, kWords>, pto::Stride<1, 1, 1, 1, 1>>;
using WordTile = pto::Tile<pto::TileType::Vec, int32_t, 1, kWords>;

int32_t* data_of(int64_t arg) {
  auto* const tensor = reinterpret_cast<ChipTensor*>(arg);
  return reinterpret_cast<int32_t*>(tensor->buffer.addr) + tensor->start_offset;
}

template <class T>
T* remote(const CommContext* ctx, T* local, int peer) {
  return reinterpret_cast<T*>(ctx->windowsIn[peer] + (reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId]));
}

void pass(Call point) { tileput_fault_point(static_cast<int>(point)); }

void sleep_ms(int64_t ms) {
  const timespec time{ms / 1000, ms % 1000 * 1'000'000};
  nanosleep(&time, nullptr);
}

void all_to_all_epoch(int32_t* in, int32_t* out, uint8_t* base, const CommContext* ctx) {
  const int n = static_cast<int>(ctx->rankNum);
  const int me = static_cast<int>(ctx->rankId);
  const all_to_all::Window window = all_to_all::window_of(all_to_all::kPushSlotSets, ctx->rankNum, kWords);
  auto* const epoch_word = reinterpret_cast<uint32_t*>(base + window.epoch);
  const uint32_t epoch = *epoch_word + 1;
  int32_t* const slots = reinterpret_cast<int32_t*>(base) + (epoch % all_to_all::kPushSlotSets) * n * kWords;
  const auto cell_of = [&](int source) {
    return reinterpret_cast<int32_t*>(base + window.signals + source * all_to_all::kLineBytes);
  };
  WordTile tile;
  TASSIGN(tile, 0x0);

  for (int i = 1; i <= n; ++i) {
    const int dest = (me + i) % n;
    if (i == n) {
      pass(Call::kPointPush);
    }
    for (int w = 0; w < kWords; ++w) {
      ++in[dest * kWords + w];
    }
    Words target(remote(ctx, slots + me * kWords, dest));
    Words source(in + dest * kWords);
    comm::TPUT(target, source, tile);
  }
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);

  for (int i = 1; i < n; ++i) {
    comm::Signal arrived(remote(ctx, cell_of(me), (me + i) % n));
    comm::TNOTIFY(arrived, 1, comm::NotifyOp::AtomicAdd);
  }
  pass(Call::kPointNotified);
  for (int i = 1; i < n; ++i) {
    comm::Signal arrived(cell_of((me + i) % n));
    comm::TWAIT(arrived, static_cast<int32_t>(epoch - 1), comm::WaitCmp::NE);
  }

  for (int source = 0; source < n; ++source) {
    if (source == n - 1) {
      pass(Call::kPointCopyOut);
    }
    Words from(slots + source * kWords);
    Words to(out + source * kWords);
    TLOAD(tile, from);
    pipe_barrier(PIPE_ALL);
    TSTORE(to, tile);
    pipe_barrier(PIPE_ALL);
  }
  *epoch_word = epoch;
  dcci(epoch_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  dsb(DSB_DDR);
}

/// See Mode::kInspect.
void inspect(int32_t* out, const uint8_t* base, const CommContext* ctx, int64_t duration_ms) {
  out[0] = 0;
  for (int64_t slept = 0; slept <= duration_ms; slept += 20) {
    const auto* const word = reinterpret_cast<const volatile uint32_t*>(base);
    for (uint64_t i = 0; i < ctx->winSize / sizeof(uint32_t); ++i) {
      out[0] += word[i] != 0 ? 1 : 0;
    }
    sleep_ms(20);
  }
  const uint64_t distance = ctx->windowsIn[ctx->rankId] - ctx->windowsIn[0];
  out[1] = static_cast<int32_t>(distance / fault_kernel::kPageBytes);
}

}  // namespace

extern "C" __aicore__ void kernel_entry(__gm__ int64_t* args) {
  int32_t* const in = data_of(args[0]);
  int32_t* const out = data_of(args[1]);
  auto* const base = reinterpret_cast<uint8_t*>(data_of(args[2]));
  const int64_t value = args[4];
  const auto* const ctx = reinterpret_cast<const CommContext*>(args[5]);
  switch (static_cast<Mode>(args[3])) {
    case Mode::kAllToAll:
      for (int64_t epoch = 0; epoch < value; ++epoch) {
        all_to_all_epoch(in, out, base, ctx);
      }
      break;
    case Mode::kWait:
      if (ctx->rankId == 0) {
        sleep_ms(value);
        for (uint32_t peer = 1; peer < ctx->rankNum; ++peer) {
          comm::Signal done(remote(ctx, reinterpret_cast<int32_t*>(base), static_cast<int>(peer)));
          comm::TNOTIFY(done, 1, comm::NotifyOp::Set);
        }
      } else {
        comm::Signal done(reinterpret_cast<int32_t*>(base));
        comm::TWAIT(done, 1, comm::WaitCmp::EQ);
      }
      break;
    case Mode::kSleep: sleep_ms(value); break;
    case Mode::kInspect: inspect(out, base, ctx, value); break;
  }
}
