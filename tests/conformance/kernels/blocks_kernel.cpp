// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Tasks of several blocks, which wait for one another; see the enumeration.
//
// Arguments: out [int32, kBlockWords for each block of each task], window [int32]; what, value, index of the task,
// CommContext. The window: word 0 counts arrivals, words 64 to 127 are a signal for each block, then data.

#include <sched.h>
#include <signal.h>
#include <pto/pto-inst.hpp>

#include <cstdlib>
#include <stdexcept>

#include "../blocks.hpp"
#include "intrinsic.h"
#include "kernel_support.hpp"

namespace {

namespace comm = pto::comm;
using comm::NotifyOp;
using comm::WaitCmp;
using Row = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<1, 1, 1, 1, 1>>;
using RowTile = pto::Tile<pto::TileType::Vec, int32_t, 1, 8>;

constexpr int kSignals = 64;
constexpr int kData = 128;

struct Task {
  int32_t* out;  // of this block
  int32_t* window;
  CommContext* ctx;
  int64_t value;
  int me;
  int n;
  int block;
  int blocks;
};

void notify(int32_t* word) {
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  comm::Signal signal(word);
  comm::TNOTIFY(signal, 1, NotifyOp::AtomicAdd);
}

AICORE inline void await(int32_t* word, int32_t at_least) {
  comm::Signal signal(word);
  comm::TWAIT(signal, at_least, WaitCmp::GE);
  dcci(word, ENTIRE_DATA_CACHE);
}

/// Every block fills the same place of its own on-chip memory, and takes it out after all have.
void on_chip(const Task& task) {
  int32_t* const data = task.window + kData + task.block * 8;
  for (int i = 0; i < 8; ++i) {
    data[i] = 100 * task.block + i;
  }
  RowTile tile;
  TASSIGN(tile, 0x40);
  Row source(data);
  TLOAD(tile, source);
  notify(task.window);
  await(task.window, task.blocks);
  Row target(task.out);
  TSTORE(target, tile);
}

/// All blocks of all ranks meet `value` times. What each writes before is seen by all behind: data[parity][rank, block]
/// is the round. A block that is a round ahead writes the other parity, and none is two ahead.
void barriers(const Task& task) {
  const int total = task.n * task.blocks;
  int32_t wrong = 0;
  for (int32_t round = 1; round <= task.value; ++round) {
    int32_t* const data = task.window + kData + (round % 2) * total;
    data[task.me * task.blocks + task.block] = round;
    for (int peer = 0; peer < task.n; ++peer) {
      notify(test_kernel::remote(task.ctx, task.window, peer));
    }
    await(task.window, total * round);
    for (int peer = 0; peer < task.n; ++peer) {
      const int32_t* const theirs = test_kernel::remote(task.ctx, data + peer * task.blocks, peer);
      for (int block = 0; block < task.blocks; ++block) {
        wrong += theirs[block] == round ? 0 : 1;
      }
    }
  }
  task.out[0] = wrong;
  task.out[1] = task.block;
}

/// The last block goes first. `order` is passed on as plain memory.
void reverse(const Task& task) {
  if (task.block != task.blocks - 1) {
    await(task.window + kSignals + task.block, 1);
  }
  int32_t* const order = task.window + kData;
  task.out[0] = (*order)++;
  if (task.block != 0) {
    notify(task.window + kSignals + task.block - 1);
  }
}

void push(const Task& task) {
  const int next = (task.me + 1) % task.n;
  RowTile tile;
  TASSIGN(tile, 0x0);
  Row source(task.window + kData + task.block * 8);
  Row target(test_kernel::remote(task.ctx, task.window + kData + 512 + task.block * 8, next));
  comm::TPUT(target, source, tile);
  notify(test_kernel::remote(task.ctx, task.window, next));
  await(task.window, task.blocks);
}

[[gnu::noinline]] int deeper(volatile int* above) {
  volatile int frame[4096];
  frame[0] = above[0] + 1;
  return deeper(frame) + frame[0];
}

AICORE inline void wait_for_ever(const Task& task) { await(task.window + kSignals + task.block, 1); }

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  const int block = get_block_idx(args);
  const int blocks = get_block_num(args);
  CommContext* const ctx = test_kernel::context_of(args[5]);
  const auto index = static_cast<int>(args[4]);
  const Task task{test_kernel::data_of<int32_t>(args[0]) + (index * 64 + block) * kBlockWords,
                  test_kernel::data_of<int32_t>(args[1]),
                  ctx,
                  args[3],
                  static_cast<int>(ctx->rankId),
                  static_cast<int>(ctx->rankNum),
                  block,
                  blocks};
  const bool chosen = task.me == task.n - 1 && block == task.value;

  switch (static_cast<Blocks>(args[2])) {
    case Blocks::kIdentify:
      task.out[0] = block;
      task.out[1] = blocks;
      task.out[2] = static_cast<int32_t>(get_block_idx());
      task.out[3] = static_cast<int32_t>(get_block_num());
      break;
    case Blocks::kOnChip: on_chip(task); break;
    case Blocks::kBarriers: barriers(task); break;
    case Blocks::kReverse: reverse(task); break;
    case Blocks::kThrow:
      if (chosen) {
        throw std::runtime_error("on purpose");
      }
      wait_for_ever(task);
      break;
    case Blocks::kThrowPolling:
      if (chosen) {
        throw std::runtime_error("on purpose");
      }
      for (comm::Signal word(task.window); !comm::TTEST(word, 1, WaitCmp::GE);) {
        sched_yield();
      }
      break;
    case Blocks::kRefused:
      if (chosen) {
        comm::Signal word(task.window - 1);
        comm::TNOTIFY(word, 1, NotifyOp::Set);
      }
      wait_for_ever(task);
      break;
    case Blocks::kKill:
      if (chosen) {
        raise(SIGKILL);
      }
      wait_for_ever(task);
      break;
    case Blocks::kFault:
      if (chosen || task.value == kEveryBlock) {
        *reinterpret_cast<volatile int32_t*>(16) = 1;
      }
      wait_for_ever(task);
      break;
    case Blocks::kOverflowStack:
      if (chosen) {
        volatile int first[1] = {0};
        task.out[0] = deeper(first);
      }
      wait_for_ever(task);
      break;
    case Blocks::kTwoWait:  // blocks 1 and 2, in lines of their own
      if (comm::Signal word(task.window + kSignals + block); block == 1) {
        comm::TWAIT(word, 5, WaitCmp::GE);
      } else if (block == 2) {
        comm::TWAIT(word, 6, WaitCmp::GE);
      }
      break;
    case Blocks::kOneComputes:  // the last block, for `value` milliseconds; the others wait for it
      if (block == blocks - 1) {
        test_kernel::sleep_ms(task.value);
        for (int i = 0; i < blocks; ++i) {
          notify(task.window + kSignals + i);
        }
      } else {
        wait_for_ever(task);
      }
      break;
    case Blocks::kFirstReturns:
      if (block != 0) {
        wait_for_ever(task);
      }
      break;
    case Blocks::kPush: push(task); break;
  }
}
