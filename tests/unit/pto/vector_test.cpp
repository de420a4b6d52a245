// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// TADD ... TMIN, TADDS ... TDIVS, TEXPANDS, TROWSUM and TSYNC on tiles.

#include "pto/vector.hpp"

#include <gtest/gtest.h>

#include "pto/pto-inst.hpp"
#include "support.hpp"
#include "vector_support.hpp"

namespace tileput::test {
namespace {

using machine::VectorOp;
using pto::BLayout;
using pto::DYNAMIC;
using pto::TileType;

template <class T, int kRows, int kCols, BLayout kLayout = BLayout::RowMajor, int kValidRows = kRows,
          int kValidCols = kCols>
using Vec = pto::Tile<TileType::Vec, T, kRows, kCols, kLayout, kValidRows, kValidCols>;
template <class T, int kRows, int kCols, BLayout kLayout, pto::SLayout kInner, int kValidRows, int kValidCols>
using Boxed = pto::Tile<TileType::Vec, T, kRows, kCols, kLayout, kValidRows, kValidCols, kInner, 512>;

/// Byte offsets of up to three operands in Vec memory; half of an operand's share stays free behind it.
constexpr std::uint32_t kPlaces[] = {0x0, 0x8000, 0x10000};

/// Fills all storage of a tile with awkward values.
template <class TileData>
void randomise(TileData& tile, std::uint32_t seed) {
  const auto values = awkward<typename TileData::DType>(TileData::Numel, seed);
  std::memcpy(static_cast<void*>(tile.data()), values.data(), sizeof(values[0]) * values.size());
}

/// The logical elements of all storage.
template <class TileData>
auto elements_of(const TileData& tile) {
  std::vector<typename TileData::DType> elements;
  for (std::uint32_t r = 0; r < TileData::Rows; ++r) {
    for (std::uint32_t c = 0; c < TileData::Cols; ++c) {
      elements.push_back(tile.GetElement(r, c));
    }
  }
  return elements;
}

template <class TileData, class Expect>
void check_elements(const TileData& tile, const std::vector<typename TileData::DType>& before, Expect&& expect) {
  for (std::uint32_t r = 0; r < TileData::Rows; ++r) {
    for (std::uint32_t c = 0; c < TileData::Cols; ++c) {
      const auto value = tile.GetElement(r, c);
      if (r < tile.GetValidRow() && c < tile.GetValidCol()) {
        ASSERT_TRUE(expect(r, c, value)) << "element " << r << ", " << c << ": " << value_of(value);
      } else {
        ASSERT_EQ(bits_of(value), bits_of(before[r * TileData::Cols + c])) << "untouched " << r << ", " << c;
      }
    }
  }
}

/// All instructions on operands of these types, compared with the model element by element.
template <class Target, class A, class B>
void check_all(Target target, A a, B b) {
  using T = typename Target::DType;
  pto::TASSIGN(target, kPlaces[0]);
  pto::TASSIGN(a, kPlaces[1]);
  pto::TASSIGN(b, kPlaces[2]);
  randomise(a, 1);
  randomise(b, 2);
  const T scalar = awkward<T>(32, 3)[static_cast<std::size_t>(target.GetValidRow()) % 32];
  const auto run = [&](VectorOp op, bool with_scalar, auto&& instruction) {
    randomise(target, 4);
    const auto before = elements_of(target);
    instruction();
    check_elements(target, before, [&](std::uint32_t r, std::uint32_t c, T value) {
      return is_combined(op, a.GetElement(r, c), with_scalar ? scalar : b.GetElement(r, c), value);
    });
  };
  run(VectorOp::kAdd, false, [&] { pto::TADD(target, a, b); });
  run(VectorOp::kSub, false, [&] { pto::TSUB(target, a, b); });
  run(VectorOp::kMul, false, [&] { pto::TMUL(target, a, b); });
  run(VectorOp::kMax, false, [&] { pto::TMAX(target, a, b); });
  run(VectorOp::kMin, false, [&] { pto::TMIN(target, a, b); });
  run(VectorOp::kAdd, true, [&] { pto::TADDS(target, a, scalar); });
  run(VectorOp::kSub, true, [&] { pto::TSUBS(target, a, scalar); });
  run(VectorOp::kMul, true, [&] { pto::TMULS(target, a, scalar); });
  run(VectorOp::kMax, true, [&] { pto::TMAXS(target, a, scalar); });
  run(VectorOp::kMin, true, [&] { pto::TMINS(target, a, scalar); });
  run(VectorOp::kDiv, true, [&] { pto::TDIVS(target, a, scalar); });
  randomise(target, 5);
  const auto before = elements_of(target);
  pto::TEXPANDS(target, scalar);
  check_elements(target, before,
                 [&](std::uint32_t, std::uint32_t, T value) { return bits_of(value) == bits_of(scalar); });
}

template <class T>
class VectorTest : public testing::Test {};
TYPED_TEST_SUITE(VectorTest, Computed);

TYPED_TEST(VectorTest, StaticTiles) {
  check_all(Vec<TypeParam, 1, 32>(), Vec<TypeParam, 1, 32>(), Vec<TypeParam, 1, 32>());
  check_all(Vec<TypeParam, 8, 96>(), Vec<TypeParam, 8, 96>(), Vec<TypeParam, 8, 96>());
  check_all(Vec<TypeParam, 5, 64, BLayout::RowMajor, 5, 37>(), Vec<TypeParam, 6, 64>(), Vec<TypeParam, 5, 96>());
}

TYPED_TEST(VectorTest, EveryDynamicExtentAroundTheLanes) {
  using Tile = Vec<TypeParam, 3, 160, BLayout::RowMajor, DYNAMIC, DYNAMIC>;
  for (const unsigned cols :
       {0U, 1U, 3U, 4U, 5U, 7U, 8U, 9U, 15U, 16U, 17U, 31U, 32U, 33U, 63U, 64U, 65U, 159U, 160U}) {
    check_all(Tile(3, cols), Tile(3, cols), Tile(3, cols));
  }
  check_all(Tile(0, 160), Tile(0, 160), Tile(0, 160));
}

TYPED_TEST(VectorTest, ColumnMajorTiles) {
  using Column = Vec<TypeParam, 64, 1, BLayout::ColMajor, DYNAMIC, 1>;
  check_all(Column(33), Column(33), Column(33));
  using Tile = Vec<TypeParam, 32, 9, BLayout::ColMajor, 29, 7>;
  check_all(Tile(), Tile(), Vec<TypeParam, 64, 8, BLayout::ColMajor>());
}

TYPED_TEST(VectorTest, MixedStorageOrdersAndBoxes) {
  constexpr int kRows = 32;
  constexpr int kCols = 64;
  using ByRows = Vec<TypeParam, kRows, kCols, BLayout::RowMajor, 31, 37>;
  using ByColumns = Vec<TypeParam, kRows, kCols, BLayout::ColMajor, 31, 37>;
  using Nz = Boxed<TypeParam, kRows, kCols, BLayout::ColMajor, pto::SLayout::RowMajor, 31, 37>;
  using Zn = Boxed<TypeParam, kRows, kCols, BLayout::RowMajor, pto::SLayout::ColMajor, 31, 37>;
  check_all(ByRows(), ByColumns(), ByRows());
  check_all(ByColumns(), ByRows(), Nz());
  check_all(Nz(), Nz(), Zn());
}

TYPED_TEST(VectorTest, InPlaceAndAliasedOperands) {
  using T = TypeParam;
  const auto check = [](auto tile, auto same_place) {
    pto::TASSIGN(tile, kPlaces[0]);
    pto::TASSIGN(same_place, kPlaces[0]);
    randomise(tile, 21);
    const auto before = elements_of(tile);
    const auto old = [&](std::uint32_t r, std::uint32_t c) {
      return before[r * static_cast<std::uint32_t>(decltype(tile)::Cols) + c];
    };
    pto::TADD(tile, tile, same_place);
    check_elements(tile, before, [&](std::uint32_t r, std::uint32_t c, T value) {
      return is_combined(VectorOp::kAdd, old(r, c), old(r, c), value);
    });
    const auto doubled = elements_of(tile);
    const T three = static_cast<T>(3);
    pto::TMULS(same_place, tile, three);
    check_elements(tile, before, [&](std::uint32_t r, std::uint32_t c, T value) {
      return is_combined(VectorOp::kMul, doubled[r * static_cast<std::uint32_t>(decltype(tile)::Cols) + c], three,
                         value);
    });
  };
  check(Vec<T, 5, 64, BLayout::RowMajor, 5, 61>(), Vec<T, 5, 64, BLayout::RowMajor, 5, 61>());
  using Nz = Boxed<T, 32, 64, BLayout::ColMajor, pto::SLayout::RowMajor, 31, 37>;
  check(Nz(), Nz());
}

template <class T>
class RowSumTest : public testing::Test {};
using Summed = testing::Types<float, half, bfloat16_t, std::int32_t, std::int16_t>;
TYPED_TEST_SUITE(RowSumTest, Summed);

TYPED_TEST(RowSumTest, SumsIntoRowsAndColumns) {
  using T = TypeParam;
  const auto check = [](auto source, auto target) {
    auto scratch = source;
    pto::TASSIGN(target, kPlaces[0]);
    pto::TASSIGN(source, kPlaces[1]);
    pto::TASSIGN(scratch, kPlaces[2]);
    randomise(source, 31);
    randomise(scratch, 32);
    const auto scratch_before = elements_of(scratch);
    std::mt19937 random(9);
    for (std::uint32_t r = 0; r < source.GetValidRow(); ++r) {
      for (std::uint32_t c = 0; c < source.GetValidCol(); ++c) {
        source.SetElement(r, c, static_cast<T>(static_cast<int>(random() % 5U) - 1));
      }
    }
    randomise(target, 33);
    const auto before = elements_of(target);
    pto::TROWSUM(target, source, scratch);
    for (std::uint32_t r = 0; r < decltype(target)::Rows; ++r) {
      for (std::uint32_t c = 0; c < decltype(target)::Cols; ++c) {
        T expected = before[r * static_cast<std::uint32_t>(decltype(target)::Cols) + c];
        if (c == 0 && r < source.GetValidRow()) {
          int total = 0;
          for (std::uint32_t k = 0; k < source.GetValidCol(); ++k) {
            total += static_cast<int>(source.GetElement(r, k));
          }
          expected = static_cast<T>(total);
        }
        ASSERT_EQ(bits_of(target.GetElement(r, c)), bits_of(expected)) << r << ", " << c;
      }
    }
    const auto scratch_after = elements_of(scratch);
    EXPECT_EQ(std::memcmp(scratch_before.data(), scratch_after.data(), scratch_after.size() * sizeof(T)), 0);
  };
  check(Vec<T, 192, 16>(), Vec<T, 192, 1, BLayout::ColMajor>());
  check(Vec<T, 7, 48, BLayout::RowMajor, 7, 35>(), Vec<T, 32, 1, BLayout::ColMajor>());
  check(Vec<T, 7, 48, BLayout::RowMajor, 6, 33>(), Vec<T, 8, 16>());
  using Dynamic = Vec<T, 4, 32, BLayout::RowMajor, DYNAMIC, DYNAMIC>;
  check(Dynamic(4, 0), Vec<T, 16, 1, BLayout::ColMajor>());
  check(Dynamic(0, 32), Vec<T, 16, 1, BLayout::ColMajor>());
  check(Dynamic(3, 1), Vec<T, 16, 1, BLayout::ColMajor>());
}

TEST(RowSumWideTest, SixteenBitFloatsAreSummedInFloat) {
  Vec<half, 1, 48> ones;
  Vec<half, 1, 48> scratch;
  Vec<half, 16, 1, BLayout::ColMajor> total;
  pto::TASSIGN(ones, 0x0);
  pto::TASSIGN(scratch, 0x100);
  pto::TASSIGN(total, 0x200);
  pto::TEXPANDS(ones, half(1.0F));
  ones.SetValue(0, half(2048.0F));  // where half has no odd integers
  pto::TROWSUM(total, ones, scratch);
  EXPECT_EQ(static_cast<float>(total.GetValue(0)), static_cast<float>(half(2048.0F + 47.0F)));
  ones.SetValue(0, half(65504.0F));
  ones.SetValue(1, half(65504.0F));
  ones.SetValue(2, half(-65504.0F));
  pto::TROWSUM(total, ones, scratch);
  EXPECT_EQ(static_cast<float>(total.GetValue(0)), static_cast<float>(half(65504.0F + 45.0F)));
}

struct Counter {
  int waits = 0;
  void Wait() { ++waits; }
};

TEST(VectorEventsTest, EveryInstructionWaitsForItsEvents) {
  Vec<float, 1, 8> a;
  pto::TASSIGN(a, 0x0);
  Counter one;
  Counter two;
  pto::TADD(a, a, a, one);
  pto::TSUB(a, a, a, one);
  pto::TMUL(a, a, a, one);
  pto::TMAX(a, a, a, one);
  pto::TMIN(a, a, a, one);
  pto::TADDS(a, a, 1.0F, one);
  pto::TSUBS(a, a, 1.0F, one);
  pto::TMULS(a, a, 1.0F, one);
  pto::TMAXS(a, a, 1.0F, one);
  pto::TMINS(a, a, 1.0F, one);
  pto::TDIVS(a, a, 1.0F, one);
  pto::TEXPANDS(a, 1.0F, one);
  pto::TROWSUM(a, a, a, one);
  EXPECT_EQ(one.waits, 13);
  pto::TSYNC(one, two);
  EXPECT_EQ(one.waits, 14);
  EXPECT_EQ(two.waits, 1);
  pto::TSYNC();
}

TEST(VectorRecordTest, TheRecordSaysAllAndRunsOnACopy) {
  using Tile = Vec<float, 2, 16, BLayout::RowMajor, 2, 11>;
  Tile a;
  Tile b;
  Tile target;
  pto::TASSIGN(target, kPlaces[0]);
  pto::TASSIGN(a, kPlaces[1]);
  pto::TASSIGN(b, kPlaces[2]);
  const auto check = [&](machine::Opcode opcode, int tiles, float expected, auto&& instruction) {
    pto::TEXPANDS(a, 6.0F);
    pto::TEXPANDS(b, 4.0F);
    pto::TEXPANDS(target, -1.0F);
    Recorder recorder;
    {
      const Observe observe(recorder);
      instruction();
    }
    ASSERT_EQ(recorder.records.size(), 1U);
    const machine::Instruction copy = recorder.records[0];
    EXPECT_EQ(copy.opcode, opcode);
    EXPECT_EQ(copy.tile_count, tiles);
    EXPECT_EQ(copy.global_count, 0);
    EXPECT_EQ(copy.piece_count, 1);
    EXPECT_NE(copy.site, nullptr);
    EXPECT_EQ(copy.tile[0].address, reinterpret_cast<std::byte*>(target.data()));
    EXPECT_EQ(copy.tile[0].valid_cols, 11);
    EXPECT_EQ(target.GetValue(0), -1.0F) << "the observer did not run it";
    EXPECT_TRUE(copy.run());
    EXPECT_EQ(target.GetValue(0), expected) << machine::name_of(opcode);
    EXPECT_EQ(target.GetValue(26), opcode == machine::Opcode::kTrowsum ? -1.0F : expected);
  };
  using machine::Opcode;
  check(Opcode::kTadd, 3, 10, [&] { pto::TADD(target, a, b); });
  check(Opcode::kTsub, 3, 2, [&] { pto::TSUB(target, a, b); });
  check(Opcode::kTmul, 3, 24, [&] { pto::TMUL(target, a, b); });
  check(Opcode::kTmax, 3, 6, [&] { pto::TMAX(target, a, b); });
  check(Opcode::kTmin, 3, 4, [&] { pto::TMIN(target, a, b); });
  check(Opcode::kTadds, 2, 10, [&] { pto::TADDS(target, a, 4.0F); });
  check(Opcode::kTsubs, 2, 2, [&] { pto::TSUBS(target, a, 4.0F); });
  check(Opcode::kTmuls, 2, 24, [&] { pto::TMULS(target, a, 4.0F); });
  check(Opcode::kTmaxs, 2, 6, [&] { pto::TMAXS(target, a, 4.0F); });
  check(Opcode::kTmins, 2, 4, [&] { pto::TMINS(target, a, 4.0F); });
  check(Opcode::kTdivs, 2, 1.5F, [&] { pto::TDIVS(target, a, 4.0F); });
  check(Opcode::kTexpands, 1, 4, [&] { pto::TEXPANDS(target, 4.0F); });
  check(Opcode::kTrowsum, 3, 66, [&] { pto::TROWSUM(target, a, b); });
}

}  // namespace
}  // namespace tileput::test
