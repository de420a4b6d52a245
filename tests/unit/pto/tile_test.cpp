// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Tiles: constants, valid extents, layout of the storage, binding and aliasing (spec sections 5 and 6).

#include <cstdint>
#include <set>
#include <string>
#include <type_traits>

#include "pto/common/pto_tile.hpp"
#include "support.hpp"
#include "tileput/machine/transfer.hpp"

namespace {

using pto::BLayout;
using pto::DYNAMIC;
using pto::SLayout;
using pto::Tile;
using pto::TileType;
using tileput::ErrorCode;
using tileput::test::error_of;

template <int kRows, int kCols, int kRowValid = kRows, int kColValid = kCols>
using VecTile = Tile<TileType::Vec, float, kRows, kCols, BLayout::RowMajor, kRowValid, kColValid>;

TEST(Tile, NamesItsConstants) {
  using T = VecTile<5, 8, 5, 7>;
  static_assert(T::Loc == TileType::Vec && T::Rows == 5 && T::Cols == 8 && T::ValidRow == 5 && T::ValidCol == 7);
  static_assert(T::Numel == 40 && T::RowStride == 8 && T::ColStride == 1 && T::isRowMajor && !T::isBoxedLayout);
  static_assert(T::BFractal == BLayout::RowMajor && T::SFractal == SLayout::NoneBox && T::SFractalSize == 512);
  static_assert(T::PadVal == pto::PadValue::Null && T::Compact == pto::CompactMode::Null);
  static_assert(T::InnerRows == 1 && T::InnerCols == 1 && T::InnerNumel == 1);
  static_assert(std::is_same_v<T::DType, float> && std::is_same_v<T::TileDType, float*>);
  using Column = Tile<TileType::Vec, float, 8, 1, BLayout::ColMajor>;
  static_assert(Column::RowStride == 1 && Column::ColStride == 8 && !Column::isRowMajor);
  using Nz = Tile<TileType::Mat, float, 64, 64, BLayout::ColMajor, 64, 64, SLayout::RowMajor, 512>;
  static_assert(Nz::InnerRows == 16 && Nz::InnerCols == 8 && Nz::isBoxedLayout && Nz::isInnerRowMajor);
  static_assert(pto::TileRight<float, 64, 64>::InnerRows == 8 && pto::TileRight<float, 64, 64>::InnerCols == 16);
  static_assert(pto::TileRight<float, 64, 64>::isInnerColMajor && pto::TileRight<float, 64, 64>::isRowMajor);
  static_assert(pto::TileAcc<float, 64, 64>::InnerRows == 16 && pto::TileAcc<float, 64, 64>::InnerCols == 16);
  static_assert(pto::TileLeft<half, 64, 64, 3, 4>::InnerCols == 16 && pto::TileLeft<half, 64, 64, 3, 4>::ValidCol == 4);
  static_assert(pto::TileLeft<int8_t, 32, 64>::InnerCols == 32 && pto::TileLeft<int8_t, 32, 64>::Loc == TileType::Left);
  static_assert(pto::is_tile_data_v<T> && pto::is_tile_data_v<const T&> && !pto::is_tile_data_v<float>);
  static_assert(!pto::is_tile_data_v<pto::GlobalTensor<float, pto::Shape<>, pto::Stride<>>>);
  static_assert(!pto::is_conv_tile_v<T>);
}

TEST(Tile, StaticExtentsAreConstants) {
  static_assert(VecTile<5, 8, 5, 7>::GetValidRow() == 5 && VecTile<5, 8, 5, 7>::GetValidCol() == 7);
  static_assert(std::is_same_v<decltype(VecTile<5, 8>::GetValidRow()), unsigned>);
  static_assert(!std::is_constructible_v<VecTile<5, 8>, unsigned, unsigned>);
}

TEST(Tile, DynamicExtentsStartFull) {
  VecTile<4, 16, DYNAMIC, DYNAMIC> both;
  EXPECT_EQ(both.GetValidRow(), 4U);
  EXPECT_EQ(both.GetValidCol(), 16U);
  EXPECT_EQ(both.data(), nullptr);
}

TEST(Tile, ExtentsAreGivenByConstructors) {
  using Both = VecTile<4, 16, DYNAMIC, DYNAMIC>;
  const int n = 9;
  const Both both(1, n);
  EXPECT_EQ(both.GetValidRow(), 1U);
  EXPECT_EQ(both.GetValidCol(), 9U);
  static_assert(!std::is_constructible_v<Both, unsigned>);
  using RowsOnly = VecTile<4, 16, DYNAMIC, 16>;
  const RowsOnly rows(3U);
  EXPECT_EQ(rows.GetValidRow(), 3U);
  static_assert(RowsOnly::GetValidCol() == 16);
  using ColsOnly = VecTile<4, 16, 4, DYNAMIC>;
  const ColsOnly cols(5U);
  EXPECT_EQ(cols.GetValidCol(), 5U);
  static_assert(ColsOnly::GetValidRow() == 4 && !std::is_constructible_v<ColsOnly, unsigned, unsigned>);
}

TEST(Tile, ExtentsAreChanged) {
  VecTile<4, 16, DYNAMIC, DYNAMIC> tile;
  tile.SetValidRow(2);
  tile.SetValidCol(3);
  EXPECT_EQ(tile.GetValidRow(), 2U);
  EXPECT_EQ(tile.GetValidCol(), 3U);
  tile.SetValidShape(1, 0);
  EXPECT_EQ(tile.GetValidRow(), 1U);
  EXPECT_EQ(tile.GetValidCol(), 0U);
  tile.RowMaskInternal = 4;
  tile.ColMaskInternal = 7;
  EXPECT_EQ(tile.GetValidRow(), 4U);
  EXPECT_EQ(tile.GetValidCol(), 7U);
}

/// The table of spec section 5.5, written out.
template <class T>
std::uint64_t table_offset(std::uint64_t r, std::uint64_t c) {
  const std::uint64_t rows = T::Rows;
  const std::uint64_t cols = T::Cols;
  const std::uint64_t inner_rows = T::InnerRows;
  const std::uint64_t inner_cols = T::InnerCols;
  const std::uint64_t inner_numel = inner_rows * inner_cols;
  const std::uint64_t sub_r = r / inner_rows;
  const std::uint64_t in_r = r % inner_rows;
  const std::uint64_t sub_c = c / inner_cols;
  const std::uint64_t in_c = c % inner_cols;
  const bool outer_row = T::BFractal == BLayout::RowMajor;
  if (T::SFractal == SLayout::NoneBox) {
    return outer_row ? r * cols + c : c * rows + r;
  }
  if (!outer_row && T::SFractal == SLayout::RowMajor) {
    return sub_c * rows * inner_cols + sub_r * inner_numel + in_r * inner_cols + in_c;
  }
  if (outer_row && T::SFractal == SLayout::ColMajor) {
    return sub_r * cols * inner_rows + sub_c * inner_numel + in_c * inner_rows + in_r;
  }
  return sub_r * cols * inner_rows + sub_c * inner_numel + in_r * inner_cols + in_c;  // Zz
}

template <class T>
class TileLayoutTest : public testing::Test {};

using Layouts = testing::Types<Tile<TileType::Vec, float, 5, 8>, Tile<TileType::Vec, int16_t, 16, 3, BLayout::ColMajor>,
                               Tile<TileType::Mat, float, 32, 24, BLayout::ColMajor, 32, 24, SLayout::RowMajor, 512>,
                               Tile<TileType::Mat, int8_t, 32, 64, BLayout::ColMajor, 32, 64, SLayout::RowMajor, 512>,
                               Tile<TileType::Mat, float, 24, 32, BLayout::RowMajor, 24, 32, SLayout::ColMajor, 512>,
                               Tile<TileType::Mat, half, 32, 48, BLayout::RowMajor, 32, 48, SLayout::RowMajor, 512>,
                               Tile<TileType::Mat, float, 1, 16, BLayout::ColMajor, 1, 16, SLayout::RowMajor, 512>,
                               Tile<TileType::Vec, float, 20, 16, BLayout::RowMajor, 20, 16, SLayout::RowMajor, 512>,
                               pto::TileAcc<float, 32, 48>, pto::TileLeft<half, 32, 64>, pto::TileRight<float, 64, 32>>;
TYPED_TEST_SUITE(TileLayoutTest, Layouts);

TYPED_TEST(TileLayoutTest, OffsetsFollowTheTable) {
  using T = TypeParam;
  const auto region = [] {
    T tile;
    return pto::tileput_detail::region_of(tile);
  }();
  std::set<std::int64_t> seen;
  for (int r = 0; r < T::Rows; ++r) {
    for (int c = 0; c < T::Cols; ++c) {
      const std::int64_t offset = tileput::machine::tile_offset(region, r, c);
      EXPECT_EQ(static_cast<std::uint64_t>(offset), (table_offset<T>(r, c))) << r << ", " << c;
      EXPECT_TRUE(seen.insert(offset).second) << "two elements at " << offset;
      EXPECT_LE((static_cast<std::uint64_t>(offset) + 1) * sizeof(typename T::DType),
                pto::tileput_detail::storage_bytes<T>());
    }
  }
}

TYPED_TEST(TileLayoutTest, ElementAccessUsesThem) {
  using T = TypeParam;
  T tile;
  TASSIGN(tile, 0);
  for (int r = 0; r < T::Rows; ++r) {
    for (int c = 0; c < T::Cols; ++c) {
      tile.SetElement(r, c, static_cast<typename T::DType>((r * T::Cols + c) % 127));
    }
  }
  for (int r = 0; r < T::Rows; ++r) {
    for (int c = 0; c < T::Cols; ++c) {
      EXPECT_EQ(static_cast<float>(tile.GetElement(r, c)), static_cast<float>((r * T::Cols + c) % 127));
    }
  }
}

TEST(Tassign, BindsToTheMemoryOfTheLocation) {
  const auto& memory = tileput::machine::current_core().on_chip;
  VecTile<1, 64> vec;
  TASSIGN(vec, 0x100);
  EXPECT_EQ(reinterpret_cast<std::byte*>(vec.data()), memory[0].base + 0x100);
  Tile<TileType::Mat, float, 16, 16> mat;
  TASSIGN(mat, 0x200U);
  EXPECT_EQ(reinterpret_cast<std::byte*>(mat.data()), memory[1].base + 0x200);
  pto::TileLeft<float, 16, 16> left;
  TASSIGN(left, std::uint64_t{0});
  EXPECT_EQ(reinterpret_cast<std::byte*>(left.data()), memory[2].base);
  pto::TileRight<float, 16, 16> right;
  TASSIGN(right, short{64});
  EXPECT_EQ(reinterpret_cast<std::byte*>(right.data()), memory[3].base + 64);
  pto::TileAcc<float, 16, 16> acc;
  pto::TASSIGN<0x400>(acc);
  EXPECT_EQ(reinterpret_cast<std::byte*>(acc.data()), memory[4].base + 0x400);
}

TEST(Tassign, TakesAddressesOfTheMemoryItself) {
  VecTile<1, 64> tile;
  TASSIGN(tile, 0x80);
  VecTile<1, 8> other;
  TASSIGN(other, reinterpret_cast<std::uintptr_t>(tile.data()));
  EXPECT_EQ(other.data(), tile.data());
  TASSIGN(other, tile.data() + 8);
  EXPECT_EQ(other.data(), tile.data() + 8);
}

TEST(Tassign, GoesUpToTheCapacity) {
  VecTile<16, 1024> big;  // 64 KiB
  for (const int address : {0x0, 0x10000, 0x20000}) {
    TASSIGN(big, address);
    EXPECT_NE(big.data(), nullptr);
  }
  VecTile<1, 8> last;
  TASSIGN(last, 0x30000 - 32);
  EXPECT_NE(last.data(), nullptr);
}

TEST(Tassign, RefusesWhatDoesNotFit) {
  VecTile<1, 8> tile;
  TASSIGN(tile, 0);
  float* const before = tile.data();
  for (const std::int64_t address :
       {std::int64_t{0x30000 - 31}, std::int64_t{0x30000}, std::int64_t{-1}, std::int64_t{1} << 62}) {
    EXPECT_EQ(error_of([&] { TASSIGN(tile, address); }), ErrorCode::kOnChipOverflow) << address;
    EXPECT_EQ(tile.data(), before);
  }
  VecTile<16, 1024> big;
  EXPECT_EQ(error_of([&] { TASSIGN(big, 0x20001); }), ErrorCode::kOnChipOverflow);
  EXPECT_EQ(big.data(), nullptr);
  pto::TileLeft<float, 128, 128> left;  // 64 KiB: all of Left
  TASSIGN(left, 0);
  EXPECT_EQ(error_of([&] { TASSIGN(left, 32); }), ErrorCode::kOnChipOverflow);
}

TEST(Tassign, OverlappingTilesShareBytes) {
  VecTile<1, 8> floats;
  Tile<TileType::Vec, int32_t, 2, 8> words;
  Tile<TileType::Vec, int8_t, 1, 32> bytes;
  TASSIGN(floats, 0x20);
  TASSIGN(words, 0x0);
  TASSIGN(bytes, 0x20);
  for (std::uint32_t i = 0; i < 16; ++i) {
    words.SetValue(i, static_cast<int32_t>(1000 + i));
  }
  floats.SetValue(0, 1.0F);
  EXPECT_EQ(words.GetValue(8), 0x3F800000);
  EXPECT_EQ(words.GetValue(9), 1009);
  words.SetValue(9, 0x40000000);
  EXPECT_EQ(floats.GetValue(1), 2.0F);
  EXPECT_EQ(bytes.GetValue(7), 0x40);
  EXPECT_EQ(words.GetValue(7), 1007);
  TASSIGN(floats, 0x40);
  EXPECT_EQ(words.GetValue(8), 0x3F800000) << "binding again changes no bytes";
}

TEST(Tassign, SpacesDoNotOverlap) {
  VecTile<1, 8> vec;
  Tile<TileType::Mat, float, 1, 8> mat;
  TASSIGN(vec, 0);
  TASSIGN(mat, 0);
  vec.SetValue(0, 1.0F);
  mat.SetElement(0, 0, 2.0F);
  EXPECT_EQ(vec.GetValue(0), 1.0F);
}

}  // namespace
