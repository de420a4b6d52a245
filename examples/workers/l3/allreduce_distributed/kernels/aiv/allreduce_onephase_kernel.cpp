// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Allreduce in one phase: every rank pushes all of its data into its mailbox in every window, signals, waits for the
// signals of all peers, and adds up its own mailboxes in the order of the ranks. Least latency, most data.
//
// Arguments: in [count], out [count], scratch (window, layout in allreduce_window.hpp); n, CommContext.
//
// Safety, for calls e = 1, 2, ... on one window; a call's epoch e is this rank's own count of calls.
// * The sum of call e reads mailbox set e % 2. Peer p wrote its mailbox before it signalled e (drained, fenced), and we
//   read after we have seen that signal.
// * A push of call e overwrites what peers read in call e-2. We are in call e, so in call e-1 we saw every peer's
//   signal e-1; a peer sends it after its own call e-2, sum included, is over. Slack: none.
// * A peer can be one call ahead, not two, because its call e+2 needs our signal e+1. Signals are never reset.
// * Every rank adds the same numbers in the same order: the same bits everywhere.

#include <pto/pto-inst.hpp>

#include "../../../common/kernels/steps.hpp"
#include "../allreduce_window.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  namespace ar = allreduce;
  const steps::Call call = steps::call_of(args);
  const int64_t count = steps::words_of(args[0]);
  const ar::Window window = ar::window_of(ar::Mode::kOnephase, call.n, count);
  __gm__ uint32_t* epoch_word = steps::at<uint32_t>(call, window.epoch);
  const uint32_t epoch = steps::load_count(epoch_word) + 1;
  __gm__ float* mailboxes = call.scratch + (epoch % ar::kSets) * window.area;
  __gm__ float* my_mailbox = mailboxes + call.me * count;

  for (int i = 1; i <= call.n; ++i) {
    const int peer = (call.me + i) % call.n;
    steps::push(steps::CommRemotePtr(call.ctx, my_mailbox, peer), call.in, count);
  }
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  steps::mesh_barrier(call, window.signals, epoch);
  steps::add_parts(
      call.out, [&](int source) { return mailboxes + source * count; }, call.n, count);
  pipe_barrier(PIPE_ALL);
  steps::store_count(epoch_word, epoch);
}
