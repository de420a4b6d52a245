// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Allreduce in two phases, a reduce-scatter and an allgather: every rank pushes chunk c of its data to rank c, which
// adds up what it was sent in the order of the ranks and pushes the sum to all.
//
// Arguments: in [count], out [count], scratch (window, layout in allreduce_window.hpp); n, CommContext.
//
// Safety: the epoch line counts barriers, two a call. Barrier b is: drain, fence, signal every peer, wait for all.
// * Parts are read after the first barrier, results after the second; peers wrote them before they signalled.
// * Parts of the next call overwrite what a peer reads between the two barriers; the next call comes after our second
//   barrier, which that peer has signalled after its reads. Results of the next call overwrite what a peer reads after
//   the second barrier; they are pushed after the next call's first one, which that peer signals after its reads.
//   Slack: none, each of the two protects the other phase's data.
// * A peer can be one barrier ahead, not two, because it needs our signal for each. Signals are never reset.
// * Each chunk is summed by one rank: the same bits everywhere.

#include <pto/pto-inst.hpp>

#include "../../../common/kernels/steps.hpp"
#include "../allreduce_window.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  namespace ar = allreduce;
  const steps::Call call = steps::call_of(args);
  const int64_t count = steps::words_of(args[0]);
  const ar::Window window = ar::window_of(ar::Mode::kTwophase, call.n, count);
  __gm__ uint32_t* epoch_word = steps::at<uint32_t>(call, window.epoch);
  const uint32_t barrier = steps::load_count(epoch_word);
  __gm__ float* parts = call.scratch;
  __gm__ float* results = call.scratch + window.area;
  const auto chunk_of = [&](int index) { return ar::chunk_of(window, count, index); };

  // Reduce-scatter: chunk c to rank c, my own included.
  __gm__ float* my_part = parts + call.me * window.chunk;
  for (int i = 1; i <= call.n; ++i) {
    const int owner = (call.me + i) % call.n;
    steps::push(steps::CommRemotePtr(call.ctx, my_part, owner), call.in + chunk_of(owner).begin, chunk_of(owner).size);
  }
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  steps::mesh_barrier(call, window.signals, barrier + 1);
  const ar::Chunk mine = chunk_of(call.me);
  __gm__ float* my_result = results + mine.begin;
  steps::add_parts(
      my_result, [&](int source) { return parts + source * window.chunk; }, call.n, mine.size);
  pipe_barrier(PIPE_ALL);

  // Allgather: my chunk of the result to all.
  for (int i = 1; i < call.n; ++i) {
    steps::push(steps::CommRemotePtr(call.ctx, my_result, (call.me + i) % call.n), my_result, mine.size);
  }
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  steps::mesh_barrier(call, window.signals, barrier + 2);
  steps::copy(call.out, results, count);
  pipe_barrier(PIPE_ALL);
  steps::store_count(epoch_word, barrier + 2);
}
