// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// All ranks add into rank 0's window at once; and a signal that atomic additions raise.
//
// Arguments: out [kDataBytes bytes], window [kWindowBytes]; mode, type, form, CommContext.

#include <pto/pto-inst.hpp>

#include "../atomic_cases.hpp"
#include "fences.hpp"

namespace {

namespace ac = atomic_cases;
using pto::AtomicType;

template <class T>
using Pairs = pto::GlobalTensor<T, pto::Shape<1, 1, 1, ac::kElements / 3, 2>, pto::Stride<1, 1, 1, 3, 1>>;
template <class T>
using Dense = pto::GlobalTensor<T, pto::Shape<1, 1, 1, ac::kElements / 3, 2>, pto::Stride<1, 1, 1, 2, 1>>;
template <class T>
using Tile = pto::Tile<pto::TileType::Vec, T, ac::kElements / 3, 32, pto::BLayout::RowMajor, ac::kElements / 3, 2>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 8, 32>;

template <class T>
AICORE void add(int form, Pairs<T>& target, Dense<T>& source) {
  Staging<T> ping;
  Staging<T> pong;
  Tile<T> tile;
  TASSIGN(ping, 0x0);
  TASSIGN(pong, 0x1000);
  TASSIGN(tile, 0x2000);
  AtomicType atomic = AtomicType::AtomicAdd;
  switch (form) {
    case ac::kPut: pto::comm::TPUT<AtomicType::AtomicAdd>(target, source, ping); break;
    case ac::kPutAtRunTime: pto::comm::TPUT(target, source, ping, atomic); break;
    case ac::kPutPingPong: pto::comm::TPUT<AtomicType::AtomicAdd>(target, source, ping, pong); break;
    default:
      TLOAD(tile, source);
      set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
      wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
      pto::TSTORE<Tile<T>, Pairs<T>, AtomicType::AtomicAdd>(target, tile);
      break;
  }
}

template <class T>
AICORE void sums(int form, __gm__ CommContext* ctx, __gm__ uint8_t* window, __gm__ uint8_t* out) {
  test_kernel::Fenced fenced(ctx, reinterpret_cast<__gm__ int32_t*>(window + ac::kDataBytes));
  __gm__ T* own = reinterpret_cast<__gm__ T*>(window);
  for (int64_t i = 0; i < ac::kElements; ++i) {
    own[i] = static_cast<T>(static_cast<float>(ac::is_neighbour(i) ? ac::kNeighbour : 0));
  }
  fenced.barrier();
  __gm__ T* addends = reinterpret_cast<__gm__ T*>(window + ac::kAddendsBegin);
  Pairs<T> target(test_kernel::remote(ctx, own, 0));
  Dense<T> source(addends);
  for (int64_t round = 0; round <= ac::kRounds; ++round) {
    pipe_barrier(PIPE_ALL);  // the round before has read them
    for (int64_t i = 0, next = 0; i < ac::kElements; ++i) {
      if (!ac::is_neighbour(i)) {
        addends[next++] = static_cast<T>(static_cast<float>(ac::addend(fenced.me(), i, round)));
      }
    }
    dsb(DSB_DDR);
    add<T>(form, target, source);
  }
  fenced.barrier();
  __gm__ T* total = test_kernel::remote(ctx, own, 0);
  for (int64_t i = 0; i < ac::kElements; ++i) {
    const auto value = static_cast<int32_t>(static_cast<float>(total[i]));
    std::memcpy(out + i * 4, &value, sizeof(value));
  }
}

/// A signal that nobody notifies: atomic additions raise it, everybody's to everybody's word. Many rounds, so that some
/// waits sleep before the addition comes.
AICORE void wait_for_additions(int form, __gm__ CommContext* ctx, __gm__ uint8_t* window, __gm__ uint8_t* out) {
  const int n = static_cast<int>(ctx->rankNum);
  const int me = static_cast<int>(ctx->rankId);
  using Word = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, 1>, pto::Stride<1, 1, 1, 1, 1>>;
  using WordTile = pto::Tile<pto::TileType::Vec, int32_t, 1, 8, pto::BLayout::RowMajor, 1, 1>;
  WordTile ping;
  WordTile pong;
  TASSIGN(ping, 0x0);
  TASSIGN(pong, 0x100);
  __gm__ int32_t* words = reinterpret_cast<__gm__ int32_t*>(window);
  __gm__ int32_t* one = reinterpret_cast<__gm__ int32_t*>(window + ac::kAddendsBegin);
  *one = 1;
  Word addend(one);
  for (int32_t round = 1; round <= 50; ++round) {
    if (round % 10 == 0 && me == round / 10 % n) {
      test_kernel::sleep_ms(3);
    }
    const int next = (me + 1) % n;
    Word target(test_kernel::remote(ctx, words + me, next));
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    switch (form) {
      case ac::kPut: pto::comm::TPUT<AtomicType::AtomicAdd>(target, addend, ping); break;
      case ac::kPutAtRunTime: pto::comm::TPUT(target, addend, ping, AtomicType::AtomicAdd); break;
      case ac::kPutPingPong: pto::comm::TPUT<AtomicType::AtomicAdd>(target, addend, ping, pong); break;
      default:
        TLOAD(ping, addend);
        set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
        wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
        pto::TSTORE<WordTile, Word, AtomicType::AtomicAdd>(target, ping);
        break;
    }
    pipe_barrier(PIPE_ALL);  // the addition has happened
    pto::comm::Signal own(words + (me + n - 1) % n);
    pto::comm::TWAIT(own, round, pto::comm::WaitCmp::GE);
  }
  dcci(words, ENTIRE_DATA_CACHE);  // the last addition has been seen: nobody writes the word any more
  std::memcpy(out, words + (me + n - 1) % n, sizeof(int32_t));
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ uint8_t* out = test_kernel::data_of<uint8_t>(args[0]);
  __gm__ uint8_t* window = test_kernel::data_of<uint8_t>(args[1]);
  const int form = static_cast<int>(args[4]);
  __gm__ CommContext* ctx = test_kernel::context_of(args[5]);
  if (args[2] == ac::kWait) {
    wait_for_additions(form, ctx, window, out);
    return;
  }
  switch (args[3]) {
    case ac::kFloat: sums<float>(form, ctx, window, out); break;
    case ac::kHalf: sums<half>(form, ctx, window, out); break;
    case ac::kBfloat16: sums<bfloat16_t>(form, ctx, window, out); break;
    case ac::kInt32: sums<int32_t>(form, ctx, window, out); break;
    case ac::kInt16: sums<int16_t>(form, ctx, window, out); break;
    default: sums<int8_t>(form, ctx, window, out); break;
  }
}
