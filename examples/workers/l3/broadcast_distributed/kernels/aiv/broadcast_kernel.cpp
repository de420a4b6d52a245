// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Broadcast by push: every rank tells the root that it is ready, the root writes its data into the windows of all and
// signals, and every rank copies out of its own window.
//
// Arguments: in [count] (read on the root only), out [count], scratch (window, layout in broadcast_window.hpp); n,
// root, CommContext. All ranks of a call name the same root; the next call may have another one.
//
// Safety. Let c be the number of calls so far, this one included, in which this root has been root. Every rank counts
// that itself, in `roots`: all ranks make the same calls.
// * Data is there: the root writes, drains and fences before its c-th signal of data, and we copy out after it.
// * Nobody reads what is overwritten: the root writes after the c-th "ready" of each peer. A peer sends it at the start
//   of this call, so its earlier calls, whoever was root in them, are over, copy-out included (drained). No two roots
//   write into one window at a time either: the one before had ended, as far as that peer goes, when its data had
//   arrived. Slack: none; without the wait a root could be any number of calls ahead of a peer that is slow.
// * Signals are never reset. A peer's c-th "ready" is followed by another to the same root only after that root's c-th
//   data; a root's c-th data by its next only after our next "ready". So while we wait the word holds c-1 or c modulo
//   2^32, and "not c-1" means that the c-th has arrived, also when the count wraps. The two counts are apart: a root
//   whose data we have not seen may already have told us that it is ready for the next call, in which we are root.

#include <pto/pto-inst.hpp>

#include "../../../common/kernels/steps.hpp"
#include "../broadcast_window.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  const steps::Call call = steps::call_of(args, 5);
  const int root = static_cast<int>(args[4]);
  const int64_t words = steps::words_of(args[0]);
  const broadcast_window::Window window = broadcast_window::window_of(call.n, words);
  __gm__ uint32_t* root_word = steps::at<uint32_t>(call, window.roots) + root;
  const auto data_cell_of = [&](int source) { return steps::cell_of(call, window.signals, source); };
  const auto ready_cell_of = [&](int source) { return data_cell_of(source) + 1; };
  const uint32_t count = steps::load_count(root_word) + 1;

  if (call.me == root) {
    // Push: to each peer, starting with the next rank, as soon as it is ready.
    for (int i = 1; i < call.n; ++i) {
      const int dest = (call.me + i) % call.n;
      steps::wait_for(ready_cell_of(dest), count);
      steps::push(steps::CommRemotePtr(call.ctx, call.scratch, dest), call.in, words);
    }
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    for (int i = 1; i < call.n; ++i) {
      steps::notify(call, data_cell_of(call.me), (call.me + i) % call.n);
    }
    steps::copy(call.out, call.in, words);
  } else {
    // The copy-out of an earlier call is drained: the kernel ends with a barrier.
    steps::notify(call, ready_cell_of(call.me), root);
    steps::wait_for(data_cell_of(root), count);
    steps::copy(call.out, call.scratch, words);
  }
  pipe_barrier(PIPE_ALL);
  steps::store_count(root_word, count);
}
