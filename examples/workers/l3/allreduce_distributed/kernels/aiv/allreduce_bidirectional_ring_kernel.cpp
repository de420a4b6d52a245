// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Allreduce around two rings at once: the first n chunks go to the right, the other n to the left, so each link carries
// half the data in each direction. What is received is added by the sender, atomically, to what the receiver staged.
//
// Arguments: in [count], out [count], scratch (window, layout in allreduce_window.hpp); n, CommContext.
//
// Rank r, right R = r+1, left L = r-1, all modulo n. Stage: copy in to the own window, tell R and L. Reduce step s =
// 1..n-1: add chunk r-s of ring 0 to R's and chunk r+s of ring 1 to L's, then wait for both neighbours. Gather step s:
// push chunk r-s+1 of ring 0 to R and r+s-1 of ring 1 to L, then wait for both.
//
// Safety, for calls e = 1, 2, ... on one window; the epoch line counts calls, the two cells the signals of L and of R:
// one and 2(n-1) a call. A push is drained and fenced before its signal, and we touch a chunk after that of its step.
// * Neighbours write to our window only after the signal that we have staged, and we stage only after the call before
//   has copied out: so one set of chunks is enough. All that is sent to us in a call we wait for in it, so nothing of
//   it lands on what the next call stages.
// * A chunk is added to once in the reduce phase, by one rank, after it was staged: the sum has two operands, whose
//   order does not matter, and each chunk is summed along one path. The same bits everywhere.
// * Gathering overwrites chunk c of ring 0 at r, which r read when it passed c on. It is back only after it went from
//   r to R, ..., c, ..., L, each waiting for the one before: that read is over. Ring 1 is its mirror image.
// * Cells count every signal, and we wait for each in turn, however far a neighbour is ahead. They are never reset;
//   they wrap together with e times the signals of a call.
// * With n = 2 both neighbours are the same rank, which writes both cells.

#include <pto/pto-inst.hpp>

#include "../../../common/kernels/steps.hpp"
#include "../allreduce_window.hpp"

namespace {

/// Both neighbours and the cells that they count in.
struct Neighbours {
  const steps::Call& call;
  const allreduce::Window& window;
  uint32_t signals;  ///< how many of each have been waited for

  AICORE int right() const { return (call.me + 1) % call.n; }
  AICORE int left() const { return (call.me + call.n - 1) % call.n; }

  /// After the caller has drained and fenced.
  AICORE void notify() const {
    steps::notify(call, steps::cell_of(call, window.signals, allreduce::kFromLeft), right());
    steps::notify(call, steps::cell_of(call, window.signals, allreduce::kFromRight), left());
  }
  AICORE void wait() {
    ++signals;
    steps::wait_for(steps::cell_of(call, window.signals, allreduce::kFromLeft), signals);
    steps::wait_for(steps::cell_of(call, window.signals, allreduce::kFromRight), signals);
  }
};

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  namespace ar = allreduce;
  const steps::Call call = steps::call_of(args);
  const int64_t count = steps::words_of(args[0]);
  const int n = call.n;
  const ar::Window window = ar::window_of(ar::Mode::kBidirectionalRing, n, count);
  __gm__ uint32_t* epoch_word = steps::at<uint32_t>(call, window.epoch);
  const uint32_t epoch = steps::load_count(epoch_word) + 1;
  Neighbours neighbours{call, window, (epoch - 1) * static_cast<uint32_t>(1 + 2 * (n - 1))};
  __gm__ float* chunks = call.scratch;
  const auto chunk_of = [&](int ring, int index) {
    return ar::chunk_of(window, count, ring * n + (index + 2 * n) % n);
  };
  const auto there = [&](const ar::Chunk& chunk, int peer) {
    return steps::CommRemotePtr(call.ctx, chunks + chunk.begin, peer);
  };

  steps::copy(chunks, call.in, count);
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  if (n > 1) {
    neighbours.notify();
    neighbours.wait();
  }
  for (int s = 1; s < n; ++s) {
    const ar::Chunk to_right = chunk_of(0, call.me - s);
    const ar::Chunk to_left = chunk_of(1, call.me + s);
    steps::push<pto::AtomicType::AtomicAdd>(there(to_right, neighbours.right()), chunks + to_right.begin,
                                            to_right.size);
    steps::push<pto::AtomicType::AtomicAdd>(there(to_left, neighbours.left()), chunks + to_left.begin, to_left.size);
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    neighbours.notify();
    neighbours.wait();
  }
  for (int s = 1; s < n; ++s) {
    const ar::Chunk to_right = chunk_of(0, call.me - s + 1);
    const ar::Chunk to_left = chunk_of(1, call.me + s - 1);
    steps::push(there(to_right, neighbours.right()), chunks + to_right.begin, to_right.size);
    steps::push(there(to_left, neighbours.left()), chunks + to_left.begin, to_left.size);
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    neighbours.notify();
    neighbours.wait();
  }
  steps::copy(call.out, chunks, count);
  pipe_barrier(PIPE_ALL);
  steps::store_count(epoch_word, epoch);
}
