// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// TSTORE with AtomicAdd (spec sections 8.2 and 10.4): values, views, and that no addition is lost.

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "any_tensor.hpp"
#include "pto/pto-inst.hpp"

namespace {

using pto::AtomicType;
using pto::BLayout;
using pto::DYNAMIC;
using pto::Layout;
using pto::Tile;
using pto::TileType;
using tileput::ErrorCode;
using tileput::machine::Instruction;
using tileput::machine::Opcode;
using tileput::test::error_of;
using tileput::test::Extents;
using tileput::test::Guarded;
using tileput::test::Observe;
using tileput::test::Recorder;
using tileput::test::tensor_of;

template <class TileData, class Tensor>
void add(Tensor& tensor, TileData& tile) {
  pto::TSTORE<TileData, Tensor, AtomicType::AtomicAdd>(tensor, tile);
}

template <class T>
class AtomicStore : public testing::Test {};
using Elements = testing::Types<float, half, bfloat16_t, std::int32_t, std::int16_t, std::int8_t>;
TYPED_TEST_SUITE(AtomicStore, Elements);

/// Adds (1, 2, 3, ...) to (3, 6, 9, ...) twice through the view; sums stay exact in every element type.
template <class TileData, Layout layout = Layout::ND>
void expect_sums(TileData& tile, const Extents& shape, const Extents& stride) {
  using T = typename TileData::DType;
  const auto size = static_cast<std::size_t>(tileput::test::reach(shape, stride));
  const auto value = [](std::int64_t i) { return static_cast<T>(static_cast<float>(i % 5 + 1)); };
  Guarded<T> addends(size);
  Guarded<T> memory(size);
  Guarded<T> expected(size);
  std::int64_t next = 0;
  tileput::test::for_each_index(shape, [&](const Extents& i) {
    const auto offset = tileput::test::offset_of(i, stride);
    const T one = value(next);
    const T three = static_cast<T>(3 * static_cast<float>(value(next)));
    const T five = static_cast<T>(5 * static_cast<float>(value(next)));
    std::memcpy(addends.data() + offset, &one, sizeof(T));
    std::memcpy(memory.data() + offset, &three, sizeof(T));
    std::memcpy(expected.data() + offset, &five, sizeof(T));
    ++next;
  });
  auto from = tensor_of<T, layout>(addends.data(), shape, stride);
  auto to = tensor_of<T, layout>(memory.data(), shape, stride);
  TLOAD(tile, from);
  add(to, tile);
  add(to, tile);
  EXPECT_EQ(memory.bytes(), expected.bytes());
}

TYPED_TEST(AtomicStore, AddsThroughEveryView) {
  using T = TypeParam;
  constexpr int kBlock = 32 / static_cast<int>(sizeof(T));
  Tile<TileType::Vec, T, 1, 2 * kBlock> row;
  TASSIGN(row, 0);
  expect_sums(row, {1, 1, 1, 1, 2 * kBlock}, {1, 1, 1, 1, 1});
  Tile<TileType::Vec, T, 24, kBlock, BLayout::RowMajor, DYNAMIC, DYNAMIC> matrix(24, 5);
  TASSIGN(matrix, 0);
  expect_sums(matrix, {2, 3, 2, 2, 5}, tileput::test::strides_for({2, 3, 2, 2, 5}, 3));
  expect_sums(matrix, {1, 1, 1, 24, 5}, {1, 1, 1, 1, 30});  // a transposed view
  Tile<TileType::Vec, T, 2 * kBlock, 1, BLayout::ColMajor, DYNAMIC, 1> column(7U);
  TASSIGN(column, 0);
  expect_sums<decltype(column), Layout::DN>(column, {1, 1, 1, 7, 1}, {1, 1, 1, 1, 1});
  Tile<TileType::Mat, T, 32, 64, BLayout::ColMajor, DYNAMIC, DYNAMIC, pto::SLayout::RowMajor, 512> boxed(17, 33);
  TASSIGN(boxed, 0);
  expect_sums(boxed, {1, 1, 1, 17, 33}, {1, 1, 1, 40, 1});
}

TYPED_TEST(AtomicStore, EmptyTensorsStayAsTheyAre) {
  using T = TypeParam;
  constexpr int kBlock = 32 / static_cast<int>(sizeof(T));
  Tile<TileType::Vec, T, 4, kBlock, BLayout::RowMajor, DYNAMIC, DYNAMIC> tile(0, 5);
  TASSIGN(tile, 0);
  Guarded<T> memory(64);
  const auto before = memory.bytes();
  auto none = tensor_of<T>(memory.data(), {1, 1, 1, 0, 5}, {8, 8, 8, 8, 1});
  add(none, tile);
  EXPECT_EQ(memory.bytes(), before);
}

/// Neighbours that share a word, and the same elements, from several threads at once: the sums are exact. Additions
/// alternate with their opposites, so that every element type holds them; a lost one stays visible.
TYPED_TEST(AtomicStore, ConcurrentAdditionsAreNotLost) {
  using T = TypeParam;
  constexpr int kThreads = 4;
  constexpr int kElements = 32;
  constexpr int kRounds = 20'000;
  alignas(64) T memory[kElements];
  for (T& element : memory) {
    element = static_cast<T>(0.0F);
  }
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      Tile<TileType::Vec, T, 1, kElements> more;
      Tile<TileType::Vec, T, 1, kElements> less;
      TASSIGN(more, 0x0);
      TASSIGN(less, 0x1000);
      for (int i = 0; i < kElements; ++i) {
        const auto value = static_cast<float>(1 + (thread + i) % kThreads);
        more.SetValue(static_cast<std::uint32_t>(i), static_cast<T>(value));
        less.SetValue(static_cast<std::uint32_t>(i), static_cast<T>(-value));
      }
      pto::GlobalTensor<T, pto::Shape<1, 1, 1, 1, kElements>, pto::Stride<1, 1, 1, 1, 1>> tensor(memory);
      ++ready;
      while (ready < kThreads) {
        std::this_thread::yield();
      }
      for (int round = 0; round < kRounds; ++round) {
        add(tensor, more);
        add(tensor, less);
      }
      add(tensor, more);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const T& element : memory) {
    EXPECT_EQ(static_cast<float>(element), 1.0F + 2.0F + 3.0F + 4.0F);
  }
}

TEST(AtomicStoreValues, IntegersWrap) {
  const auto expect_wrap = [](auto last) {
    using T = decltype(last);
    alignas(64) T memory[32] = {};
    memory[0] = last;
    Tile<TileType::Vec, T, 1, 32> tile;
    TASSIGN(tile, 0);
    for (std::uint32_t i = 0; i < 32; ++i) {
      tile.SetValue(i, static_cast<T>(i == 0 ? 1 : -1));
    }
    pto::GlobalTensor<T, pto::Shape<1, 1, 1, 1, 32>, pto::Stride<1, 1, 1, 1, 1>> tensor(memory);
    add(tensor, tile);
    EXPECT_EQ(memory[0], std::numeric_limits<T>::min());
    EXPECT_EQ(memory[31], -1);
  };
  expect_wrap(std::numeric_limits<std::int32_t>::max());
  expect_wrap(std::numeric_limits<std::int16_t>::max());
  expect_wrap(std::numeric_limits<std::int8_t>::max());
}

TEST(AtomicStoreValues, NarrowFloatsRoundOncePerAddition) {
  const auto sum_of = [](auto start, float addend) {
    using T = decltype(start);
    alignas(64) T memory[16];
    memory[0] = start;
    Tile<TileType::Vec, T, 1, 16, BLayout::RowMajor, 1, 1> tile;
    TASSIGN(tile, 0);
    tile.SetValue(0, T(addend));
    pto::GlobalTensor<T, pto::Shape<1, 1, 1, 1, 1>, pto::Stride<1, 1, 1, 1, 1>> tensor(memory);
    add(tensor, tile);
    return static_cast<float>(memory[0]);
  };
  EXPECT_EQ(sum_of(half(2048.0F), 1.0F), 2048.0F);  // ties to even
  EXPECT_EQ(sum_of(half(2048.0F), 3.0F), 2052.0F);
  EXPECT_EQ(sum_of(bfloat16_t(256.0F), 1.0F), 256.0F);
  EXPECT_EQ(sum_of(bfloat16_t(256.0F), 3.0F), 260.0F);
  EXPECT_EQ(sum_of(16777216.0F, 1.0F), 16777216.0F);
}

TEST(AtomicStoreValues, WhatAStoreRefusesAnAdditionRefuses) {
  Guarded<float> memory(16);
  const auto before = memory.bytes();
  Tile<TileType::Vec, float, 1, 8, BLayout::RowMajor, 1, DYNAMIC> tile(8U);
  auto tensor = tensor_of<float>(memory.data(), {1, 1, 1, 1, 9}, {9, 9, 9, 9, 1});
  EXPECT_EQ(error_of([&] { add(tensor, tile); }), ErrorCode::kUnboundTile);
  TASSIGN(tile, 0);
  tile.SetValidCol(9);
  EXPECT_EQ(error_of([&] { add(tensor, tile); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(memory.bytes(), before);
}

TEST(AtomicStoreValues, AnObserverIsToldAndMayAddLater) {
  alignas(32) float memory[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  Tile<TileType::Vec, float, 1, 8> tile;
  TASSIGN(tile, 0);
  for (std::uint32_t i = 0; i < 8; ++i) {
    tile.SetValue(i, static_cast<float>(i));
  }
  pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<1, 1, 1, 1, 1>> tensor(memory);
  Recorder recorder;
  {
    const Observe observe(recorder);
    add(tensor, tile);
    TSTORE(tensor, tile);
  }
  ASSERT_EQ(recorder.records.size(), 2U);
  const Instruction& record = recorder.records[0];
  EXPECT_EQ(record.opcode, Opcode::kTstore);
  EXPECT_EQ(record.immediate[0], static_cast<int>(AtomicType::AtomicAdd));
  EXPECT_EQ(recorder.records[1].immediate[0], static_cast<int>(AtomicType::AtomicNone));
  EXPECT_EQ(record.global[0].address, reinterpret_cast<std::byte*>(memory));
  EXPECT_EQ(record.tile[0].address, reinterpret_cast<std::byte*>(tile.data()));
  EXPECT_EQ(memory[7], 1.0F);
  EXPECT_TRUE(record.run());
  EXPECT_TRUE(record.run());
  EXPECT_EQ(memory[7], 15.0F);
}

}  // namespace
