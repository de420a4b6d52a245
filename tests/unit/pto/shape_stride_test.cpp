// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Shape and Stride construction, rule by rule (spec section 4.1), and the helpers of section 4.3.

#include <gtest/gtest.h>

#include <type_traits>

#include "pto/common/pto_tile.hpp"

namespace {

using pto::DYNAMIC;
using pto::Layout;

template <class Extent>
void expect_values(const std::int64_t (&actual)[5], const Extent& expected) {
  for (int d = 0; d < 5; ++d) {
    EXPECT_EQ(actual[d], expected[d]) << "dimension " << d;
  }
}
using Five = std::int64_t[5];

TEST(Shape, EveryParameterIsDynamicByDefault) {
  static_assert(std::is_same_v<pto::Shape<>, pto::Shape<DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC>>);
  static_assert(std::is_same_v<pto::Shape<1, 1>, pto::Shape<1, 1, DYNAMIC, DYNAMIC, DYNAMIC>>);
  static_assert(pto::Shape<1, 2, 3, DYNAMIC, 5>::staticShape[3] == -1);
  static_assert(pto::Shape<1, 2, 3, DYNAMIC, 5>::staticShape[4] == 5);
  constexpr std::size_t kCols = 8;
  constexpr int kRows = 4;
  static_assert(pto::Shape<1, 1, 1, kRows, kCols>::staticShape[4] == 8);
}

TEST(Shape, DefaultMakesDynamicDimensionsOne) {
  pto::Shape<> all;
  expect_values(all.shape, Five{1, 1, 1, 1, 1});
  pto::Shape<2, DYNAMIC, 3, DYNAMIC, 5> some{};
  EXPECT_EQ(some.shape[1], 1);
  EXPECT_EQ(some.shape[3], 1);
}

TEST(Shape, FiveArgumentsSetOnlyDynamicDimensions) {
  pto::Shape<> all(1, 2, 3, 4, 5);
  expect_values(all.shape, Five{1, 2, 3, 4, 5});
  using Some = pto::Shape<1, DYNAMIC, 1, DYNAMIC, 64>;
  const Some some(90, 7, 91, 8, 92);
  const pto::GlobalTensor<float, Some, pto::Stride<>> tensor(nullptr, some);
  EXPECT_EQ(tensor.GetShape(0), 1);
  EXPECT_EQ(tensor.GetShape(1), 7);
  EXPECT_EQ(tensor.GetShape(2), 1);
  EXPECT_EQ(tensor.GetShape(3), 8);
  EXPECT_EQ(tensor.GetShape(4), 64);
  const pto::Shape<1, 1, 1, 1, 64> fixed(9, 9, 9, 9, 9);
  const pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 64>, pto::Stride<>> all_static(nullptr, fixed);
  EXPECT_EQ(all_static.GetShape(4), 64);
}

TEST(Shape, FewerArgumentsFillDynamicDimensionsInOrder) {
  pto::Shape<1, 1, 1, 1, DYNAMIC> one(7);
  EXPECT_EQ(one.shape[4], 7);
  pto::Shape<1, DYNAMIC, 1, 1, 1> middle{8};
  EXPECT_EQ(middle.shape[1], 8);
  pto::Shape<DYNAMIC, 1, 1, DYNAMIC, 1> two(2, 3);
  EXPECT_EQ(two.shape[0], 2);
  EXPECT_EQ(two.shape[3], 3);
  pto::Shape<1, DYNAMIC, DYNAMIC, 1, DYNAMIC> three(4, 5, 6);
  EXPECT_EQ(three.shape[1], 4);
  EXPECT_EQ(three.shape[2], 5);
  EXPECT_EQ(three.shape[4], 6);
  pto::Shape<DYNAMIC, DYNAMIC, 1, DYNAMIC, DYNAMIC> four(1, 2, 3, 4);
  EXPECT_EQ(four.shape[0], 1);
  EXPECT_EQ(four.shape[1], 2);
  EXPECT_EQ(four.shape[3], 3);
  EXPECT_EQ(four.shape[4], 4);
}

TEST(Shape, IsAConstantAndCopies) {
  constexpr pto::Shape<1, 1, 1, DYNAMIC, DYNAMIC> shape(3, 4);
  static_assert(shape.shape[3] == 3 && shape.shape[4] == 4);
  pto::Shape<1, 1, 1, DYNAMIC, DYNAMIC> copy = shape;
  copy = pto::Shape<1, 1, 1, DYNAMIC, DYNAMIC>(5, 6);
  EXPECT_EQ(copy.shape[3], 5);
  const std::int64_t big = std::int64_t{1} << 40;
  EXPECT_EQ((pto::Shape<1, 1, 1, 1, DYNAMIC>(big).shape[4]), big);
}

TEST(Stride, FollowsTheSameRules) {
  static_assert(std::is_same_v<pto::Stride<>, pto::Stride<DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC>>);
  static_assert(pto::Stride<5, 4, 3, 2, 1>::staticStride[0] == 5);
  pto::Stride<> all;
  expect_values(all.stride, Five{1, 1, 1, 1, 1});
  pto::Stride<> five(5, 4, 3, 2, 1);
  expect_values(five.stride, Five{5, 4, 3, 2, 1});
  const int n = 48;
  pto::Stride<1, 1, 1, DYNAMIC, 1> one{n};
  EXPECT_EQ(one.stride[3], 48);
  pto::Stride<1, DYNAMIC, 1, DYNAMIC, 1> two(6, 7);
  EXPECT_EQ(two.stride[1], 6);
  EXPECT_EQ(two.stride[3], 7);
  pto::Stride<DYNAMIC, DYNAMIC, 1, DYNAMIC, 1> three(6, 7, 8);
  EXPECT_EQ(three.stride[3], 8);
  pto::Stride<DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC, 1> four(6, 7, 8, 9);
  EXPECT_EQ(four.stride[3], 9);
}

TEST(TileShape2D, IsAShapeOfOneMatrix) {
  using Fixed = pto::TileShape2D<float, 16, 32>;
  static_assert(std::is_base_of_v<pto::Shape<1, 1, 1, 16, 32>, Fixed>);
  using Open = pto::TileShape2D<float, DYNAMIC, DYNAMIC>;
  static_assert(std::is_base_of_v<pto::Shape<1, 1, 1, DYNAMIC, DYNAMIC>, Open>);
  const pto::GlobalTensor<float, Open, pto::Stride<>> tensor(nullptr, Open(3, 4));
  EXPECT_EQ(tensor.GetShape(3), 3);
  EXPECT_EQ(tensor.GetShape(4), 4);
  EXPECT_EQ(Open().shape[3], 1);
}

TEST(BaseShape2D, IsADenseStride) {
  using RowMajor = pto::BaseShape2D<float, 16, 32>;
  static_assert(std::is_base_of_v<pto::Stride<512, 512, 512, 32, 1>, RowMajor>);
  using ColMajor = pto::BaseShape2D<float, 16, 32, Layout::DN>;
  static_assert(std::is_base_of_v<pto::Stride<512, 512, 512, 1, 16>, ColMajor>);

  using Open = pto::BaseShape2D<float, DYNAMIC, DYNAMIC>;
  const pto::GlobalTensor<float, pto::Shape<>, Open> open(nullptr, {}, Open(3, 4));
  const Five row_major = {12, 12, 12, 4, 1};
  for (int d = 0; d < 5; ++d) {
    EXPECT_EQ(open.GetStride(d), row_major[d]);
  }
  using OpenDn = pto::BaseShape2D<float, DYNAMIC, DYNAMIC, Layout::DN>;
  const pto::GlobalTensor<float, pto::Shape<>, OpenDn, Layout::DN> open_dn(nullptr, {}, OpenDn(3, 4));
  const Five col_major = {12, 12, 12, 1, 3};
  for (int d = 0; d < 5; ++d) {
    EXPECT_EQ(open_dn.GetStride(d), col_major[d]);
  }
  using HalfOpen = pto::BaseShape2D<float, DYNAMIC, 8>;
  const pto::GlobalTensor<float, pto::Shape<>, HalfOpen> half_open(nullptr, {}, HalfOpen(3, 99));
  EXPECT_EQ(half_open.GetStride(0), 24);
  EXPECT_EQ(half_open.GetStride(3), 8);
}

}  // namespace
