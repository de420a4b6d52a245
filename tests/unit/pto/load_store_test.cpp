// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// TLOAD and TSTORE against a slow model of the mapping (spec sections 8.1 and 8.2), with canaries around everything.

#include "pto/load_store.hpp"

#include <cmath>
#include <cstdint>
#include <limits>

#include "any_tensor.hpp"

namespace {

using pto::BLayout;
using pto::DYNAMIC;
using pto::Layout;
using pto::PadValue;
using pto::SLayout;
using pto::Tile;
using pto::TileType;
using tileput::ErrorCode;
using tileput::test::AnyShape;
using tileput::test::AnyStride;
using tileput::test::error_of;
using tileput::test::Extents;
using tileput::test::Guarded;
using tileput::test::place;
using tileput::test::tensor_of;

/// Loads a tensor of numbered elements into the tile, compares every element with the model, then stores the tile to a
/// poisoned tensor of the same view and compares that, gaps included.
template <class TileData, Layout layout = Layout::ND>
void round_trip(TileData& tile, const Extents& shape, const Extents& stride) {
  using T = typename TileData::DType;
  const auto size = static_cast<std::size_t>(tileput::test::reach(shape, stride));
  Guarded<T> source(size);
  source.number(static_cast<T>(1));
  const auto before = source.bytes();
  auto from = tensor_of<T, layout>(source.data(), shape, stride);
  TLOAD(tile, from);
  EXPECT_EQ(source.bytes(), before);
  tileput::test::for_each_index(shape, [&](const Extents& i) {
    const auto [r, c] = place(layout, shape, i);
    ASSERT_EQ(tile.GetElement(r, c), source.get(tileput::test::offset_of(i, stride))) << r << ", " << c;
  });

  Guarded<T> target(size);
  Guarded<T> expected(size);
  tileput::test::for_each_index(shape, [&](const Extents& i) {
    const auto offset = tileput::test::offset_of(i, stride);
    const T value = source.get(offset);
    std::memcpy(expected.data() + offset, &value, sizeof(T));
  });
  auto to = tensor_of<T, layout>(target.data(), shape, stride);
  TSTORE(to, tile);
  EXPECT_EQ(target.bytes(), expected.bytes());
}

/// The storage of `address` before a load, to see what a load leaves alone.
template <class TileData>
void poison(TileData& tile) {
  std::memset(static_cast<void*>(tile.data()), 0xA5,
              tileput::test::Guarded<char>::kCanary + TileData::GetSizeInBytes());
}

TEST(LoadStore, RowOfEveryLength) {
  using Row = Tile<TileType::Vec, float, 1, 64, BLayout::RowMajor, 1, DYNAMIC>;
  for (const int n : {0, 1, 2, 7, 8, 31, 63, 64}) {
    Row tile(n);
    TASSIGN(tile, 0x40);
    poison(tile);
    round_trip(tile, {1, 1, 1, 1, n}, {64, 64, 64, 64, 1});
    const auto* const bytes = reinterpret_cast<const unsigned char*>(tile.data());
    for (std::size_t i = static_cast<std::size_t>(n) * 4; i < 64 * 4 + 64; ++i) {
      ASSERT_EQ(bytes[i], 0xA5) << "a load of " << n << " elements wrote byte " << i;
    }
  }
}

TEST(LoadStore, StaticRow) {
  using Global = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 64>, pto::Stride<64, 64, 64, 64, 1>>;
  Guarded<float> source(64);
  Guarded<float> target(64);
  source.number(1);
  Tile<TileType::Vec, float, 1, 64> tile;
  TASSIGN(tile, 0);
  Global from(source.data());
  Global to(target.data());
  TLOAD(tile, from);
  TSTORE(to, tile);
  EXPECT_EQ(source.bytes(), target.bytes());
}

TEST(LoadStore, StridedMatrix) {
  Tile<TileType::Vec, int32_t, 5, 8, BLayout::RowMajor, 5, 7> tile;
  TASSIGN(tile, 0);
  round_trip(tile, {1, 1, 1, 5, 7}, {1, 1, 1, 20, 1});
  round_trip(tile, {1, 1, 1, 5, 7}, {7, 7, 7, 7, 1});
  round_trip(tile, {1, 1, 1, 5, 7}, {1, 1, 1, 1, 5});   // a transposed view
  round_trip(tile, {1, 1, 1, 5, 7}, {1, 1, 1, 30, 3});  // every third element
  round_trip(tile, {1, 5, 1, 1, 7}, {1, 9, 1, 1, 1});
}

TEST(LoadStore, FiveDimensions) {
  Tile<TileType::Vec, int16_t, 24, 16, BLayout::RowMajor, DYNAMIC, DYNAMIC> tile(24, 5);
  TASSIGN(tile, 0);
  const Extents shape = {2, 3, 2, 2, 5};
  round_trip(tile, shape, tileput::test::strides_for(shape));
  round_trip(tile, shape, tileput::test::strides_for(shape, 3));
}

TEST(LoadStore, ColumnVectors) {
  Tile<TileType::Vec, float, 64, 1, BLayout::ColMajor> tile;
  TASSIGN(tile, 0);
  round_trip<decltype(tile), Layout::DN>(tile, {1, 1, 1, 64, 1}, {1, 1, 1, 1, 1});
  round_trip<decltype(tile), Layout::DN>(tile, {1, 1, 1, 64, 1}, {64, 64, 64, 1, 64});
  round_trip(tile, {1, 1, 1, 64, 1}, {1, 1, 1, 1, 1});
  Tile<TileType::Vec, float, 64, 1, BLayout::ColMajor, DYNAMIC, 1> part(13U);
  TASSIGN(part, 0);
  round_trip<decltype(part), Layout::DN>(part, {1, 1, 1, 13, 1}, {1, 1, 1, 1, 1});
}

TEST(LoadStore, ColumnMajorMatrix) {
  Tile<TileType::Vec, int32_t, 16, 12, BLayout::ColMajor, 13, 12> tile;
  TASSIGN(tile, 0);
  round_trip<decltype(tile), Layout::DN>(tile, {1, 1, 1, 13, 12}, {1, 1, 1, 1, 16});
  round_trip<decltype(tile), Layout::DN>(tile, {2, 1, 3, 13, 2}, {200, 1, 60, 1, 20});
}

/// Spec section 8.1: what an ND tensor with outer dimensions is to a column-major tile follows from the tile's extents.
TEST(LoadStore, ColumnMajorTilesTakeNdTensorsEitherWay) {
  const Extents shape = {2, 1, 3, 8, 4};
  const Extents stride = tileput::test::strides_for(shape, 3);
  Guarded<int32_t> source(static_cast<std::size_t>(tileput::test::reach(shape, stride)));
  source.number(1);
  auto from = tensor_of<int32_t>(source.data(), shape, stride);
  const auto expect_loaded_and_stored = [&](auto& tile, Layout as) {
    TASSIGN(tile, 0);
    poison(tile);
    TLOAD(tile, from);
    Guarded<int32_t> target(source.size());
    Guarded<int32_t> expected(source.size());
    tileput::test::for_each_index(shape, [&](const Extents& i) {
      const auto [r, c] = place(as, shape, i);
      const auto offset = tileput::test::offset_of(i, stride);
      ASSERT_EQ(tile.GetElement(r, c), source.get(offset)) << r << ", " << c;
      expected.data()[offset] = source.get(offset);
    });
    auto to = tensor_of<int32_t>(target.data(), shape, stride);
    TSTORE(to, tile);
    EXPECT_EQ(target.bytes(), expected.bytes());
  };
  Tile<TileType::Vec, int32_t, 8, 24, BLayout::ColMajor> by_contract;  // rows: dimension 3
  expect_loaded_and_stored(by_contract, Layout::DN);
  Tile<TileType::Vec, int32_t, 48, 4, BLayout::ColMajor> by_layout;  // rows: dimensions 0 to 3
  expect_loaded_and_stored(by_layout, Layout::ND);
  Tile<TileType::Mat, int32_t, 16, 24, BLayout::ColMajor, 8, 24, SLayout::RowMajor, 512> boxed;
  expect_loaded_and_stored(boxed, Layout::DN);
}

/// Neither way: no part of it is moved, with or without NDEBUG.
TEST(LoadStore, ColumnMajorTilesRefuseNdTensorsThatFitNeitherWay) {
  Guarded<int32_t> memory(256);
  const auto before = memory.bytes();
  Tile<TileType::Vec, int32_t, 16, 8, BLayout::ColMajor> tile;
  TASSIGN(tile, 0);
  for (const Extents& shape : {Extents{2, 1, 1, 8, 4}, Extents{1, 1, 2, 16, 8}, Extents{1, 2, 1, 4, 8}}) {
    auto tensor = tensor_of<int32_t>(memory.data(), shape, tileput::test::strides_for(shape));
    EXPECT_EQ(error_of([&] { TLOAD(tile, tensor); }), ErrorCode::kShapeMismatch);
    EXPECT_EQ(error_of([&] { TSTORE(tensor, tile); }), ErrorCode::kShapeMismatch);
  }
  EXPECT_EQ(memory.bytes(), before);
}

TEST(LoadStore, FractalTensors) {
  const Extents shape = {1, 3, 2, 16, 8};
  Tile<TileType::Vec, float, 32, 24> vec;
  TASSIGN(vec, 0);
  round_trip<decltype(vec), Layout::NZ>(vec, shape, tileput::test::strides_for(shape));
  Tile<TileType::Mat, float, 32, 24, BLayout::ColMajor, 32, 24, SLayout::RowMajor, 512> mat;
  TASSIGN(mat, 0);
  round_trip<decltype(mat), Layout::NZ>(mat, shape, tileput::test::strides_for(shape, 5));
}

TEST(LoadStore, BoxedTilesAreLogical) {
  Tile<TileType::Mat, float, 64, 64, BLayout::ColMajor, 64, 64, SLayout::RowMajor, 512> nz;
  TASSIGN(nz, 0);
  round_trip(nz, {1, 1, 1, 64, 64}, {4096, 4096, 4096, 64, 1});
  Tile<TileType::Mat, half, 32, 48, BLayout::RowMajor, DYNAMIC, DYNAMIC, SLayout::ColMajor, 512> zn(17, 33);
  TASSIGN(zn, 0);
  round_trip(zn, {1, 1, 1, 17, 33}, {1, 1, 1, 40, 1});
}

template <class T, PadValue kPad>
using PaddedTile = Tile<TileType::Vec, T, 4, 16, BLayout::RowMajor, 3, 13, SLayout::NoneBox, 512, kPad>;

template <class TileData>
void expect_padding(TileData& tile, typename TileData::DType pad) {
  using T = typename TileData::DType;
  TASSIGN(tile, 0);
  poison(tile);
  round_trip(tile, {1, 1, 1, 3, 13}, {39, 39, 39, 13, 1});
  for (int r = 0; r < 4; ++r) {
    for (int c = 0; c < 16; ++c) {
      if (r >= 3 || c >= 13) {
        const T value = tile.GetElement(r, c);
        EXPECT_EQ(std::memcmp(&value, &pad, sizeof(T)), 0) << r << ", " << c;
      }
    }
  }
}

TEST(LoadStore, PaddingIsThePadValue) {
  const float infinity = std::numeric_limits<float>::infinity();
  PaddedTile<float, PadValue::Zero> zero;
  expect_padding(zero, 0.0F);
  PaddedTile<float, PadValue::Max> max;
  expect_padding(max, infinity);
  PaddedTile<float, PadValue::Min> min;
  expect_padding(min, -infinity);
  PaddedTile<half, PadValue::Max> half_max;
  expect_padding(half_max, half(infinity));
  PaddedTile<bfloat16_t, PadValue::Min> bfloat_min;
  expect_padding(bfloat_min, bfloat16_t(-infinity));
  PaddedTile<int32_t, PadValue::Max> int_max;
  expect_padding(int_max, INT32_MAX);
  PaddedTile<int16_t, PadValue::Min> short_min;
  expect_padding(short_min, INT16_MIN);
  PaddedTile<uint32_t, PadValue::Min> unsigned_min;
  expect_padding(unsigned_min, 0U);
  constexpr auto kCustom = static_cast<PadValue>(static_cast<std::uint64_t>(PadValue::CustomBase) + 0x3FC00000U);
  PaddedTile<float, kCustom> custom;
  expect_padding(custom, 1.5F);
}

TEST(LoadStore, NullPaddingIsLeftAlone) {
  PaddedTile<int32_t, PadValue::Null> tile;
  expect_padding(tile, static_cast<int32_t>(0xA5A5A5A5));
}

TEST(LoadStore, ElementTypesNeedOnlyTheSameSize) {
  Guarded<float> source(8);
  source.number(1);
  Tile<TileType::Vec, int32_t, 1, 8> tile;
  TASSIGN(tile, 0);
  auto from = tensor_of<float>(source.data(), {1, 1, 1, 1, 8}, {8, 8, 8, 8, 1});
  TLOAD(tile, from);
  EXPECT_EQ(tile.GetValue(0), 0x3F800000);
  const pto::GlobalTensor<const float, AnyShape, AnyStride> read_only(source.data(), AnyShape(1, 1, 1, 1, 8));
  TLOAD(tile, read_only);
  EXPECT_EQ(tile.GetValue(1), 0x40000000);
}

TEST(LoadStore, ExplicitTemplateArguments) {
  Guarded<float> memory(8);
  memory.number(1);
  Tile<TileType::Vec, float, 1, 8> tile;
  TASSIGN(tile, 0);
  auto tensor = tensor_of<float>(memory.data(), {1, 1, 1, 1, 8}, {8, 8, 8, 8, 1});
  pto::TLOAD<decltype(tile), decltype(tensor)>(tile, tensor);
  pto::TSTORE<decltype(tile), decltype(tensor)>(tensor, tile);
  pto::TSTORE<decltype(tile), decltype(tensor), pto::AtomicType::AtomicNone>(tensor, tile);
  static_assert(std::is_same_v<decltype(TSTORE(tensor, tile)), pto::RecordEvent>);
  EXPECT_EQ(memory.get(7), 8.0F);
}

struct CountingEvent {
  int waits = 0;
  void Wait() { ++waits; }
};

TEST(LoadStore, WaitsForEveryEventFirst) {
  Guarded<float> memory(8);
  memory.number(1);
  Tile<TileType::Vec, float, 1, 8> tile;
  TASSIGN(tile, 0);
  auto tensor = tensor_of<float>(memory.data(), {1, 1, 1, 1, 8}, {8, 8, 8, 8, 1});
  CountingEvent a;
  CountingEvent b;
  TLOAD(tile, tensor, a, b);
  TSTORE(tensor, tile, b);
  EXPECT_EQ(a.waits, 1);
  EXPECT_EQ(b.waits, 2);
}

TEST(LoadStore, UnboundTilesAreRefused) {
  Guarded<float> memory(8);
  const auto before = memory.bytes();
  Tile<TileType::Vec, float, 1, 8> tile;
  auto tensor = tensor_of<float>(memory.data(), {1, 1, 1, 1, 8}, {8, 8, 8, 8, 1});
  EXPECT_EQ(error_of([&] { TLOAD(tile, tensor); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { TSTORE(tensor, tile); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(memory.bytes(), before);
}

TEST(LoadStore, ValidRegionsBeyondTheStorageAreRefused) {
  Guarded<float> memory(16);
  Tile<TileType::Vec, float, 1, 8, BLayout::RowMajor, 1, DYNAMIC> tile(9U);
  TASSIGN(tile, 0);
  auto tensor = tensor_of<float>(memory.data(), {1, 1, 1, 1, 9}, {9, 9, 9, 9, 1});
  EXPECT_EQ(error_of([&] { TLOAD(tile, tensor); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(error_of([&] { TSTORE(tensor, tile); }), ErrorCode::kShapeMismatch);
  tile.ColMaskInternal = static_cast<unsigned>(-1);
  EXPECT_EQ(error_of([&] { TLOAD(tile, tensor); }), ErrorCode::kShapeMismatch);
  Tile<TileType::Vec, float, 8, 1, BLayout::ColMajor, DYNAMIC, 1> column(9U);
  TASSIGN(column, 0);
  auto rows = tensor_of<float>(memory.data(), {1, 1, 1, 9, 1}, {1, 1, 1, 1, 1});
  EXPECT_EQ(error_of([&] { TLOAD(column, rows); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(error_of([&] { TSTORE(rows, column); }), ErrorCode::kShapeMismatch);
}

#ifndef NDEBUG
TEST(LoadStore, DifferentExtentsAreDiagnosed) {
  Guarded<float> memory(64);
  Tile<TileType::Vec, float, 2, 8> tile;
  TASSIGN(tile, 0);
  for (const Extents& shape : {Extents{1, 1, 1, 2, 7}, Extents{1, 1, 1, 1, 8}, Extents{1, 1, 1, 3, 8},
                               Extents{1, 1, 1, 2, 9}, Extents{2, 1, 1, 2, 8}, Extents{1, 1, 1, 2, 0}}) {
    auto tensor = tensor_of<float>(memory.data(), shape, {8, 8, 8, 8, 1});
    EXPECT_EQ(error_of([&] { TLOAD(tile, tensor); }), ErrorCode::kShapeMismatch);
    EXPECT_EQ(error_of([&] { TSTORE(tensor, tile); }), ErrorCode::kShapeMismatch);
  }
}
#else
TEST(LoadStore, DifferentExtentsMoveTheSmaller) {
  Guarded<int32_t> source(64);
  source.number(1);
  Tile<TileType::Vec, int32_t, 2, 8> tile;
  TASSIGN(tile, 0);
  for (const Extents& shape : {Extents{1, 1, 1, 2, 7}, Extents{1, 1, 1, 1, 8}, Extents{1, 1, 1, 3, 8},
                               Extents{1, 1, 1, 2, 9}, Extents{2, 1, 1, 2, 8}, Extents{1, 1, 1, 2, 0}}) {
    const Extents stride = tileput::test::strides_for(shape);
    poison(tile);
    auto from = tensor_of<int32_t>(source.data(), shape, stride);
    TLOAD(tile, from);
    Guarded<int32_t> target(64);
    Guarded<int32_t> expected(64);
    auto to = tensor_of<int32_t>(target.data(), shape, stride);
    TSTORE(to, tile);
    tileput::test::for_each_index(shape, [&](const Extents& i) {
      const auto [r, c] = place(Layout::ND, shape, i);
      if (r < 2 && c < 8) {
        const auto offset = tileput::test::offset_of(i, stride);
        EXPECT_EQ(tile.GetElement(r, c), source.get(offset));
        expected.data()[offset] = source.get(offset);
      }
    });
    EXPECT_EQ(target.bytes(), expected.bytes());
  }
}
#endif

TEST(LoadStore, RandomViews) {
  std::mt19937 random(7);
  const auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(n)); };
  for (int repeat = 0; repeat < 400; ++repeat) {
    Extents shape;
    for (auto& extent : shape) {
      extent = 1 + below(3);
    }
    if (repeat % 17 == 0) {
      shape[static_cast<std::size_t>(below(5))] = 0;
    }
    const Extents stride = tileput::test::strides_for(shape, below(3));
    const std::int64_t outer = shape[0] * shape[1] * shape[2];
    Tile<TileType::Vec, int32_t, 88, 88, BLayout::RowMajor, DYNAMIC, DYNAMIC> nd(outer * shape[3], shape[4]);
    TASSIGN(nd, 0x20);
    round_trip(nd, shape, stride);
    Tile<TileType::Vec, int32_t, 88, 88, BLayout::ColMajor, DYNAMIC, DYNAMIC> dn(shape[3], outer * shape[4]);
    TASSIGN(dn, 0x20);
    round_trip<decltype(dn), Layout::DN>(dn, shape, stride);
    Tile<TileType::Vec, int32_t, 88, 88, BLayout::RowMajor, DYNAMIC, DYNAMIC> nz(shape[2] * shape[3],
                                                                                 shape[0] * shape[1] * shape[4]);
    TASSIGN(nz, 0x20);
    round_trip<decltype(nz), Layout::NZ>(nz, shape, stride);
  }
}

}  // namespace
