// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// TNOTIFY, TWAIT and TTEST within one thread, and woken by a second one (spec section 11).

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "pto/comm/pto_comm_instr_impl.hpp"
#include "support.hpp"

namespace {

using pto::comm::NotifyOp;
using pto::comm::Signal;
using pto::comm::Signal2D;
using pto::comm::WaitCmp;
using tileput::ErrorCode;
using tileput::test::error_of;

TEST(Notify, SetStores) {
  int32_t words[3] = {7, 7, 7};
  Signal signal(words + 1);
  pto::comm::TNOTIFY(signal, -5, NotifyOp::Set);
  EXPECT_EQ(words[0], 7);
  EXPECT_EQ(words[1], -5);
  EXPECT_EQ(words[2], 7);
}

TEST(Notify, AtomicAddAddsAndWraps) {
  int32_t words[3] = {0, 1, 0};
  Signal signal(words + 1);
  TNOTIFY(signal, (int32_t)1, NotifyOp::AtomicAdd);  // found through NotifyOp
  EXPECT_EQ(words[1], 2);
  pto::comm::TNOTIFY(signal, -10, NotifyOp::AtomicAdd);
  EXPECT_EQ(words[1], -8);
  words[1] = INT32_MAX;
  pto::comm::TNOTIFY(signal, 2, NotifyOp::AtomicAdd);
  EXPECT_EQ(words[1], INT32_MIN + 1);
  words[1] = INT32_MIN;
  pto::comm::TNOTIFY(signal, -1, NotifyOp::AtomicAdd);
  EXPECT_EQ(words[1], INT32_MAX);
  EXPECT_EQ(words[0], 0);
  EXPECT_EQ(words[2], 0);
}

TEST(Notify, ActsOnElementZeroOnly) {
  int32_t words[32] = {};
  Signal2D<4, 8> signals(words);
  pto::comm::TNOTIFY(signals, 3, NotifyOp::AtomicAdd);
  EXPECT_EQ(words[0], 3);
  for (int i = 1; i < 32; ++i) {
    EXPECT_EQ(words[i], 0);
  }
}

/// `left cmp right` by the definition in spec section 9.
bool model(std::int64_t left, std::int64_t right, WaitCmp compare) {
  const bool truth[6] = {left == right, left != right, left > right, left >= right, left < right, left <= right};
  return truth[static_cast<int>(compare)];
}

TEST(TestSignal, AllComparisons) {
  const int32_t values[] = {INT32_MIN, -2, -1, 0, 1, 2, INT32_MAX};
  for (int compare = 0; compare < 6; ++compare) {
    for (const int32_t left : values) {
      for (const int32_t right : values) {
        int32_t word = left;
        Signal signal(&word);
        const bool expected = model(left, right, static_cast<WaitCmp>(compare));
        EXPECT_EQ(pto::comm::TTEST(signal, right, static_cast<WaitCmp>(compare)), expected)
            << left << " " << compare << " " << right;
        if (expected) {
          pto::comm::TWAIT(signal, right, static_cast<WaitCmp>(compare));  // satisfied already
        }
        EXPECT_EQ(word, left);
      }
    }
  }
}

TEST(TestSignal, DenseMatrix) {
  int32_t words[34];
  std::fill_n(words, 34, 5);
  Signal2D<4, 8> signals(words + 1);
  EXPECT_TRUE(pto::comm::TTEST(signals, 5, WaitCmp::EQ));
  words[0] = words[33] = 0;
  EXPECT_TRUE(pto::comm::TTEST(signals, 5, WaitCmp::EQ));
  for (int i = 1; i <= 32; ++i) {
    words[i] = 4;
    EXPECT_FALSE(pto::comm::TTEST(signals, 5, WaitCmp::GE)) << i;
    words[i] = 5;
  }
  pto::comm::TWAIT(signals, 5, WaitCmp::GE);
}

TEST(TestSignal, SubRectangle) {
  int32_t words[64] = {};
  Signal2D<4, 8> signals(words, 16);
  for (int i = 0; i < 64; ++i) {
    words[i] = i % 16 < 8 ? 1 : 0;
  }
  EXPECT_TRUE(pto::comm::TTEST(signals, 1, WaitCmp::EQ));
  for (int i = 0; i < 64; ++i) {
    words[i] ^= 1;
    EXPECT_EQ(pto::comm::TTEST(signals, 1, WaitCmp::EQ), i % 16 >= 8) << i;
    words[i] ^= 1;
  }
}

TEST(TestSignal, FiveDimensions) {
  using Region = pto::GlobalTensor<int32_t, pto::Shape<>, pto::Stride<>>;
  int32_t words[256] = {};
  Region signals(words, {2, 2, 2, 2, 2}, {100, 50, 20, 7, 2});
  int touched = 0;
  for (int i = 0; i < 256; ++i) {
    words[i] = 1;
    touched += pto::comm::TTEST(signals, 0, WaitCmp::EQ) ? 0 : 1;
    words[i] = 0;
  }
  EXPECT_EQ(touched, 32);
}

TEST(TestSignal, EmptyRegionsAreInvalid) {
  using Region = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, pto::DYNAMIC, 8>, pto::Stride<>>;
  int32_t word = 0;
  Region none(&word, Region::Shape(0));
  EXPECT_EQ(error_of([&] { pto::comm::TWAIT(none, 0, WaitCmp::EQ); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(error_of([&] { pto::comm::TTEST(none, 0, WaitCmp::EQ); }), ErrorCode::kShapeMismatch);
}

TEST(Wait, ReturnsWhenAnotherThreadNotifies) {
  alignas(64) int32_t words[16] = {};
  std::int64_t payload = 0;
  std::thread peer([&] {
    for (int i = 0; i < 16; ++i) {
      if (i == 15) {
        payload = 42;  // made visible by the last notification only
      }
      Signal signal(words + i);
      pto::comm::TNOTIFY(signal, 1, NotifyOp::AtomicAdd);
      std::this_thread::yield();
    }
  });
  Signal2D<1, 16> signals(words);
  pto::comm::TWAIT(signals, 1, WaitCmp::GE);
  EXPECT_EQ(payload, 42);
  peer.join();
}

TEST(Wait, PollingSeesTheNotification) {
  int32_t word = 0;
  std::int64_t payload = 0;
  std::thread peer([&] {
    payload = 42;
    Signal signal(&word);
    pto::comm::TNOTIFY(signal, 9, NotifyOp::Set);
  });
  Signal signal(&word);
  while (!pto::comm::TTEST(signal, 9, WaitCmp::EQ)) {
    std::this_thread::yield();
  }
  EXPECT_EQ(payload, 42);
  peer.join();
}

TEST(Wait, EventsComeFirst) {
  struct Notifier {
    int32_t* word;
    void Wait() { __atomic_store_n(word, 1, __ATOMIC_SEQ_CST); }  // pairs with the loads of TWAIT
  };
  int32_t word = 0;
  Notifier event{&word};
  Signal signal(&word);
  pto::comm::TWAIT(signal, 1, WaitCmp::EQ, event);
  word = 0;
  EXPECT_TRUE(pto::comm::TTEST(signal, 1, WaitCmp::EQ, event));
  word = 0;
  pto::comm::TNOTIFY(signal, 1, NotifyOp::AtomicAdd, event);
  EXPECT_EQ(word, 2);
}

TEST(Impl, SpellingsAreSynonyms) {
  int32_t word = 0;
  Signal signal(&word);
  pto::comm::TNOTIFY_IMPL(signal, 2, NotifyOp::AtomicAdd);
  EXPECT_EQ(word, 2);
  pto::comm::TWAIT_IMPL(signal, 2, WaitCmp::EQ);
  EXPECT_TRUE(pto::comm::TTEST_IMPL(signal, 1, WaitCmp::GT));
  EXPECT_FALSE(pto::comm::TTEST_IMPL(signal, 3, WaitCmp::GE));
}

/// A notification into memory that the core's heaps cover rings the bell of that heap's rank, if it sleeps.
TEST(Notify, RingsTheOwnerOnlyWhenItSleeps) {
  using tileput::machine::Doorbell;
  tileput::machine::Core& core = tileput::machine::current_core();
  const tileput::machine::Core before = core;
  alignas(4096) static std::byte heaps[3][4096];
  Doorbell bells[3];
  core.heap_base = reinterpret_cast<std::uintptr_t>(heaps);
  core.heap_shift = 12;
  core.heap_count = 3;
  core.doorbells = bells;
  Signal signal(reinterpret_cast<int32_t*>(&heaps[1][64]));
  pto::comm::TNOTIFY(signal, 1, NotifyOp::AtomicAdd);
  EXPECT_EQ(bells[1].bell.load(), 0U);
  bells[1].sleepers = 1;
  pto::comm::TNOTIFY(signal, 1, NotifyOp::Set);
  EXPECT_EQ(bells[1].bell.load(), 1U);
  EXPECT_EQ(bells[0].bell.load() + bells[2].bell.load(), 0U);
  int32_t elsewhere = 0;
  Signal outside(&elsewhere);
  pto::comm::TNOTIFY(outside, 1, NotifyOp::Set);
  EXPECT_EQ(bells[1].bell.load(), 1U);
  core = before;
}

}  // namespace
