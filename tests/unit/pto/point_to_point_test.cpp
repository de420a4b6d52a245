// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// TPUT and TGET against a slow model (spec section 10), directly and in pieces through an observer.

#include "pto/comm/point_to_point.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>

#include "any_tensor.hpp"

namespace {

using pto::BLayout;
using pto::DYNAMIC;
using pto::Layout;
using pto::Tile;
using pto::TileType;
using tileput::ErrorCode;
using tileput::machine::Instruction;
using tileput::machine::Pieces;
using tileput::test::AnyShape;
using tileput::test::AnyStride;
using tileput::test::error_of;
using tileput::test::Extents;
using tileput::test::Guarded;
using tileput::test::Observe;
using tileput::test::Recorder;
using tileput::test::tensor_of;

template <class T, int kRows, int kCols>
using OpenTile = Tile<TileType::Vec, T, kRows, kCols, BLayout::RowMajor, DYNAMIC, DYNAMIC>;

enum class How { kPut, kGet, kPiecesInRandomOrder, kLaterFromACopy };

/// Moves a numbered source by `how` and compares the whole target memory with the model's.
template <class T, class TileData>
void check_copy(TileData& staging, const Extents& shape, const Extents& target_stride, const Extents& source_stride,
                How how) {
  Guarded<T> source(static_cast<std::size_t>(tileput::test::reach(shape, source_stride)));
  Guarded<T> target(static_cast<std::size_t>(tileput::test::reach(shape, target_stride)));
  Guarded<T> expected(target.size());
  source.number(static_cast<T>(1));
  const auto source_before = source.bytes();
  tileput::test::for_each_index(shape, [&](const Extents& i) {
    const T value = source.get(static_cast<std::size_t>(tileput::test::offset_of(i, source_stride)));
    std::memcpy(expected.data() + tileput::test::offset_of(i, target_stride), &value, sizeof(T));
  });
  const unsigned rows = staging.GetValidRow();
  const unsigned cols = staging.GetValidCol();

  auto to = tensor_of(target.data(), shape, target_stride);
  auto from = tensor_of(source.data(), shape, source_stride);
  std::mt19937 random(static_cast<unsigned>(tileput::test::product(shape)));
  Recorder in_pieces([&](const Instruction& record) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(record.piece_count));
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    for (const std::int64_t piece : order) {
      record.execute(record, Pieces{piece, 1});
    }
    return true;
  });
  Recorder keep;
  switch (how) {
    case How::kPut: pto::comm::TPUT(to, from, staging); break;
    case How::kGet: pto::comm::TGET(to, from, staging); break;
    case How::kPiecesInRandomOrder: {
      const Observe observe(in_pieces);
      pto::comm::TPUT(to, from, staging);
      EXPECT_EQ(in_pieces.records.size(), 1U);
      break;
    }
    case How::kLaterFromACopy: {
      const auto untouched = target.bytes();
      const Observe observe(keep);
      pto::comm::TGET(to, from, staging);
      EXPECT_EQ(target.bytes(), untouched);
      EXPECT_EQ(keep.records.at(0).run(), true);
      break;
    }
  }
  EXPECT_EQ(target.bytes(), expected.bytes());
  EXPECT_EQ(source.bytes(), source_before);
  EXPECT_EQ(staging.GetValidRow(), rows);
  EXPECT_EQ(staging.GetValidCol(), cols);
}

template <class T, class TileData>
void check_all_ways(TileData& staging, const Extents& shape) {
  TASSIGN(staging, 0);
  const Extents dense = tileput::test::strides_for(shape);
  const Extents loose = tileput::test::strides_for(shape, 3);
  for (const How how : {How::kPut, How::kGet, How::kPiecesInRandomOrder, How::kLaterFromACopy}) {
    SCOPED_TRACE(static_cast<int>(how));
    check_copy<T>(staging, shape, dense, dense, how);
    check_copy<T>(staging, shape, loose, dense, how);
    check_copy<T>(staging, shape, dense, loose, how);
    check_copy<T>(staging, shape, loose, loose, how);
  }
}

TEST(PutGet, OneDimension) {
  for (const int n : {1, 7, 8, 63, 64, 65, 256, 1000}) {
    Tile<TileType::Vec, float, 1, 64> fixed;
    check_all_ways<float>(fixed, {1, 1, 1, 1, n});
    OpenTile<float, 1, 1024> open(1, n);
    check_all_ways<float>(open, {1, 1, 1, 1, n});
  }
}

TEST(PutGet, ElementTypes) {
  OpenTile<int32_t, 4, 32> word(3, 17);
  check_all_ways<int32_t>(word, {1, 1, 2, 5, 37});
  OpenTile<int16_t, 4, 32> half_word(3, 17);
  check_all_ways<int16_t>(half_word, {1, 1, 2, 5, 37});
  OpenTile<uint8_t, 4, 32> byte(3, 17);
  check_all_ways<uint8_t>(byte, {1, 1, 2, 5, 37});
  OpenTile<half, 4, 32> halves(3, 17);
  check_all_ways<half>(halves, {1, 1, 2, 5, 37});
  OpenTile<bfloat16_t, 4, 32> bfloats(3, 17);
  check_all_ways<bfloat16_t>(bfloats, {1, 1, 2, 5, 37});
}

TEST(PutGet, FiveDimensions) {
  Tile<TileType::Vec, float, 32, 32> matrix;
  check_all_ways<float>(matrix, {2, 2, 1, 32, 32});
  Tile<TileType::Vec, float, 16, 32> half_matrix;
  check_all_ways<float>(half_matrix, {2, 2, 1, 32, 32});
}

TEST(PutGet, ManyRowsThroughADynamicTile) {
  OpenTile<float, 64, 32> tile(64, 32);
  check_all_ways<float>(tile, {1, 1, 1, 2047, 32});
}

TEST(PutGet, BothDimensionsAreCut) {
  OpenTile<float, 16, 32> tile(16, 32);
  check_all_ways<float>(tile, {1, 1, 1, 65, 104});
  Tile<TileType::Vec, float, 16, 32> fixed;
  check_all_ways<float>(fixed, {1, 1, 1, 65, 104});
}

TEST(PutGet, SmallValidRegion) {
  Tile<TileType::Vec, float, 5, 8, BLayout::RowMajor, 5, 7> tile;
  check_all_ways<float>(tile, {1, 1, 1, 7, 10});
  check_all_ways<float>(tile, {1, 1, 1, 10, 7});
}

TEST(PutGet, EmptyTensorsHaveNoEffect) {
  OpenTile<float, 5, 8> tile(5, 8);
  for (std::size_t d = 0; d < 5; ++d) {
    Extents shape = {2, 2, 2, 6, 9};
    shape[d] = 0;
    check_all_ways<float>(tile, shape);
  }
  OpenTile<float, 5, 8> no_rows(0, 8);
  check_all_ways<float>(no_rows, {1, 1, 1, 3, 4});
}

TEST(PutGet, TheStagingTileKeepsItsBytes) {
  Guarded<float> source(64);
  Guarded<float> target(64);
  source.number(1);
  Tile<TileType::Vec, float, 1, 64> tile;
  TASSIGN(tile, 0);
  tile.SetValue(5, 42.0F);
  auto to = tensor_of(target.data(), {1, 1, 1, 1, 64}, {64, 64, 64, 64, 1});
  auto from = tensor_of(source.data(), {1, 1, 1, 1, 64}, {64, 64, 64, 64, 1});
  pto::comm::TPUT(to, from, tile);
  EXPECT_EQ(tile.GetValue(5), 42.0F);
  EXPECT_EQ(source.bytes(), target.bytes());
}

TEST(PutGet, OuterStridesOfUnitExtentsMeanNothing) {
  Tile<TileType::Vec, int32_t, 4, 8> tile;
  TASSIGN(tile, 0);
  check_copy<int32_t>(tile, {1, 1, 1, 4, 8}, {1, 1, 1, 8, 1}, {8, 8, 8, 8, 1}, How::kPut);
  check_copy<int32_t>(tile, {1, 1, 1, 1, 8}, {0, 1, 0, 3, 1}, {8, 9, 7, 0, 1}, How::kPut);
}

TEST(PutGet, TransposedAndColumnViews) {
  OpenTile<int32_t, 4, 8> tile(4, 8);
  TASSIGN(tile, 0);
  for (const How how : {How::kPut, How::kPiecesInRandomOrder}) {
    check_copy<int32_t>(tile, {1, 1, 1, 6, 10}, {1, 1, 1, 1, 6}, {1, 1, 1, 10, 1}, how);
    check_copy<int32_t>(tile, {3, 1, 2, 6, 10}, {120, 1, 60, 1, 6}, {1, 1, 3, 6, 36}, how);
  }
}

TEST(PutGet, OtherLayoutsAreCopiedAsTensors) {
  using Column = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 64, 1>, pto::Stride<1, 1, 1, 1, 1>, Layout::DN>;
  Guarded<float> source(64);
  Guarded<float> target(64);
  source.number(1);
  Column to(target.data());
  Column from(source.data());
  Tile<TileType::Vec, float, 64, 1, BLayout::ColMajor> tile;
  TASSIGN(tile, 0);
  pto::comm::TPUT(to, from, tile);
  EXPECT_EQ(source.bytes(), target.bytes());
}

TEST(PutGet, RandomSmallShapes) {
  std::mt19937 random(99);
  const auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(n)); };
  for (int repeat = 0; repeat < 500; ++repeat) {
    Extents shape;
    for (auto& extent : shape) {
      extent = below(16) == 0 ? 0 : 1 + below(5);
    }
    OpenTile<int32_t, 16, 16> tile(static_cast<unsigned>(1 + below(16)), static_cast<unsigned>(1 + below(16)));
    TASSIGN(tile, static_cast<int>(below(10)) * 32);
    const auto how = static_cast<How>(below(4));
    check_copy<int32_t>(tile, shape, tileput::test::strides_for(shape, below(4)),
                        tileput::test::strides_for(shape, below(4)), how);
  }
}

TEST(PutGet, ExplicitAtomicNone) {
  Guarded<float> source(8);
  Guarded<float> target(8);
  source.number(1);
  Tile<TileType::Vec, float, 1, 8> tile;
  TASSIGN(tile, 0);
  auto to = tensor_of(target.data(), {1, 1, 1, 1, 8}, {8, 8, 8, 8, 1});
  auto from = tensor_of(source.data(), {1, 1, 1, 1, 8}, {8, 8, 8, 8, 1});
  pto::comm::TPUT<pto::AtomicType::AtomicNone>(to, from, tile);
  static_assert(std::is_same_v<decltype(pto::comm::TGET(to, from, tile)), pto::RecordEvent>);
  EXPECT_EQ(source.bytes(), target.bytes());
}

TEST(PutGet, SourcesMayBeConst) {
  Guarded<float> source(8);
  Guarded<float> target(8);
  source.number(1);
  Tile<TileType::Vec, float, 1, 8> tile;
  TASSIGN(tile, 0);
  auto to = tensor_of(target.data(), {1, 1, 1, 1, 8}, {8, 8, 8, 8, 1});
  pto::GlobalTensor<const float, AnyShape, AnyStride> from(source.data(), AnyShape(1, 1, 1, 1, 8));
  pto::comm::TPUT(to, from, tile);
  EXPECT_EQ(source.bytes(), target.bytes());
  target.number(9);
  pto::comm::TGET(to, from, tile);
  EXPECT_EQ(source.bytes(), target.bytes());
}

TEST(PutGet, DifferentShapesAreRefusedBeforeAnythingIsCopied) {
  Guarded<float> source(64);
  Guarded<float> target(64);
  source.number(1);
  const auto before = target.bytes();
  Tile<TileType::Vec, float, 1, 8> tile;
  TASSIGN(tile, 0);
  Recorder recorder;
  for (std::size_t d = 0; d < 5; ++d) {
    for (const std::int64_t extent : {0, 1, 3}) {
      Extents shape = {2, 2, 2, 2, 2};
      auto from = tensor_of(source.data(), shape, {1, 1, 1, 1, 1});
      shape[d] = extent;
      auto to = tensor_of(target.data(), shape, {1, 1, 1, 1, 1});
      EXPECT_EQ(error_of([&] { pto::comm::TPUT(to, from, tile); }), ErrorCode::kShapeMismatch);
      EXPECT_EQ(error_of([&] { pto::comm::TGET(to, from, tile); }), ErrorCode::kShapeMismatch);
      const Observe observe(recorder);
      EXPECT_EQ(error_of([&] { pto::comm::TPUT(to, from, tile); }), ErrorCode::kShapeMismatch);
    }
  }
  EXPECT_TRUE(recorder.records.empty());
  EXPECT_EQ(target.bytes(), before);
}

TEST(PutGet, UnboundTilesAreRefused) {
  Guarded<float> memory(16);
  const auto before = memory.bytes();
  Tile<TileType::Vec, float, 1, 8> tile;
  auto to = tensor_of(memory.data(), {1, 1, 1, 1, 8}, {8, 8, 8, 8, 1});
  auto from = tensor_of(memory.data() + 8, {1, 1, 1, 1, 8}, {8, 8, 8, 8, 1});
  EXPECT_EQ(error_of([&] { pto::comm::TPUT(to, from, tile); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::comm::TGET(to, from, tile); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(memory.bytes(), before);
}

}  // namespace
