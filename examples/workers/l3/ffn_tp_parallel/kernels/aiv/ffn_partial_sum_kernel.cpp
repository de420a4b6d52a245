// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// y = the sum of all ranks' partial results: every rank pushes its own into its mailbox in every window, signals, waits
// for the signals of all peers, and adds up its own mailboxes in the order of the ranks.
//
// Arguments: partial [M, N], y [M, N], scratch (window, layout in slot_window.hpp); n, CommContext.
//
// Safety, for calls e = 1, 2, ... on one window; a call's epoch e is this rank's own count of calls.
// * The sum of call e reads mailbox set e % 2. Peer p wrote its mailbox before it signalled e (drained, fenced), and we
//   read after we have seen that signal.
// * A push of call e overwrites what peers read in call e-2. We are in call e, so in call e-1 we saw every peer's
//   signal e-1; a peer sends it after its own call e-2, sum included, is over. Slack: none.
// * Signals are never reset. A peer can be one call ahead, not two, because its call e+2 needs our signal e+1. So "not
//   e-1" in its cell means that e has arrived, also when the count wraps.
// * Every rank adds the same numbers in the same order, so y has the same bits everywhere.

#include <pto/pto-inst.hpp>

#include "../../../common/kernels/steps.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  const steps::Call call = steps::call_of(args);
  const int64_t elements = steps::words_of(args[0]);
  const slot_window::Window window = slot_window::window_of(call.n, elements);
  __gm__ uint32_t* epoch_word = steps::at<uint32_t>(call, window.epoch);
  const uint32_t epoch = steps::load_count(epoch_word) + 1;
  __gm__ float* mailboxes = call.scratch + (epoch % slot_window::kSlotSets) * call.n * elements;
  __gm__ float* my_mailbox = mailboxes + call.me * elements;

  // Push: my partial result into my mailbox in every window, starting with the next rank's.
  for (int i = 1; i <= call.n; ++i) {
    steps::push(steps::CommRemotePtr(call.ctx, my_mailbox, (call.me + i) % call.n), call.in, elements);
  }
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  steps::mesh_barrier(call, window.signals, epoch);

  const auto mailbox_of = [&](int source) { return mailboxes + source * elements; };
  steps::add_parts(call.out, mailbox_of, call.n, elements);
  pipe_barrier(PIPE_ALL);
  steps::store_count(epoch_word, epoch);
}
