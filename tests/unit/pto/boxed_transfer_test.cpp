// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Tiles stored in boxes: TLOAD, TSTORE and TMOV by logical coordinates (spec sections 5.5 and 8.1), and what TSTORE
/// converts from accumulators.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "any_tensor.hpp"

namespace {

using pto::BLayout;
using pto::DYNAMIC;
using pto::Layout;
using pto::PadValue;
using pto::SLayout;
using pto::Tile;
using pto::TileAcc;
using pto::TileLeft;
using pto::TileRight;
using pto::TileType;
using tileput::ErrorCode;
using tileput::machine::GlobalRegion;
using tileput::machine::TileLayout;
using tileput::machine::TileRegion;
using tileput::test::error_of;
using tileput::test::Extents;
using tileput::test::Guarded;
using tileput::test::place;
using tileput::test::tensor_of;

std::mt19937_64& random_bits() {
  static std::mt19937_64 engine(5);
  return engine;
}
std::int64_t below(std::int64_t n) {
  return static_cast<std::int64_t>(random_bits()() % static_cast<std::uint64_t>(n));
}

/// A tile of 64 x 64 elements as the machine sees it, in memory of its own, which starts as poison.
class AnyTile {
 public:
  AnyTile(const TileLayout& layout, std::uint32_t element_bytes)
      : storage_(std::size_t{64} * 64 * element_bytes, kPoison) {
    region.address = storage_.data();
    region.element_bytes = element_bytes;
    region.rows = 64;
    region.cols = 64;
    region.layout = layout;
  }
  void fill_with_random_bits() {
    for (std::byte& byte : storage_) {
      byte = static_cast<std::byte>(random_bits()());
    }
  }
  void set_valid(std::int64_t rows, std::int64_t cols) {
    region.valid_rows = static_cast<std::int32_t>(rows);
    region.valid_cols = static_cast<std::int32_t>(cols);
  }
  std::byte* element(std::int64_t r, std::int64_t c) {
    return storage_.data() + tile_offset(region, r, c) * region.element_bytes;
  }
  /// Expects that all storage outside the valid region is poison.
  void expect_poison_outside() {
    for (std::int64_t r = 0; r < 64; ++r) {
      for (std::int64_t c = 0; c < 64; ++c) {
        const std::byte* const bytes = element(r, c);
        ASSERT_TRUE((r < region.valid_rows && c < region.valid_cols) ||
                    std::count(bytes, bytes + region.element_bytes, kPoison) == region.element_bytes)
            << r << ", " << c;
      }
    }
  }
  bool has_bytes_of(const AnyTile& other) const { return storage_ == other.storage_; }

  TileRegion region;

 private:
  static constexpr auto kPoison = static_cast<std::byte>(Guarded<std::byte>::kPoison);

  std::vector<std::byte> storage_;
};

/// Every layout of spec section 5.5 with its box sizes, for elements of 1, 2, 4 and 8 bytes.
struct Storage {
  TileLayout layout;
  std::uint32_t element_bytes;
};
std::vector<Storage> storages() {
  std::vector<Storage> all;
  for (const std::uint32_t bytes : {1U, 2U, 4U, 8U}) {
    const auto narrow = static_cast<std::int32_t>(32 / bytes);
    for (const bool row_major : {true, false}) {
      all.push_back({{.row_major = row_major}, bytes});
      all.push_back({{row_major, true, true, 16, narrow}, bytes});
      all.push_back({{row_major, true, false, narrow, 16}, bytes});
      all.push_back({{row_major, true, !row_major, 16, 16}, bytes});
    }
  }
  return all;
}

/// Loads random bits, compares every element, stores them to poisoned memory and compares that, gaps included.
void round_trip(const Storage& storage, Layout layout, const Extents& shape, const Extents& stride) {
  AnyTile tile(storage.layout, storage.element_bytes);
  const std::size_t bytes = storage.element_bytes;
  const auto size = static_cast<std::size_t>(tileput::test::reach(shape, stride)) * bytes;
  Guarded<std::byte> source(size);
  for (std::size_t i = 0; i < size; ++i) {
    source.data()[i] = static_cast<std::byte>(random_bits()());
  }
  GlobalRegion from;
  from.address = source.data();
  std::copy(shape.begin(), shape.end(), from.shape);
  std::copy(stride.begin(), stride.end(), from.stride);
  from.element_bytes = storage.element_bytes;
  from.layout = pto::tileput_detail::layout_of(layout);
  const auto extent = tileput::machine::extent_of(from);
  tile.set_valid(extent.rows, extent.cols);

  tileput::machine::load_tile(tile.region, from);
  Guarded<std::byte> expected(size);
  tileput::test::for_each_index(shape, [&](const Extents& i) {
    const auto [r, c] = place(layout, shape, i);
    const auto offset = static_cast<std::size_t>(tileput::test::offset_of(i, stride)) * bytes;
    ASSERT_EQ(std::memcmp(tile.element(r, c), source.data() + offset, bytes), 0) << r << ", " << c;
    std::memcpy(expected.data() + offset, source.data() + offset, bytes);
  });
  tile.expect_poison_outside();

  Guarded<std::byte> target(size);
  GlobalRegion to = from;
  to.address = target.data();
  tileput::machine::store_tile(to, tile.region);
  EXPECT_TRUE(target.bytes() == expected.bytes()) << extent.rows << " x " << extent.cols << " of " << bytes << " bytes";
}

TEST(BoxedTransfer, MatricesOfEveryExtent) {
  for (const Storage& storage : storages()) {
    for (const auto& [rows, cols] :
         {std::pair{64, 64}, {1, 1}, {16, 8}, {17, 33}, {15, 64}, {64, 7}, {63, 63}, {32, 48}, {0, 5}, {5, 0}}) {
      const std::int64_t gap = below(2) * 3;
      const Extents shape = {1, 1, 1, rows, cols};
      round_trip(storage, Layout::ND, shape, {1, 1, 1, cols + gap, 1});
      round_trip(storage, Layout::DN, shape, {1, 1, 1, 1, rows + gap});
      round_trip(storage, Layout::NZ, shape, {1, 1, 1, cols + gap, 1});
      round_trip(storage, Layout::ND, shape, {1, 1, 1, 2 * cols + 1, 2});  // no two elements are adjacent
    }
  }
}

TEST(BoxedTransfer, TensorsOfFiveDimensions) {
  for (const Storage& storage : storages()) {
    for (int repeat = 0; repeat < 12; ++repeat) {
      const Extents shape = {1 + below(2), 1 + below(3), 1 + below(2), 1 + below(5), 1 + below(5)};
      const Extents stride = tileput::test::strides_for(shape, below(3));
      for (const Layout layout : {Layout::ND, Layout::DN, Layout::NZ}) {
        round_trip(storage, layout, shape, stride);
      }
    }
    round_trip(storage, Layout::NZ, {1, 4, 4, 16, 16}, {4096, 1024, 256, 16, 1});
  }
}

TEST(BoxedTransfer, MovesBetweenEveryTwoLayouts) {
  for (const Storage& from : storages()) {
    for (const Storage& to : storages()) {
      if (from.element_bytes != to.element_bytes) {
        continue;
      }
      for (const auto& [rows, cols] : {std::pair{64, 64}, {33, 50}, {1, 64}, {16, 16}, {0, 3}}) {
        AnyTile source(from.layout, from.element_bytes);
        AnyTile target(to.layout, to.element_bytes);
        source.fill_with_random_bits();
        target.set_valid(rows, cols);
        AnyTile before(from.layout, from.element_bytes);
        before.set_valid(64, 64);
        source.set_valid(64, 64);
        tileput::machine::move_tile(before.region, source.region);
        ASSERT_TRUE(before.has_bytes_of(source));  // the same layout: the same bytes
        source.set_valid(rows, cols);
        tileput::machine::move_tile(target.region, source.region);
        for (int r = 0; r < rows; ++r) {
          for (int c = 0; c < cols; ++c) {
            ASSERT_EQ(std::memcmp(target.element(r, c), source.element(r, c), from.element_bytes), 0) << r << ", " << c;
          }
        }
        EXPECT_TRUE(before.has_bytes_of(source));
        target.expect_poison_outside();
      }
    }
  }
}

/// The bits of an element, so that a NaN is equal to itself.
template <class T>
std::uint64_t bits_of(T value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

template <class TileData>
void poison(TileData& tile) {
  std::memset(static_cast<void*>(tile.data()), 0xA5, TileData::GetSizeInBytes());
}

/// Expects poison in all storage of a tile outside its first rows x cols elements.
template <class TileData>
void expect_poison_but(TileData& tile, unsigned rows, unsigned cols) {
  for (unsigned r = 0; r < static_cast<unsigned>(TileData::Rows); ++r) {
    for (unsigned c = 0; c < static_cast<unsigned>(TileData::Cols); ++c) {
      EXPECT_TRUE((r < rows && c < cols) || bits_of(tile.GetElement(r, c)) == 0xA5A5A5A5) << r << ", " << c;
    }
  }
}

TEST(BoxedTile, WayOfAnOperand) {
  Guarded<bfloat16_t> memory(48 * 64);
  for (std::size_t i = 0; i < memory.size(); ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    std::memcpy(static_cast<void*>(memory.data() + i), &bits, sizeof(bits));
  }
  Tile<TileType::Mat, bfloat16_t, 48, 64, BLayout::ColMajor, 48, 64, SLayout::RowMajor, 512> mat;
  TileLeft<bfloat16_t, 48, 64> left;
  TileRight<bfloat16_t, 48, 64> right;
  TASSIGN(mat, 0);
  TASSIGN(left, 0x100);
  TASSIGN(right, 0x200);
  auto tensor = tensor_of<bfloat16_t>(memory.data(), {1, 1, 1, 48, 64}, {1, 1, 1, 64, 1});
  TLOAD(mat, tensor);
  TMOV(left, mat);
  TMOV(right, mat);
  for (unsigned r = 0; r < 48; ++r) {
    for (unsigned c = 0; c < 64; ++c) {
      ASSERT_EQ(bits_of(left.GetElement(r, c)), r * 64 + c);
      ASSERT_EQ(bits_of(right.GetElement(r, c)), r * 64 + c);
    }
  }
}

TEST(BoxedTile, PaddingIsThePadValue) {
  Guarded<float> memory(20 * 9);
  memory.number(1);
  Tile<TileType::Mat, float, 32, 16, BLayout::ColMajor, 20, 9, SLayout::RowMajor, 512, PadValue::Max> tile;
  TASSIGN(tile, 0);
  auto tensor = tensor_of<float>(memory.data(), {1, 1, 1, 20, 9}, {1, 1, 1, 9, 1});
  TLOAD(tile, tensor);
  for (unsigned r = 0; r < 32; ++r) {
    for (unsigned c = 0; c < 16; ++c) {
      const float expected =
          r < 20 && c < 9 ? static_cast<float>(r * 9 + c + 1) : std::numeric_limits<float>::infinity();
      EXPECT_EQ(tile.GetElement(r, c), expected) << r << ", " << c;
    }
  }
}

TEST(BoxedTile, VecTilesMayEndInsideABox) {
  const auto expect_all = [](auto tile) {
    Guarded<float> memory(20 * 14);
    memory.number(1);
    TASSIGN(tile, 0);
    auto tensor = tensor_of<float>(memory.data(), {1, 1, 1, 20, 13}, {1, 1, 1, 14, 1});
    TLOAD(tile, tensor);
    for (unsigned r = 0; r < 20; ++r) {
      for (unsigned c = 0; c < 13; ++c) {
        EXPECT_EQ(tile.GetElement(r, c), static_cast<float>(r * 14 + c + 1));
      }
    }
  };
  expect_all(Tile<TileType::Vec, float, 20, 16, BLayout::ColMajor, 20, 13, SLayout::RowMajor, 512>());
  expect_all(Tile<TileType::Vec, float, 20, 16, BLayout::RowMajor, 20, 13, SLayout::ColMajor, 512>());
}

TEST(Move, BadTilesAreRefused) {
  Tile<TileType::Vec, float, 16, 16, BLayout::RowMajor, DYNAMIC, DYNAMIC> source(16, 16);
  TileLeft<float, 16, 16, DYNAMIC, DYNAMIC> target(16, 16);
  EXPECT_EQ(error_of([&] { TMOV(target, source); }), ErrorCode::kUnboundTile);
  TASSIGN(target, 0);
  EXPECT_EQ(error_of([&] { TMOV(target, source); }), ErrorCode::kUnboundTile);
  TASSIGN(source, 0);
  poison(target);
  source.SetValidShape(17, 16);
  target.SetValidShape(17, 16);
  EXPECT_EQ(error_of([&] { TMOV(target, source); }), ErrorCode::kShapeMismatch);
  expect_poison_but(target, 0, 0);
}

TEST(Move, ExtentsThatDiffer) {
  Tile<TileType::Vec, float, 16, 16, BLayout::RowMajor, 16, 7> source;
  TileLeft<float, 16, 16, 9, 16> target;
  TASSIGN(source, 0);
  TASSIGN(target, 0);
  poison(target);
  source.SetElement(8, 6, 3.0F);
#ifndef NDEBUG
  EXPECT_EQ(error_of([&] { TMOV(target, source); }), ErrorCode::kShapeMismatch);
  expect_poison_but(target, 0, 0);
#else
  TMOV(target, source);
  EXPECT_EQ(target.GetElement(8, 6), 3.0F);
  expect_poison_but(target, 9, 7);
#endif
}

TEST(Move, TheRecordRunsLater) {
  Tile<TileType::Mat, std::int32_t, 16, 16> source;
  TileRight<std::int32_t, 16, 16> target;
  TASSIGN(source, 0x40);
  TASSIGN(target, 0x80);
  poison(target);
  source.SetElement(3, 9, 11);
  tileput::test::Recorder recorder;
  {
    const tileput::test::Observe observe(recorder);
    TMOV(target, source);
  }
  ASSERT_EQ(recorder.records.size(), 1U);
  const auto& record = recorder.records[0];
  EXPECT_EQ(record.opcode, tileput::machine::Opcode::kTmov);
  EXPECT_EQ(record.tile_count, 2);
  EXPECT_NE(record.site, nullptr);
  EXPECT_EQ(record.tile[0].space, tileput::machine::Space::kRight);
  EXPECT_EQ(record.tile[1].address, reinterpret_cast<std::byte*>(source.data()));
  EXPECT_NE(target.GetElement(3, 9), 11);
  EXPECT_TRUE(record.run());
  EXPECT_EQ(target.GetElement(3, 9), 11);
}

/// Stores an accumulator of values that the target type has, but for `inexact`, which becomes `rounded`; at once, and
/// as a record that runs later.
template <class To, Layout layout, class Acc>
void expect_conversion_of(Acc acc, const Extents& stride, typename Acc::DType inexact, To rounded) {
  TASSIGN(acc, 0x100);
  const Extents shape = {1, 1, 1, acc.GetValidRow(), acc.GetValidCol()};
  const auto size = static_cast<std::size_t>(tileput::test::reach(shape, stride));
  Guarded<To> expected(size);
  tileput::test::for_each_index(shape, [&](const Extents& i) {
    const auto [r, c] = place(layout, shape, i);
    const bool exact = r != 2 || c != 3;
    const auto number = static_cast<float>((r * 37 + c) % 100);
    acc.SetElement(r, c, exact ? static_cast<typename Acc::DType>(number) : inexact);
    const To value = exact ? static_cast<To>(number) : rounded;
    std::memcpy(static_cast<void*>(expected.data() + tileput::test::offset_of(i, stride)), &value, sizeof(To));
  });
  tileput::test::Recorder recorder;
  for (const bool later : {false, true}) {
    Guarded<To> target(size);
    auto tensor = tensor_of<To, layout>(target.data(), shape, stride);
    tileput::machine::current_core().observer = later ? &recorder : nullptr;
    TSTORE(tensor, acc);
    tileput::machine::current_core().observer = nullptr;
    if (later) {
      ASSERT_EQ(recorder.records.size(), 1U);
      EXPECT_FALSE(target.bytes() == expected.bytes());
      EXPECT_TRUE(recorder.records[0].run());
    }
    EXPECT_TRUE(target.bytes() == expected.bytes()) << "elements of " << sizeof(To) << " bytes";
  }
}

template <class From, class To>
void expect_conversion(From inexact, To rounded) {
  expect_conversion_of<To, Layout::ND>(TileAcc<From, 32, 48, 21, 33>(), {1, 1, 1, 40, 1}, inexact, rounded);
}

TEST(AccumulatorStore, ConvertsInEveryLayout) {
  const half rounded(2048.0F);
  expect_conversion_of<half, Layout::ND>(TileAcc<float, 32, 48>(), {1, 1, 1, 48, 1}, 2049.0F, rounded);
  expect_conversion_of<half, Layout::DN>(TileAcc<float, 32, 48, 21, 33>(), {1, 1, 1, 1, 25}, 2049.0F, rounded);
  using Columns = Tile<TileType::Acc, float, 32, 48, BLayout::ColMajor, 20, 48>;
  expect_conversion_of<half, Layout::ND>(Columns(), {1, 1, 1, 48, 1}, 2049.0F, rounded);
  using Rows = Tile<TileType::Acc, float, 32, 48, BLayout::RowMajor, 20, 40>;
  expect_conversion_of<half, Layout::ND>(Rows(), {1, 1, 1, 40, 1}, 2049.0F, rounded);
}

TEST(AccumulatorStore, ConvertsByValue) {
  const float infinity = std::numeric_limits<float>::infinity();
  expect_conversion<float, float>(0x1.000002p0F, 0x1.000002p0F);
  expect_conversion<float, half>(2049.0F, half(2048.0F));  // half way: to even
  expect_conversion<float, half>(1e6F, half(infinity));
  expect_conversion<float, bfloat16_t>(257.0F, bfloat16_t(256.0F));
  expect_conversion<std::int32_t, std::int32_t>(INT32_MIN, INT32_MIN);
  expect_conversion<std::int32_t, float>(16777217, 16777216.0F);
  expect_conversion<std::int32_t, half>(-2049, half(-2048.0F));
  expect_conversion<std::int32_t, std::int8_t>(-128, -128);
  expect_conversion<std::int32_t, std::int8_t>(0x1FF, -1);  // without saturation
  expect_conversion<std::int32_t, std::uint8_t>(255, 255);
  expect_conversion<std::int32_t, std::int16_t>(-32768, -32768);
}

TEST(AccumulatorStore, RoundsFloatsToIntegers) {
  expect_conversion<float, std::int8_t>(-2.5F, -2);
  expect_conversion<float, std::uint8_t>(3.5F, 4);
  expect_conversion<float, std::int16_t>(-1000.75F, -1001);
  expect_conversion<float, std::int32_t>(8388609.0F, 8388609);
}

}  // namespace
