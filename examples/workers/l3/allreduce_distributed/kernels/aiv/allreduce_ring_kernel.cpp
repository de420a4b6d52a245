// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Allreduce around a ring, n-1 steps to reduce and n-1 to gather: every rank pushes one chunk a step to its right
// neighbour. Each sends and receives about twice the data, however many ranks there are.
//
// Arguments: in [count], out [count], scratch (window, layout in allreduce_window.hpp); n, CommContext.
//
// Rank r, right R = r+1, left L = r-1, all modulo n. Reduce step s = 1..n-1: push chunk r-s to R, then receive chunk
// r-s-1 from L and add our own to it; at the end chunk r is complete here. Gather step s: push chunk r-s+1 to R, then
// receive chunk r-s from L.
//
// Safety, for calls e = 1, 2, ... on one window; the epoch line counts calls, our cell the steps of L, 2(n-1) a call. A
// push is drained and fenced before its signal, and we touch a chunk after the signal of its step.
// * Gathering overwrites chunk c at r, which r read when it passed c on. It is back only after it went on from r to R,
//   ..., c, ..., L, each waiting for the one before: that read is over, whoever r is.
// * Nothing goes back to L: the next call would overwrite what R is still copying out. So chunk sets alternate with the
//   calls. Call e overwrites what R used in call e-2. In call e-1 a signal of L reached us that follows, over n-1
//   steps, R's first one of call e-1, which R sent after its call e-2 was over. Slack: none, with one set it races.
// * L can be ahead by many steps; the cell counts each, and we wait for each in turn. Signals are never reset; e and e
//   times 2(n-1) wrap together with them.
// * Each chunk is summed along one path, from rank c+1 on to rank c: the same bits everywhere.

#include <pto/pto-inst.hpp>

#include "../../../common/kernels/steps.hpp"
#include "../allreduce_window.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  namespace ar = allreduce;
  const steps::Call call = steps::call_of(args);
  const int64_t count = steps::words_of(args[0]);
  const int n = call.n;
  const ar::Window window = ar::window_of(ar::Mode::kRing, n, count);
  __gm__ uint32_t* epoch_word = steps::at<uint32_t>(call, window.epoch);
  const uint32_t epoch = steps::load_count(epoch_word) + 1;
  uint32_t step = (epoch - 1) * static_cast<uint32_t>(2 * (n - 1));
  __gm__ float* chunks = call.scratch + (epoch % ar::kSets) * window.area;
  const auto chunk_of = [&](int index) { return ar::chunk_of(window, count, (index + 2 * n) % n); };
  const auto pass_on = [&](__gm__ float* source, const ar::Chunk& chunk) {
    const int right = (call.me + 1) % n;
    steps::push(steps::CommRemotePtr(call.ctx, chunks + chunk.begin, right), source, chunk.size);
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    steps::notify(call, steps::cell_of(call, window.signals, ar::kFromLeft), right);
  };

  // Reduce; the first chunk is passed on as it came in.
  for (int s = 1; s < n; ++s) {
    const ar::Chunk sent = chunk_of(call.me - s);
    pass_on((s == 1 ? call.in : chunks) + sent.begin, sent);
    steps::wait_for(steps::cell_of(call, window.signals, ar::kFromLeft), ++step);
    const ar::Chunk received = chunk_of(call.me - s - 1);
    __gm__ float* sum = chunks + received.begin;
    __gm__ float* own = call.in + received.begin;
    steps::add_parts(
        sum, [&](int part) { return part == 0 ? sum : own; }, 2, received.size);
    pipe_barrier(PIPE_ALL);
  }
  // Gather.
  for (int s = 1; s < n; ++s) {
    const ar::Chunk sent = chunk_of(call.me - s + 1);
    pass_on(chunks + sent.begin, sent);
    steps::wait_for(steps::cell_of(call, window.signals, ar::kFromLeft), ++step);
  }
  steps::copy(call.out, n == 1 ? call.in : chunks, count);
  pipe_barrier(PIPE_ALL);
  steps::store_count(epoch_word, epoch);
}
