// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What the signal instructions do between ranks.
//
// Arguments: out [64 int32], window [4 KiB]; mode, CommContext. Barrier words are the first 64 words of the window.

#include <sched.h>
#include <pto/pto-inst.hpp>

#include "kernel_support.hpp"

namespace {

namespace comm = pto::comm;
using comm::NotifyOp;
using comm::WaitCmp;

struct Comparison {
  WaitCmp compare;
  int32_t with;
  int32_t value;  ///< satisfies it; 0 does not
};
constexpr Comparison kComparisons[] = {{WaitCmp::EQ, 5, 5}, {WaitCmp::NE, 0, -1}, {WaitCmp::GT, 0, 3},
                                       {WaitCmp::GE, 7, 7}, {WaitCmp::LT, 0, -2}, {WaitCmp::LE, -7, -7}};

void six_comparisons(CommContext* ctx, int32_t* window, int32_t* out) {
  const int next = (static_cast<int>(ctx->rankId) + 1) % static_cast<int>(ctx->rankNum);
  int32_t* const words = window + 64;
  for (int i = 0; i < 6; ++i) {
    comm::Signal word(words + i);
    out[i] = comm::TTEST(word, kComparisons[i].with, kComparisons[i].compare) ? 1 : 0;
  }
  test_kernel::barrier(ctx, window, 1);
  for (int i = 0; i < 6; ++i) {
    comm::Signal word(test_kernel::remote(ctx, words + i, next));
    comm::TNOTIFY(word, kComparisons[i].value, NotifyOp::Set);
  }
  for (int i = 0; i < 6; ++i) {
    comm::Signal word(words + i);
    comm::TWAIT(word, kComparisons[i].with, kComparisons[i].compare);
    out[8 + i] = words[i];
    out[16 + i] = comm::TTEST(word, kComparisons[i].with, kComparisons[i].compare) ? 1 : 0;
  }
}

/// Everybody adds to a 4 x 8 part of everybody's matrix of pitch 16, and to a dense 2 x 3 one.
void matrices(CommContext* ctx, int32_t* window, int32_t* out) {
  const int n = static_cast<int>(ctx->rankNum);
  int32_t* const part = window + 64;
  int32_t* const dense = window + 64 + 4 * 16;
  for (int peer = 0; peer < n; ++peer) {
    for (int i = 0; i < 4 * 8; ++i) {
      comm::Signal word(test_kernel::remote(ctx, part + i / 8 * 16 + i % 8, peer));
      comm::TNOTIFY(word, 1, NotifyOp::AtomicAdd);
    }
    for (int i = 0; i < 2 * 3; ++i) {
      comm::Signal word(test_kernel::remote(ctx, dense + i, peer));
      comm::TNOTIFY(word, i + 1, NotifyOp::AtomicAdd);
    }
  }
  comm::Signal2D<4, 8> part_signal(part, 16);
  comm::TWAIT(part_signal, n, WaitCmp::GE);
  comm::Signal2D<2, 3> dense_signal(dense);
  comm::TWAIT(dense_signal, n, WaitCmp::GE);
  test_kernel::barrier(ctx, window, 1);
  for (int i = 0; i < 4 * 16; ++i) {
    out[i % 16 < 8 ? 0 : 1] += part[i];
  }
  for (int i = 0; i < 6; ++i) {
    out[2] += dense[i];
  }
  comm::Signal2D<4, 16> whole(part, 16);
  out[3] = comm::TTEST(part_signal, n, WaitCmp::EQ) ? 1 : 0;
  out[4] = comm::TTEST(whole, n, WaitCmp::EQ) ? 1 : 0;  // the other half is zero
}

/// Everybody adds and subtracts in one word of rank 0.
void one_word(CommContext* ctx, int32_t* window, int32_t* out) {
  constexpr int kRounds = 1000;
  const auto n = static_cast<int32_t>(ctx->rankNum);
  comm::Signal word(test_kernel::remote(ctx, window + 64, 0));
  for (int i = 0; i < kRounds; ++i) {
    comm::TNOTIFY(word, static_cast<int32_t>(ctx->rankId) + 2, NotifyOp::AtomicAdd);
    comm::TNOTIFY(word, -1, NotifyOp::AtomicAdd);
  }
  if (ctx->rankId == 0) {
    comm::TWAIT(word, kRounds * n * (n + 1) / 2, WaitCmp::EQ);
  }
  test_kernel::barrier(ctx, window, 1);
  out[0] = *test_kernel::remote(ctx, window + 64, 0);
  // Wraps without a trap.
  comm::Signal own(window + 65);
  comm::TNOTIFY(own, INT32_MAX, NotifyOp::Set);
  comm::TNOTIFY(own, 1, NotifyOp::AtomicAdd);
  out[1] = window[65];
}

/// A result of TTEST is all that says when the data are there.
void polling(CommContext* ctx, int32_t* window, int32_t* out) {
  const int me = static_cast<int>(ctx->rankId);
  const int next = (me + 1) % static_cast<int>(ctx->rankNum);
  int32_t* const data = window + 64;
  int32_t* const flag = window + 128;
  *test_kernel::remote(ctx, data, next) = 1000 + me;
  comm::Signal target(test_kernel::remote(ctx, flag, next));
  comm::TNOTIFY(target, 1, NotifyOp::Set);
  comm::Signal own(flag);
  while (!comm::TTEST(own, 1, WaitCmp::EQ)) {
    sched_yield();
  }
  out[0] = *data;
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ int32_t* out = test_kernel::data_of<int32_t>(args[0]);
  __gm__ int32_t* window = test_kernel::data_of<int32_t>(args[1]);
  __gm__ CommContext* ctx = test_kernel::context_of(args[3]);
  std::memset(out, 0, 64 * sizeof(int32_t));
  switch (args[2]) {
    case 0: six_comparisons(ctx, window, out); break;
    case 1: matrices(ctx, window, out); break;
    case 2: one_word(ctx, window, out); break;
    default: polling(ctx, window, out); break;
  }
}
