// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Asynchronous transfers around a ring, several in flight in each of two sessions.
//
// Arguments: out [4 int32: mismatches, first index, its value, refused waits], window [1 KiB of signals, then
// 4 parts for what comes in, then 4 for what goes out, of 1024 int32 each]; get, CommContext.

#include <pto/pto-inst.hpp>

#include "fences.hpp"

namespace {

using pto::comm::AsyncEvent;
using pto::comm::AsyncSession;

constexpr int64_t kPart = 1024;
constexpr int kParts = 4;
constexpr int kRounds = 20;
using Part = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, kPart>, pto::Stride<kPart, kPart, kPart, kPart, 1>>;

AICORE int32_t word(int rank, int part, int64_t index, int round) {
  return static_cast<int32_t>(rank * 1'000'003 + part * 10'007 + index * 101 + round);
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ int32_t* out = test_kernel::data_of<int32_t>(args[0]);
  __gm__ int32_t* window = test_kernel::data_of<int32_t>(args[1]);
  const bool get = args[2] != 0;
  __gm__ CommContext* ctx = test_kernel::context_of(args[3]);
  const int n = static_cast<int>(ctx->rankNum);
  const int me = static_cast<int>(ctx->rankId);
  const int next = (me + 1) % n;
  const int before = (me + n - 1) % n;
  __gm__ int32_t* incoming = window + 256;
  __gm__ int32_t* outgoing = incoming + kParts * kPart;
  test_kernel::Fenced fenced(ctx, window);
  std::memset(out, 0, 4 * sizeof(int32_t));

  AsyncSession sessions[2] = {};
  for (int round = 0; round < kRounds; ++round) {
    for (int part = 0; part < kParts; ++part) {
      for (int64_t i = 0; i < kPart; ++i) {
        outgoing[part * kPart + i] = word(me, part, i, round);
        incoming[part * kPart + i] = -1;
      }
    }
    fenced.barrier();
    AsyncEvent events[kParts];
    for (int part = 0; part < kParts; ++part) {
      Part source(test_kernel::remote(ctx, outgoing + part * kPart, get ? before : me));
      Part target(test_kernel::remote(ctx, incoming + part * kPart, get ? me : next));
      events[part] = get ? pto::comm::TGET_ASYNC(target, source, sessions[part % 2])
                         : pto::comm::TPUT_ASYNC(target, source, sessions[part % 2]);
    }
    for (int session = 0; session < 2; ++session) {
      const AsyncEvent& last = events[kParts - 2 + session];  // drains its session
      out[3] += last.valid() && last.Wait(sessions[session]) && last.Test(sessions[session]) ? 0 : 1;
    }
    fenced.barrier();
    for (int64_t i = 0; i < kParts * kPart; ++i) {
      if (incoming[i] != word(before, static_cast<int>(i / kPart), i % kPart, round) && out[0]++ == 0) {
        out[1] = static_cast<int32_t>(i);
        out[2] = incoming[i];
      }
    }
    fenced.barrier();
  }
}
