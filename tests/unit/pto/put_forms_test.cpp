// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Every form of TPUT and TGET (spec section 10): ping-pong, AtomicAdd at compile time and at run time, events, over
/// the sizes of spec section 21 item 6; and which of the forms a call means.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <numeric>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "any_tensor.hpp"
#include "pto/pto-inst.hpp"

namespace {

using pto::AtomicType;
using pto::BLayout;
using pto::DYNAMIC;
using pto::Tile;
using pto::TileType;
using tileput::ErrorCode;
using tileput::machine::Instruction;
using tileput::machine::Opcode;
using tileput::machine::Pieces;
using tileput::test::error_of;
using tileput::test::Extents;
using tileput::test::Guarded;
using tileput::test::Observe;
using tileput::test::offset_of;
using tileput::test::Recorder;
using tileput::test::tensor_of;

/// Large enough for every staging tile of these tests.
constexpr int kPong = 0x8000;

template <class T, int kRows, int kCols>
using OpenTile = Tile<TileType::Vec, T, kRows, kCols, BLayout::RowMajor, DYNAMIC, DYNAMIC>;

enum class How { kPut, kPutAtRunTime, kPingPong, kGetPingPong, kAdd, kAddAtRunTime, kAddPingPong, kAddInPieces };
constexpr How kHows[] = {How::kPut, How::kPutAtRunTime, How::kPingPong,    How::kGetPingPong,
                         How::kAdd, How::kAddAtRunTime, How::kAddPingPong, How::kAddInPieces};

constexpr bool adds(How how) {
  return how == How::kAdd || how == How::kAddAtRunTime || how == How::kAddPingPong || how == How::kAddInPieces;
}

template <class TileData, class To, class From>
void add(How how, To& to, From& from, TileData& ping, TileData& pong) {
  AtomicType atomic = AtomicType::AtomicAdd;
  switch (how) {
    case How::kAdd: pto::comm::TPUT<AtomicType::AtomicAdd>(to, from, ping); break;
    case How::kAddAtRunTime: pto::comm::TPUT(to, from, ping, atomic); break;
    case How::kAddPingPong: pto::comm::TPUT<AtomicType::AtomicAdd>(to, from, ping, pong); break;
    default: {
      Recorder backwards([](const Instruction& record) {
        for (std::int64_t piece = record.piece_count; piece-- > 0;) {
          record.execute(record, Pieces{piece, 1});
        }
        return true;
      });
      const Observe observe(backwards);
      pto::comm::TPUT(to, from, ping, AtomicType::AtomicAdd);
      EXPECT_EQ(backwards.records.size(), 1U);
      break;
    }
  }
}

template <class TileData, class To, class From>
void move(How how, To& to, From& from, TileData& ping, TileData& pong) {
  if constexpr (pto::tileput_detail::kAddsAtomically<typename TileData::DType>) {
    if (adds(how)) {
      add(how, to, from, ping, pong);
      return;
    }
  }
  const AtomicType none = AtomicType::AtomicNone;
  switch (how) {
    case How::kPut: pto::comm::TPUT(to, from, ping); break;
    case How::kPutAtRunTime: pto::comm::TPUT(to, from, ping, none); break;
    case How::kPingPong: pto::comm::TPUT(to, from, ping, pong); break;
    default: pto::comm::TGET(to, from, ping, pong); break;
  }
}

/// One transfer against the slow model: all bytes of the target's memory, the source, the tiles' extents and bytes.
template <class TileData>
void check(const TileData& staging, const Extents& shape, const Extents& target_stride, const Extents& source_stride,
           How how) {
  using T = typename TileData::DType;
  Guarded<T> source(static_cast<std::size_t>(tileput::test::reach(shape, source_stride)));
  Guarded<T> target(static_cast<std::size_t>(tileput::test::reach(shape, target_stride)));
  Guarded<T> expected(target.size());
  const auto number = [](std::int64_t i) { return static_cast<T>(static_cast<float>(i % 7 + 1)); };  // exact in all
  std::int64_t next = 0;
  tileput::test::for_each_index(shape, [&](const Extents& i) {
    const T from = number(next);
    const T before = number(++next);
    const T after = adds(how) ? static_cast<T>(static_cast<float>(before) + static_cast<float>(from)) : from;
    std::memcpy(source.data() + offset_of(i, source_stride), &from, sizeof(T));
    std::memcpy(target.data() + offset_of(i, target_stride), &before, sizeof(T));
    std::memcpy(expected.data() + offset_of(i, target_stride), &after, sizeof(T));
  });
  const auto source_before = source.bytes();
  TileData ping = staging;
  TileData pong = staging;
  TASSIGN(ping, 0);
  TASSIGN(pong, kPong);
  ping.SetValue(0, number(5));
  auto to = tensor_of(target.data(), shape, target_stride);
  auto from = tensor_of(source.data(), shape, source_stride);
  move(how, to, from, ping, pong);
  EXPECT_EQ(target.bytes(), expected.bytes());
  EXPECT_EQ(source.bytes(), source_before);
  EXPECT_EQ(ping.GetValue(0), number(5));
  EXPECT_EQ(ping.GetValidRow(), staging.GetValidRow());
  EXPECT_EQ(pong.GetValidCol(), staging.GetValidCol());
}

template <class TileData>
void check_all_forms(const TileData& staging, const Extents& shape) {
  const Extents dense = tileput::test::strides_for(shape);
  const Extents loose = tileput::test::strides_for(shape, 3);
  for (const How how : kHows) {
    if (adds(how) && !pto::tileput_detail::kAddsAtomically<typename TileData::DType>) {
      continue;
    }
    SCOPED_TRACE(static_cast<int>(how));
    check(staging, shape, dense, dense, how);
    check(staging, shape, loose, dense, how);
    check(staging, shape, dense, loose, how);
  }
}

TEST(PutForms, OneDimension) {
  for (const int n : {1, 63, 64, 65, 1000}) {
    check_all_forms(Tile<TileType::Vec, float, 1, 64>(), {1, 1, 1, 1, n});
    check_all_forms(OpenTile<int32_t, 1, 1024>(1, static_cast<unsigned>(n)), {1, 1, 1, 1, n});
  }
}

TEST(PutForms, TwoDimensions) {
  check_all_forms(Tile<TileType::Vec, int32_t, 16, 32>(), {1, 1, 1, 16, 32});
  check_all_forms(Tile<TileType::Vec, float, 16, 32>(), {1, 1, 1, 128, 32});
}

TEST(PutForms, FiveDimensions) {
  check_all_forms(Tile<TileType::Vec, float, 32, 32>(), {2, 2, 1, 32, 32});
  check_all_forms(Tile<TileType::Vec, int32_t, 32, 32>(), {2, 2, 1, 32, 32});
}

TEST(PutForms, ManyRowsThroughADynamicTile) { check_all_forms(OpenTile<float, 64, 32>(64, 32), {1, 1, 1, 2047, 32}); }

TEST(PutForms, BothDimensionsAreCut) { check_all_forms(OpenTile<int32_t, 16, 32>(16, 32), {1, 1, 1, 65, 104}); }

TEST(PutForms, SmallValidRegion) {
  check_all_forms(Tile<TileType::Vec, float, 5, 8, BLayout::RowMajor, 5, 7>(), {1, 1, 1, 7, 10});
}

TEST(PutForms, EmptyTensorsHaveNoEffect) {
  for (std::size_t d = 0; d < 5; ++d) {
    Extents shape = {2, 2, 2, 6, 9};
    shape[d] = 0;
    check_all_forms(OpenTile<float, 5, 8>(5, 8), shape);
  }
}

template <class T>
class PutFormsOf : public testing::Test {};
using Elements = testing::Types<float, half, bfloat16_t, std::int32_t, std::uint32_t, std::int16_t, std::uint16_t,
                                std::int8_t, std::uint8_t>;
TYPED_TEST_SUITE(PutFormsOf, Elements);

TYPED_TEST(PutFormsOf, AllForms) {
  check_all_forms(OpenTile<TypeParam, 4, 32>(3, 17), {1, 1, 2, 5, 37});
  check_all_forms(OpenTile<TypeParam, 4, 32>(3, 17), {1, 1, 1, 1, 1});
}

/// Eight floats there and eight here, with the tiles of both forms.
class PutFormsTest : public testing::Test {
 protected:
  using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
  using RowTile = Tile<TileType::Vec, float, 1, 8>;

  PutFormsTest() {
    source_memory.number(1);
    target_memory.number(100);
    TASSIGN(ping, 0);
    TASSIGN(pong, 0x100);
  }

  template <class Action>
  Instruction record_of(Action&& action) {
    Recorder recorder;
    {
      const Observe observe(recorder);
      action();
    }
    EXPECT_EQ(recorder.records.size(), 1U);
    return recorder.records.at(0);
  }

  void expect_record(const Instruction& record, Opcode opcode, int tiles, AtomicType atomic) {
    EXPECT_EQ(record.opcode, opcode);
    ASSERT_EQ(record.tile_count, tiles);
    EXPECT_EQ(record.immediate[0], static_cast<int>(atomic));
    EXPECT_EQ(record.global[0].address, reinterpret_cast<std::byte*>(target.data()));
    EXPECT_EQ(record.global[1].address, reinterpret_cast<std::byte*>(source.data()));
    EXPECT_EQ(record.tile[0].address, reinterpret_cast<std::byte*>(ping.data()));
    if (tiles == 2) {
      EXPECT_EQ(record.tile[1].address, reinterpret_cast<std::byte*>(pong.data()));
    }
  }

  Guarded<float> source_memory{8};
  Guarded<float> target_memory{8};
  Row target{target_memory.data()};
  Row source{source_memory.data()};
  RowTile ping;
  RowTile pong;
};

struct Counted {
  int waits = 0;
  void Wait() { ++waits; }
};

TEST_F(PutFormsTest, TheFourthArgumentChoosesTheForm) {
  Counted event;
  AtomicType add = AtomicType::AtomicAdd;
  const AtomicType none = AtomicType::AtomicNone;
  const auto put = [&](auto&... rest) { return record_of([&] { pto::comm::TPUT(target, source, ping, rest...); }); };
  expect_record(put(), Opcode::kTput, 1, AtomicType::AtomicNone);
  expect_record(put(pong), Opcode::kTput, 2, AtomicType::AtomicNone);
  expect_record(put(add), Opcode::kTput, 1, AtomicType::AtomicAdd);
  expect_record(put(none), Opcode::kTput, 1, AtomicType::AtomicNone);
  expect_record(record_of([&] { pto::comm::TPUT(target, source, ping, AtomicType::AtomicAdd); }), Opcode::kTput, 1,
                AtomicType::AtomicAdd);
  expect_record(put(event), Opcode::kTput, 1, AtomicType::AtomicNone);
  expect_record(put(pong, event), Opcode::kTput, 2, AtomicType::AtomicNone);
  expect_record(put(add, event, event), Opcode::kTput, 1, AtomicType::AtomicAdd);
  EXPECT_EQ(event.waits, 4);
  const auto adding = [&](auto&... rest) {
    return record_of([&] { pto::comm::TPUT<AtomicType::AtomicAdd>(target, source, ping, rest...); });
  };
  expect_record(adding(), Opcode::kTput, 1, AtomicType::AtomicAdd);
  expect_record(adding(event), Opcode::kTput, 1, AtomicType::AtomicAdd);
  expect_record(adding(pong), Opcode::kTput, 2, AtomicType::AtomicAdd);
  expect_record(adding(pong, event), Opcode::kTput, 2, AtomicType::AtomicAdd);
  expect_record(record_of([&] { pto::comm::TGET(target, source, ping, pong); }), Opcode::kTget, 2,
                AtomicType::AtomicNone);
  expect_record(record_of([&] { pto::comm::TGET(target, source, ping, event); }), Opcode::kTget, 1,
                AtomicType::AtomicNone);
  EXPECT_EQ(event.waits, 7);
  EXPECT_EQ(target_memory.get(0), 100.0F) << "nobody ran a record";
}

TEST_F(PutFormsTest, EveryFormReturnsARecordEvent) {
  using pto::RecordEvent;
  static_assert(std::is_same_v<decltype(pto::comm::TPUT(target, source, ping, pong)), RecordEvent>);
  static_assert(std::is_same_v<decltype(pto::comm::TPUT(target, source, ping, AtomicType::AtomicAdd)), RecordEvent>);
  static_assert(std::is_same_v<decltype(pto::comm::TGET(target, source, ping, pong)), RecordEvent>);
}

TEST_F(PutFormsTest, TheRecordOfAnAdditionAddsThePiecesItIsTold) {
  using Square = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 4, 2>, pto::Stride<8, 8, 8, 2, 1>>;
  Square to(target_memory.data());
  Square from(source_memory.data());
  OpenTile<float, 2, 8> two_rows(2, 1);
  TASSIGN(two_rows, 0);
  const Instruction record = record_of([&] { pto::comm::TPUT<AtomicType::AtomicAdd>(to, from, two_rows); });
  ASSERT_EQ(record.piece_count, 4);
  record.execute(record, {1, 2});  // rows 0, 1 of column 1, then rows 2, 3 of column 0
  record.execute(record, {2, 1});
  const float added[8] = {0, 2, 0, 4, 10, 0, 14, 0};
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(target_memory.get(i), 100.0F + static_cast<float>(i) + added[i]) << i;
  }
  EXPECT_TRUE(target_memory.canaries_intact());
}

TEST_F(PutFormsTest, RefusalsComeBeforeTheFirstByte) {
  const auto before = target_memory.bytes();
  RowTile unbound;
  EXPECT_EQ(error_of([&] { pto::comm::TPUT(target, source, ping, unbound); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::comm::TPUT(target, source, unbound, pong); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::comm::TGET(target, source, ping, unbound); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::comm::TPUT(target, source, unbound, AtomicType::AtomicAdd); }),
            ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::comm::TPUT<AtomicType::AtomicAdd>(target, source, unbound); }),
            ErrorCode::kUnboundTile);
  auto short_source = tensor_of(source_memory.data(), {1, 1, 1, 1, 7}, {8, 8, 8, 8, 1});
  EXPECT_EQ(error_of([&] { pto::comm::TPUT(target, short_source, ping, pong); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(error_of([&] { pto::comm::TPUT(target, short_source, ping, AtomicType::AtomicAdd); }),
            ErrorCode::kShapeMismatch);
  for (const int distance : {-24, -4, 0, 4, 31}) {
    TASSIGN(ping, 0x100);
    TASSIGN(pong, 0x100 + distance);
    EXPECT_EQ(error_of([&] { pto::comm::TPUT(target, source, ping, pong); }), ErrorCode::kBadArgument);
    EXPECT_EQ(error_of([&] { pto::comm::TPUT<AtomicType::AtomicAdd>(target, source, ping, pong); }),
              ErrorCode::kBadArgument);
    EXPECT_EQ(error_of([&] { pto::comm::TGET(target, source, ping, pong); }), ErrorCode::kBadArgument);
  }
  EXPECT_EQ(error_of([&] { pto::comm::TPUT(target, source, ping, static_cast<AtomicType>(7)); }),
            ErrorCode::kBadArgument);
  EXPECT_EQ(target_memory.bytes(), before);
}

TEST_F(PutFormsTest, NeighbouringStagingTilesAreFine) {
  for (const int distance : {-32, 32}) {
    target_memory.number(100);
    TASSIGN(ping, 0x100);
    TASSIGN(pong, 0x100 + distance);
    pto::comm::TPUT(target, source, ping, pong);
    EXPECT_EQ(target_memory.bytes(), source_memory.bytes());
  }
}

TEST(PutFormsValues, UnsignedElementsAreStoredButNotAddedAtRunTime) {
  Guarded<std::uint8_t> source(32);
  Guarded<std::uint8_t> target(32);
  source.number(1);
  Tile<TileType::Vec, std::uint8_t, 1, 32> tile;
  TASSIGN(tile, 0);
  auto to = tensor_of(target.data(), {1, 1, 1, 1, 32}, {32, 32, 32, 32, 1});
  auto from = tensor_of(source.data(), {1, 1, 1, 1, 32}, {32, 32, 32, 32, 1});
  const auto before = target.bytes();
  EXPECT_EQ(error_of([&] { pto::comm::TPUT(to, from, tile, AtomicType::AtomicAdd); }), ErrorCode::kBadArgument);
  EXPECT_EQ(target.bytes(), before);
  pto::comm::TPUT(to, from, tile, AtomicType::AtomicNone);
  EXPECT_EQ(target.bytes(), source.bytes());
}

TEST(PutFormsValues, IntegersWrapAndSourcesMayBeConst) {
  alignas(32)
      std::int32_t target[8] = {std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()};
  alignas(32) const std::int32_t source[8] = {1, -1};
  Tile<TileType::Vec, std::int32_t, 1, 8> tile;
  TASSIGN(tile, 0);
  using Row = pto::GlobalTensor<std::int32_t, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
  Row to(target);
  pto::GlobalTensor<const std::int32_t, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>> from(source);
  pto::comm::TPUT<AtomicType::AtomicAdd>(to, from, tile);
  EXPECT_EQ(target[0], std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(target[1], std::numeric_limits<std::int32_t>::max());
}

/// Two heaps of 4 KiB whose ranks both claim to sleep, attached to this thread's core.
class Doorbells : public testing::Test {
 protected:
  static constexpr std::size_t kHeapBytes = 4096;

  Doorbells() {
    auto& core = tileput::machine::current_core();
    before_ = core;
    core.heap_base = reinterpret_cast<std::uintptr_t>(heaps_);
    core.heap_shift = 12;
    core.heap_count = 2;
    core.doorbells = bells_;
    bells_[0].sleepers = bells_[1].sleepers = 1;
  }
  ~Doorbells() override { tileput::machine::current_core() = before_; }

  /// Rings of rank 0 and rank 1 since the last call.
  std::pair<unsigned, unsigned> rings() { return {bells_[0].bell.exchange(0), bells_[1].bell.exchange(0)}; }

  template <class T>
  pto::GlobalTensor<T, pto::Shape<1, 1, 1, 4, 8>, pto::Stride<32, 32, 32, 8, 1>> at(int rank) {
    return {reinterpret_cast<T*>(heaps_ + static_cast<std::size_t>(rank) * kHeapBytes)};
  }

  alignas(64) std::byte heaps_[2 * kHeapBytes] = {};

 private:
  tileput::machine::Core before_;
  tileput::machine::Doorbell bells_[2];
};

TEST_F(Doorbells, AnAdditionToWordsRingsTheirOwnerOnce) {
  using Rings = std::pair<unsigned, unsigned>;
  Tile<TileType::Vec, std::int32_t, 4, 8> tile;
  Tile<TileType::Vec, std::int32_t, 4, 8> other;
  Tile<TileType::Mat, std::int32_t, 16, 8, BLayout::ColMajor, 4, 8, pto::SLayout::RowMajor, 512> boxed;
  TASSIGN(tile, 0);
  TASSIGN(other, 0x100);
  TASSIGN(boxed, 0);
  auto mine = at<std::int32_t>(0);
  auto peers = at<std::int32_t>(1);
  pto::comm::TPUT<AtomicType::AtomicAdd>(peers, mine, tile);
  EXPECT_EQ(rings(), Rings(0, 1));
  pto::comm::TPUT(mine, peers, tile, AtomicType::AtomicAdd);
  EXPECT_EQ(rings(), Rings(1, 0));
  pto::comm::TPUT<AtomicType::AtomicAdd>(peers, mine, tile, other);
  EXPECT_EQ(rings(), Rings(0, 1));
  pto::TSTORE<decltype(tile), decltype(peers), AtomicType::AtomicAdd>(peers, tile);
  EXPECT_EQ(rings(), Rings(0, 1));
  pto::TSTORE<decltype(boxed), decltype(peers), AtomicType::AtomicAdd>(peers, boxed);
  EXPECT_EQ(rings(), Rings(0, 1));
  pto::comm::TPUT(peers, mine, tile);
  pto::TSTORE(peers, tile);
  EXPECT_EQ(rings(), Rings(0, 0)) << "what is stored is no signal";
  {
    Recorder runs([](const Instruction& record) { return record.run(); });
    const Observe observe(runs);
    pto::comm::TPUT<AtomicType::AtomicAdd>(peers, mine, tile);
    EXPECT_EQ(rings(), Rings(0, 1));
    pto::TSTORE<decltype(tile), decltype(peers), AtomicType::AtomicAdd>(peers, tile);
    EXPECT_EQ(rings(), Rings(0, 1));
  }
}

TEST_F(Doorbells, NobodyWaitsForOtherElements) {
  Tile<TileType::Vec, float, 4, 8> tile;
  TASSIGN(tile, 0);
  auto mine = at<float>(0);
  auto peers = at<float>(1);
  pto::comm::TPUT<AtomicType::AtomicAdd>(peers, mine, tile);
  pto::TSTORE<decltype(tile), decltype(peers), AtomicType::AtomicAdd>(peers, tile);
  EXPECT_EQ(rings(), std::make_pair(0U, 0U));
}

/// Several threads add and take back the same elements through every adding form; what one of them lost would stay
/// visible in the end.
TEST(PutFormsValues, ConcurrentAdditionsAreNotLost) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5'000;
  constexpr int kElements = 24;
  const auto expect_exact = [&](auto zero) {
    using T = decltype(zero);
    alignas(64) T memory[kElements];
    std::fill(std::begin(memory), std::end(memory), static_cast<T>(0.0F));
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        using Row = pto::GlobalTensor<T, pto::Shape<1, 1, 1, 1, kElements>, pto::Stride<1, 1, 1, 1, 1>>;
        T more[kElements];
        T less[kElements];
        for (int i = 0; i < kElements; ++i) {
          const auto value = static_cast<float>(1 + (thread + i) % kThreads);
          more[i] = static_cast<T>(value);
          less[i] = static_cast<T>(-value);
        }
        Row to(memory);
        Row up(more);
        Row down(less);
        Tile<TileType::Vec, T, 1, 32> ping;
        Tile<TileType::Vec, T, 1, 32> pong;
        TASSIGN(ping, 0);
        TASSIGN(pong, kPong);
        ++ready;
        while (ready < kThreads) {
          std::this_thread::yield();
        }
        for (int round = 0; round < kRounds; ++round) {
          add(static_cast<How>(static_cast<int>(How::kAdd) + round % 3), to, up, ping, pong);
          add(static_cast<How>(static_cast<int>(How::kAdd) + (round + 1) % 3), to, down, ping, pong);
        }
        pto::comm::TPUT<AtomicType::AtomicAdd>(to, up, ping);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    for (const T& element : memory) {
      EXPECT_EQ(static_cast<float>(element), 1.0F + 2.0F + 3.0F + 4.0F);
    }
  };
  expect_exact(std::int32_t{});
  expect_exact(float{});
  expect_exact(half{});
  expect_exact(bfloat16_t{});
  expect_exact(std::int16_t{});
  expect_exact(std::int8_t{});
}

}  // namespace
