// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Allreduce of two ranks, both directions at once: each adds its data to what the other has staged, chunk by chunk, so
// that one chunk is copied out while the next is on its way.
//
// Arguments: in [count], out [count], scratch (window, layout in allreduce_window.hpp); n = 2, CommContext.
//
// The own data is added to while the peer still needs it; a snapshot has to be kept. `in` is one, since nobody writes
// it.
//
// Safety, for calls e = 1, 2, ... on one window; the epoch line counts calls, the cell the peer's signals, 3 a call:
// staged, chunk 0 added, chunk 1 added.
// * The peer adds to our window only after our signal that we have staged, and we stage only after the call before has
//   copied out. Everything that the peer adds in a call we wait for in it. So one set of chunks is enough.
// * Each element is stored once and added to once: two operands, whose order does not matter, the same bits on both.
// * The cell counts every signal, and we wait for each in turn. It is never reset; e and 3e wrap together with it.

#include <pto/pto-inst.hpp>

#include "../../../common/kernels/steps.hpp"
#include "../allreduce_window.hpp"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  namespace ar = allreduce;
  constexpr int kChunks = 2;
  const steps::Call call = steps::call_of(args);
  const int64_t count = steps::words_of(args[0]);
  const ar::Window window = ar::window_of(ar::Mode::kIbing, call.n, count);
  __gm__ uint32_t* epoch_word = steps::at<uint32_t>(call, window.epoch);
  const uint32_t epoch = steps::load_count(epoch_word) + 1;
  uint32_t signals = (epoch - 1) * (1 + kChunks);
  __gm__ int32_t* cell = steps::cell_of(call, window.signals, ar::kFromLeft);
  __gm__ float* sum = call.scratch;
  const int peer = 1 - call.me;

  steps::copy(sum, call.in, count);
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  steps::notify(call, cell, peer);
  steps::wait_for(cell, ++signals);
  for (int c = 0; c < kChunks; ++c) {
    const ar::Chunk chunk = ar::chunk_of(window, count, c);
    steps::push<pto::AtomicType::AtomicAdd>(steps::CommRemotePtr(call.ctx, sum + chunk.begin, peer),
                                            call.in + chunk.begin, chunk.size);
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    steps::notify(call, cell, peer);
  }
  for (int c = 0; c < kChunks; ++c) {
    const ar::Chunk chunk = ar::chunk_of(window, count, c);
    steps::wait_for(cell, ++signals);
    steps::copy(call.out + chunk.begin, sum + chunk.begin, chunk.size);
  }
  pipe_barrier(PIPE_ALL);
  steps::store_count(epoch_word, epoch);
}
