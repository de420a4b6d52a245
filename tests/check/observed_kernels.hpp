// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the tests of observed kernels share: short names of tensors and tiles, and a kernel that is run in many orders.

#include <gtest/gtest.h>
#include <pto/pto-inst.hpp>

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "check/kernel_support.hpp"

namespace tileput::check::test {

template <class T>
using AnyRow = pto::GlobalTensor<T, pto::Shape<1, 1, 1, 1, pto::DYNAMIC>, pto::Stride<1, 1, 1, 1, 1>>;

/// `count` elements in a row.
template <class T>
AnyRow<T> row(T* data, std::int64_t count) {
  return {data, pto::Shape<1, 1, 1, 1, pto::DYNAMIC>(count)};
}

/// A tile of `kStorage` elements in a row at byte `offset` of Vec memory, of which `count` are valid.
template <class T = float, int kStorage = 64>
auto vec_row(std::uint64_t offset, unsigned count = kStorage) {
  pto::Tile<pto::TileType::Vec, T, 1, kStorage, pto::BLayout::RowMajor, 1, pto::DYNAMIC> tile(count);
  pto::TASSIGN(tile, offset);
  return tile;
}

inline void set_and_wait(pipe_t from, pipe_t to, event_t event = EVENT_ID0) {
  set_flag(from, to, event);
  wait_flag(from, to, event);
}

/// Drained and fenced: what was moved before may be signalled.
inline void release() {
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
}

inline void notify(std::int32_t* word, std::int32_t value = 1,
                   pto::comm::NotifyOp op = pto::comm::NotifyOp::AtomicAdd) {
  pto::comm::Signal signal(word);
  pto::comm::TNOTIFY(signal, value, op);
}

inline void wait_for(std::int32_t* word, std::int32_t value) {
  pto::comm::Signal signal(word);
  pto::comm::TWAIT(signal, value, pto::comm::WaitCmp::GE);
}

/// A kernel, what memory holds before it, what it holds after it, and what is found.
struct Case {
  std::function<void(Kernel&)> kernel;
  std::set<std::string> errors;
  std::function<void()> prepare = {};
  std::function<void()> check = {};
  int calls = 1;
};

/// Runs a case in several orders, with effects at once and late.
inline void expect_found(World& world, const Case& tested) {
  constexpr std::uint64_t kSeeds = 12;
  for (std::uint64_t seed = 0; seed <= kSeeds; ++seed) {
    world.clear();
    if (tested.prepare) {
      tested.prepare();
    }
    const RunResult result =
        world.run({.seed = seed, .calls = tested.calls, .delay_effects = seed != 0}, tested.kernel);
    EXPECT_EQ(errors_of(result.findings), tested.errors) << "seed " << seed << "\n" << text_of(result.findings);
    if (tested.check && tested.errors.empty()) {
      tested.check();
    }
    if (testing::Test::HasFailure()) {
      return;
    }
  }
}

}  // namespace tileput::check::test
