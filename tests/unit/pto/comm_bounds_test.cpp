// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Every form that copies between tensors refuses memory that its task does not have, before it writes anything.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "any_tensor.hpp"
#include "pto/pto-inst.hpp"
#include "tileput/machine/known_memory.hpp"

namespace {

using pto::AtomicType;
using pto::Tile;
using pto::TileType;
using pto::comm::ParallelGroup;
using pto::comm::ReduceOp;
using tileput::ErrorCode;
using tileput::machine::KnownRange;
using tileput::test::AnyTensor;
using tileput::test::error_of;
using tileput::test::Observe;
using tileput::test::Recorder;
using tileput::test::tensor_of;

/// Knows one array.
class OneArray final : public tileput::machine::KnownMemory {
 public:
  OneArray(const void* begin, std::uint64_t bytes)
      : range_{reinterpret_cast<std::uintptr_t>(begin), reinterpret_cast<std::uintptr_t>(begin) + bytes} {}
  [[nodiscard]] std::optional<KnownRange> find(std::uintptr_t address) const override {
    return address >= range_.begin && address < range_.end ? std::optional(range_) : std::nullopt;
  }
  [[nodiscard]] std::string describe(std::uintptr_t /*address*/) const override { return "elsewhere"; }

 private:
  KnownRange range_;
};

constexpr int kWords = 64;

/// Three rows of eight words inside what is known, and a fourth that reaches one word over its end.
class CommBounds : public testing::Test {
 protected:
  CommBounds() {
    std::fill(std::begin(words), std::end(words), -1);
    auto& core = tileput::machine::current_core();
    core.memory = &known;
    core.known = found.data();
    TASSIGN(ping, 0);
    TASSIGN(pong, 0x100);
  }
  ~CommBounds() override {
    tileput::machine::current_core().memory = nullptr;
    tileput::machine::current_core().known = nullptr;
  }

  AnyTensor<std::int32_t> rows(int first_word, int count) {
    return tensor_of(words + first_word, {1, 1, 1, count, 8}, {8, 8, 8, 8, 1});
  }

  /// Refused, with and without an observer, and nothing is written or recorded.
  template <class Action>
  void expect_refused(Action&& action) {
    EXPECT_EQ(error_of(action), ErrorCode::kOutOfWindow);
    Recorder recorder;
    {
      const Observe observe(recorder);
      EXPECT_EQ(error_of(action), ErrorCode::kOutOfWindow);
    }
    EXPECT_TRUE(recorder.records.empty());
    EXPECT_TRUE(std::all_of(std::begin(words), std::end(words), [](std::int32_t word) { return word == -1; }));
  }

  alignas(32) std::int32_t words[kWords];
  OneArray known{words, (kWords - 8) * sizeof(std::int32_t)};
  std::array<KnownRange, tileput::machine::kKnownExtra> found{};
  AnyTensor<std::int32_t> inside = rows(0, 1);
  AnyTensor<std::int32_t> over = rows(kWords - 15, 1);
  pto::comm::AsyncSession session = {};
  Tile<TileType::Vec, std::int32_t, 1, 8> ping;
  Tile<TileType::Vec, std::int32_t, 1, 8> pong;
};

TEST_F(CommBounds, Transfers) {
  AnyTensor<std::int32_t>* const pairs[][2] = {{&inside, &over}, {&over, &inside}};
  for (const auto& pair : pairs) {
    auto& to = *pair[0];
    auto& from = *pair[1];
    expect_refused([&] { pto::comm::TPUT(to, from, ping, pong); });
    expect_refused([&] { pto::comm::TPUT(to, from, ping, AtomicType::AtomicAdd); });
    expect_refused([&] { pto::comm::TPUT(to, from, ping, AtomicType::AtomicNone); });
    expect_refused([&] { pto::comm::TPUT<AtomicType::AtomicAdd>(to, from, ping); });
    expect_refused([&] { pto::comm::TPUT<AtomicType::AtomicAdd>(to, from, ping, pong); });
    expect_refused([&] { pto::comm::TGET(to, from, ping, pong); });
    expect_refused([&] { pto::comm::TPUT_ASYNC(to, from, session); });
    expect_refused([&] { pto::comm::TGET_ASYNC(to, from, session, 1); });
  }
}

TEST_F(CommBounds, Collectives) {
  AnyTensor<std::int32_t> members[3] = {rows(8, 1), rows(16, 1), over};  // the last of the group is the bad one
  ParallelGroup<AnyTensor<std::int32_t>> bad(members, 3, 0);
  auto all = rows(24, 3);
  expect_refused([&] { TBROADCAST(bad, inside, ping); });
  expect_refused([&] { TGATHER(bad, all, ping, pong); });
  expect_refused([&] { TSCATTER(bad, all, ping); });
  expect_refused([&] { TREDUCE(bad, inside, ping, pong, ReduceOp::Sum); });
  ParallelGroup<AnyTensor<std::int32_t>> good(members, 2, 1);
  auto last_row_over = rows(kWords - 23, 2);
  expect_refused([&] { TBROADCAST(good, over, ping); });
  expect_refused([&] { TGATHER(good, last_row_over, ping); });
  expect_refused([&] { TSCATTER(good, last_row_over, ping, pong); });
  expect_refused([&] { TREDUCE(good, over, ping, pong, ReduceOp::Max); });
}

TEST_F(CommBounds, RowsThatNobodyUsesMayLieOutside) {
  AnyTensor<std::int32_t> members[2] = {rows(0, 1), rows(8, 1)};
  std::fill(words, words + 16, 5);
  ParallelGroup<AnyTensor<std::int32_t>> group(members, 2, 0);
  auto more = rows(kWords - 24, 3);
  TGATHER(group, more, ping);
  EXPECT_EQ(words[kWords - 9], 5);
  EXPECT_EQ(words[kWords - 8], -1);
}

}  // namespace
