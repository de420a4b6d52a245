// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// TMATMUL and TMATMUL_ACC against a slow model, with every instruction-set level that this machine has.

#include "pto/matrix.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "machine/dense_product.hpp"
#include "pto/pto-inst.hpp"
#include "support.hpp"

namespace {

using pto::BLayout;
using pto::DYNAMIC;
using pto::SLayout;
using pto::Tile;
using pto::TileAcc;
using pto::TileLeft;
using pto::TileRight;
using pto::TileType;
using tileput::ErrorCode;
using tileput::machine::MatrixLevel;
using tileput::machine::Opcode;
using tileput::test::error_of;

template <class T>
using SumOf = std::conditional_t<sizeof(T) == 1, std::int32_t, float>;

std::vector<MatrixLevel> levels() {
  std::vector<MatrixLevel> found;
  for (const MatrixLevel level : {MatrixLevel::kBaseline, MatrixLevel::kAvx2, MatrixLevel::kAvx512}) {
    if (tileput::machine::has_level(level)) {
      found.push_back(level);
    }
  }
  return found;
}

/// TMATMUL (TMATMUL_ACC) with the products of one level.
template <class Acc, class Left, class Right>
void multiply_with(MatrixLevel level, Acc& acc, Left& left, Right& right, bool accumulate) {
  using pto::tileput_detail::region_of;
  tileput::machine::multiply_with(level, region_of(acc), region_of(left), region_of(right), accumulate);
}

/// Sets every element of the storage, valid or not, to value(r, c).
template <class TileData, class Value>
void fill(TileData& tile, Value&& value) {
  for (int r = 0; r < TileData::Rows; ++r) {
    for (int c = 0; c < TileData::Cols; ++c) {
      tile.SetElement(r, c, static_cast<typename TileData::DType>(value(r, c)));
    }
  }
}

/// What acc(r, c) is after a product, in a type that holds it exactly for the small integers of these tests.
template <class Left, class Right>
double sum_of(Left& left, Right& right, int r, int c) {
  double sum = 0;
  for (unsigned k = 0; k < left.GetValidCol(); ++k) {
    sum += static_cast<double>(left.GetElement(r, k)) * static_cast<double>(right.GetElement(k, c));
  }
  return sum;
}

/// Multiplies small integers, then adds the same product, and compares all of the accumulator's storage.
template <class Acc, class Left, class Right>
void expect_products(Acc& acc, Left& left, Right& right, unsigned seed) {
  TASSIGN(acc, 0x400);
  TASSIGN(left, 0x400);
  TASSIGN(right, 0x400);
  std::mt19937 random(seed);
  constexpr bool kSigned = !std::is_same_v<typename Left::DType, std::uint8_t>;
  const auto small = [&](int, int) { return static_cast<int>(random() % 16) - (kSigned ? 8 : 0); };
  fill(left, small);
  fill(right, small);
  const int rows = static_cast<int>(left.GetValidRow());
  const int cols = static_cast<int>(right.GetValidCol());
  for (const MatrixLevel level : levels()) {
    fill(acc, [](int r, int c) { return 1000 + r - c; });
    for (const bool accumulate : {false, true}) {
      multiply_with(level, acc, left, right, accumulate);
      for (int r = 0; r < Acc::Rows; ++r) {
        for (int c = 0; c < Acc::Cols; ++c) {
          const double expected =
              r < rows && c < cols ? sum_of(left, right, r, c) * (accumulate ? 2 : 1) : 1000.0 + r - c;
          ASSERT_EQ(static_cast<double>(acc.GetElement(r, c)), expected)
              << r << ", " << c << " of " << rows << " x " << left.GetValidCol() << " x " << cols << " with level "
              << static_cast<int>(level) << (accumulate ? ", added" : "");
        }
      }
    }
  }
}

template <class T>
class Product : public testing::Test {};
using Elements = testing::Types<float, half, bfloat16_t, std::int8_t, std::uint8_t>;
TYPED_TEST_SUITE(Product, Elements);

TYPED_TEST(Product, OfEveryShape) {
  constexpr int kSizes[] = {0, 1, 15, 16, 17, 63, 64, 65};
  std::mt19937 random(11);
  const auto any = [&] { return static_cast<unsigned>(kSizes[random() % std::size(kSizes)]); };
  const auto product_of = [](unsigned m, unsigned k, unsigned n, unsigned seed) {
    TileLeft<TypeParam, 80, 96, DYNAMIC, DYNAMIC> left(m, k);
    TileRight<TypeParam, 96, 80, DYNAMIC, DYNAMIC> right(k, n);
    TileAcc<SumOf<TypeParam>, 80, 80, DYNAMIC, DYNAMIC> acc(m, n);
    expect_products(acc, left, right, seed);
  };
  for (const int size : kSizes) {
    const auto n = static_cast<unsigned>(size);
    product_of(n, n, n, n);
    product_of(n, 16, 65, n);
    product_of(17, n, 16, n);
    product_of(16, 63, n, n);
  }
  for (unsigned repeat = 0; repeat < 12; ++repeat) {
    product_of(any(), any(), any(), repeat);
  }
}

TYPED_TEST(Product, OfEveryLayout) {
  using T = TypeParam;
  using Sum = SumOf<T>;
  const auto with_acc = [](auto& left, auto& right) {
    TileAcc<Sum, 32, 48> boxed;
    Tile<TileType::Acc, Sum, 32, 48, BLayout::RowMajor> rows;
    Tile<TileType::Acc, Sum, 32, 48, BLayout::ColMajor> columns;
    Tile<TileType::Acc, Sum, 32, 48, BLayout::RowMajor, 32, 48, SLayout::ColMajor, 1024> transposed;
    expect_products(boxed, left, right, 1);
    expect_products(rows, left, right, 2);
    expect_products(columns, left, right, 3);
    expect_products(transposed, left, right, 4);
  };
  TileLeft<T, 32, 64, 29, 50> left;
  Tile<TileType::Left, T, 32, 64, BLayout::RowMajor, 29, 50> left_rows;
  Tile<TileType::Left, T, 32, 64, BLayout::ColMajor, 29, 50> left_columns;
  Tile<TileType::Left, T, 32, 64, BLayout::RowMajor, 29, 50, SLayout::RowMajor> left_boxes_by_rows;
  TileRight<T, 64, 48, 50, 37> right;
  Tile<TileType::Right, T, 64, 64, BLayout::RowMajor, 50, 37> right_rows;
  Tile<TileType::Right, T, 64, 48, BLayout::ColMajor, 50, 37> right_columns;
  Tile<TileType::Right, T, 64, 48, BLayout::ColMajor, 50, 37, SLayout::ColMajor> right_boxes_by_columns;
  with_acc(left, right);
  with_acc(left_rows, right_columns);
  with_acc(left_columns, right_rows);
  with_acc(left_boxes_by_rows, right_boxes_by_columns);
}

TEST(Matrix, DeepIntegerProductsAreExact) {
  const auto expect_deep = [](auto left_value, auto right_value) {
    using T = decltype(left_value);
    TileLeft<T, 16, 2048, 16, 2047> left;
    TileRight<T, 2048, 16, 2047, 16> right;
    TileAcc<std::int32_t, 16, 16> acc;
    TASSIGN(left, 0);
    TASSIGN(right, 0);
    TASSIGN(acc, 0);
    // The odd one out is lost first where sums are not exact.
    fill(left, [&](int, int c) { return c == 0 ? T{1} : left_value; });
    fill(right, [&](int r, int) { return r == 0 ? T{1} : right_value; });
    const std::int32_t expected = 2046 * (static_cast<std::int32_t>(left_value) * right_value) + 1;
    for (const MatrixLevel level : levels()) {
      multiply_with(level, acc, left, right, false);
      for (int i = 0; i < 16; ++i) {
        EXPECT_EQ(acc.GetElement(i, 15 - i), expected);
      }
    }
  };
  expect_deep(std::int8_t{-128}, std::int8_t{-128});
  expect_deep(std::int8_t{-128}, std::int8_t{127});
  expect_deep(std::uint8_t{255}, std::uint8_t{255});
}

TEST(Matrix, IntegersWrap) {
  TileLeft<std::int8_t, 16, 32> left;
  TileRight<std::int8_t, 32, 16> right;
  TileAcc<std::int32_t, 16, 16> acc;
  TASSIGN(left, 0);
  TASSIGN(right, 0);
  TASSIGN(acc, 0);
  fill(left, [](int, int) { return 1; });
  fill(right, [](int, int) { return 1; });
  fill(acc, [](int, int) { return INT32_MAX - 31; });
  TMATMUL_ACC(acc, left, right);
  EXPECT_EQ(acc.GetElement(3, 4), INT32_MIN);
}

TEST(Matrix, FloatsAreRoundedLikeSums) {
  TileLeft<float, 64, 64, 61, 64> left;
  TileRight<float, 64, 64, 64, 59> right;
  TileAcc<float, 64, 64> acc;
  TASSIGN(left, 0);
  TASSIGN(right, 0);
  TASSIGN(acc, 0);
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  fill(left, [&](int, int) { return uniform(random); });
  fill(right, [&](int, int) { return uniform(random); });
  for (const MatrixLevel level : levels()) {
    multiply_with(level, acc, left, right, false);
    for (int r = 0; r < 61; ++r) {
      for (int c = 0; c < 59; ++c) {
        double magnitude = 0;
        for (int k = 0; k < 64; ++k) {
          magnitude += std::abs(static_cast<double>(left.GetElement(r, k)) * right.GetElement(k, c));
        }
        ASSERT_NEAR(acc.GetElement(r, c), sum_of(left, right, r, c),
                    magnitude * 64 * std::numeric_limits<float>::epsilon());
      }
    }
  }
}

TEST(Matrix, ExtremeHalvesAreExact) {
  const auto product_of = [](auto a, auto b) {
    using T = decltype(a);
    TileLeft<T, 16, 16, 1, 1> left;
    TileRight<T, 16, 16, 1, 1> right;
    TileAcc<float, 16, 16> acc;
    TASSIGN(left, 0);
    TASSIGN(right, 0);
    TASSIGN(acc, 0);
    left.SetElement(0, 0, a);
    right.SetElement(0, 0, b);
    TMATMUL(acc, left, right);
    return acc.GetElement(0, 0);
  };
  EXPECT_EQ(product_of(half(65504.0F), half(65504.0F)), 65504.0F * 65504.0F);
  EXPECT_EQ(product_of(half(0x1p-24F), half(0x1p-24F)), 0x1p-48F);
  EXPECT_EQ(product_of(bfloat16_t(0x1.FEp100F), bfloat16_t(0x1.02p-100F)), 0x1.FEp100F * 0x1.02p-100F);
}

TEST(Matrix, NanAndInfinityFlow) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  TileLeft<float, 32, 32, 20, 20> left;
  TileRight<float, 32, 32, 20, 20> right;
  TileAcc<float, 32, 32> acc;
  TASSIGN(left, 0);
  TASSIGN(right, 0);
  TASSIGN(acc, 0);
  // What is outside the valid regions is NaN and must not be seen.
  fill(left, [&](int r, int c) { return r < 20 && c < 20 ? 1.0F : nan; });
  fill(right, [&](int r, int c) { return r < 20 && c < 20 ? 2.0F : nan; });
  left.SetElement(1, 0, nan);
  left.SetElement(2, 19, infinity);
  left.SetElement(3, 5, infinity);
  left.SetElement(3, 6, -infinity);
  right.SetElement(19, 4, 0.0F);
  for (const MatrixLevel level : levels()) {
    fill(acc, [&](int, int) { return nan; });
    multiply_with(level, acc, left, right, false);
    for (int c = 0; c < 20; ++c) {
      EXPECT_EQ(acc.GetElement(0, c), c == 4 ? 38.0F : 40.0F);
      EXPECT_TRUE(std::isnan(acc.GetElement(1, c)));
      EXPECT_TRUE(c == 4 ? std::isnan(acc.GetElement(2, c)) : acc.GetElement(2, c) == infinity);
      EXPECT_TRUE(std::isnan(acc.GetElement(3, c)));
    }
  }
}

TEST(Matrix, TheAccumulatorPersistsInItsMemory) {
  TileLeft<float, 16, 16> left;
  TileRight<float, 16, 16> right;
  TileAcc<float, 16, 16> acc;
  TileAcc<float, 16, 16> neighbour;
  TASSIGN(left, 0);
  TASSIGN(right, 0);
  TASSIGN(acc, 0x1000);
  TASSIGN(neighbour, 0x1000 + decltype(acc)::GetSizeInBytes());
  fill(left, [](int r, int c) { return r == c ? 1 : 0; });
  fill(right, [](int r, int c) { return r * 16 + c; });
  fill(neighbour, [](int, int) { return -1; });
  TMATMUL(acc, left, right);
  TileAcc<float, 16, 16> alias;
  TASSIGN(alias, 0x1000);
  fill(right, [](int, int) { return 0.5F; });
  TMATMUL_ACC(alias, left, right);
  TASSIGN(left, 0x2000);  // another operand's memory is not the accumulator's
  fill(left, [](int, int) { return 7; });
  for (int r = 0; r < 16; ++r) {
    for (int c = 0; c < 16; ++c) {
      EXPECT_EQ(acc.GetElement(r, c), static_cast<float>(r * 16 + c) + 0.5F);
      EXPECT_EQ(neighbour.GetElement(r, c), -1.0F);
    }
  }
}

TEST(Matrix, BadProductsAreRefused) {
  TileAcc<float, 16, 16> acc;
  const auto refused = [&](auto left, auto right) {
    TASSIGN(left, 0);
    TASSIGN(right, 0);
    fill(acc, [](int, int) { return 5; });
    EXPECT_EQ(error_of([&] { TMATMUL(acc, left, right); }), ErrorCode::kShapeMismatch);
    EXPECT_EQ(error_of([&] { TMATMUL_ACC(acc, left, right); }), ErrorCode::kShapeMismatch);
    for (int i = 0; i < 16; ++i) {
      EXPECT_EQ(acc.GetElement(i, i), 5.0F);
    }
  };
  using Left = TileLeft<float, 32, 32, DYNAMIC, DYNAMIC>;
  using Right = TileRight<float, 32, 32, DYNAMIC, DYNAMIC>;
  EXPECT_EQ(error_of([&] {
              Left left;
              Right right;
              TASSIGN(left, 0);
              TASSIGN(right, 0);
              TMATMUL(acc, left, right);
            }),
            ErrorCode::kUnboundTile);
  TASSIGN(acc, 0);
  refused(Left(16, 16), Right(15, 16));
  refused(Left(16, 0), Right(1, 16));
  refused(Left(17, 16), Right(16, 16));
  refused(Left(16, 16), Right(16, 17));
  refused(Left(16, 33), Right(33, 16));
  refused(Left(0U - 1U, 16), Right(16, 16));
  refused(Left(16, 0U - 1U), Right(0U - 1U, 16));
  refused(TileLeft<float, 16, 32, DYNAMIC, DYNAMIC>(17, 16), Right(16, 0));
  Left left(16, 16);
  Right right(16, 16);
  EXPECT_EQ(error_of([&] { TMATMUL(acc, left, right); }), ErrorCode::kUnboundTile);
  TASSIGN(left, 0);
  EXPECT_EQ(error_of([&] { TMATMUL_ACC(acc, left, right); }), ErrorCode::kUnboundTile);
}

TEST(Matrix, RecordsRunLater) {
  TileLeft<half, 16, 16> left;
  TileRight<half, 16, 16, 16, 8> right;
  TileAcc<float, 16, 16> acc;
  TASSIGN(left, 0x200);
  TASSIGN(right, 0x400);
  TASSIGN(acc, 0x800);
  fill(left, [](int r, int c) { return r == c ? 3 : 0; });
  fill(right, [](int r, int c) { return r + c; });
  fill(acc, [](int, int) { return 1; });
  tileput::test::Recorder recorder;
  {
    const tileput::test::Observe observe(recorder);
    TMATMUL(acc, left, right);
    TMATMUL_ACC(acc, left, right);
  }
  ASSERT_EQ(recorder.records.size(), 2U);
  EXPECT_EQ(recorder.records[0].opcode, Opcode::kTmatmul);
  EXPECT_EQ(recorder.records[1].opcode, Opcode::kTmatmulAcc);
  for (const auto& record : recorder.records) {
    EXPECT_EQ(record.tile_count, 3);
    EXPECT_EQ(record.global_count, 0);
    EXPECT_EQ(record.piece_count, 1);
    EXPECT_NE(record.site, nullptr);
    EXPECT_EQ(record.tile[0].address, reinterpret_cast<std::byte*>(acc.data()));
    EXPECT_EQ(record.tile[1].address, reinterpret_cast<std::byte*>(left.data()));
    EXPECT_EQ(record.tile[2].address, reinterpret_cast<std::byte*>(right.data()));
    EXPECT_EQ(record.tile[2].valid_cols, 8);
  }
  EXPECT_EQ(acc.GetElement(2, 3), 1.0F);
  EXPECT_TRUE(recorder.records[0].run());
  EXPECT_EQ(acc.GetElement(2, 3), 15.0F);
  EXPECT_TRUE(recorder.records[1].run());
  EXPECT_EQ(acc.GetElement(2, 3), 30.0F);
  EXPECT_EQ(acc.GetElement(2, 8), 1.0F);
}

struct CountingEvent {
  int waits = 0;
  void Wait() { ++waits; }
};

TEST(Matrix, WaitsForEveryEventFirst) {
  Tile<TileType::Mat, float, 16, 16> mat;
  TileLeft<float, 16, 16> left;
  TileRight<float, 16, 16> right;
  TileAcc<float, 16, 16> acc;
  TASSIGN(mat, 0);
  TASSIGN(left, 0);
  TASSIGN(right, 0);
  TASSIGN(acc, 0);
  CountingEvent event;
  TMOV(left, mat, event);
  TMATMUL(acc, left, right, event, event);
  TMATMUL_ACC(acc, left, right, event);
  EXPECT_EQ(event.waits, 4);
}

}  // namespace
