// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Allgather by push: every rank writes its data into its own slot of every peer's window, signals, waits for the
// signals of all peers, and copies out of its own window.
//
// Arguments: in [count], out [n x count], scratch (window, layout in slot_window.hpp); n, CommContext.
//
// Safety, for calls e = 1, 2, ... on one window; a call's epoch e is this rank's own count of calls.
// * Copy-out of call e reads slot set e % 2. Peer p wrote its slot before it signalled e (drained, fenced), and we read
//   after we have seen that signal.
// * A push of call e overwrites what a peer read in call e-2. We are in call e, so in call e-1 we saw every peer's
//   signal e-1; a peer sends it after its own call e-2, copy-out included, is over. No barrier at the end is needed.
//   Slack: none; with one slot set the push of e would race with the copy-out of e-1.
// * Signals are never reset. A peer can be one call ahead, not two, because its call e+2 needs our signal e+1. So while
//   we wait in call e its cell holds e-1, e or e+1 modulo 2^32, and "not e-1" means that e has arrived, also when the
//   count wraps.

#include <pto/pto-inst.hpp>

#include "../../../common/kernels/steps.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  const steps::Call call = steps::call_of(args);
  const int64_t words = steps::words_of(args[0]);
  const slot_window::Window window = slot_window::window_of(call.n, words);
  __gm__ uint32_t* epoch_word = steps::at<uint32_t>(call, window.epoch);
  const uint32_t epoch = steps::load_count(epoch_word) + 1;
  __gm__ float* slots = call.scratch + (epoch % slot_window::kSlotSets) * call.n * words;
  __gm__ float* my_slot = slots + call.me * words;

  // Push: my data into my slot of every window, my own last.
  for (int i = 1; i <= call.n; ++i) {
    steps::push(steps::CommRemotePtr(call.ctx, my_slot, (call.me + i) % call.n), call.in, words);
  }
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  steps::mesh_barrier(call, window.signals, epoch);

  // Copy-out: purely local, the slots lie in the order of the output.
  steps::copy(call.out, slots, call.n * words);
  pipe_barrier(PIPE_ALL);
  steps::store_count(epoch_word, epoch);
}
