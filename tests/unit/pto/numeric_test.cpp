// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// half and bfloat16_t (spec section 3).

#include "pto/common/numeric.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

namespace {

template <class T>
T from_bits(std::uint16_t bits) {
  return std::bit_cast<T>(bits);
}
template <class T>
std::uint16_t bits_of(T value) {
  return std::bit_cast<std::uint16_t>(value);
}

struct HalfFormat {
  using Type = half;
  static constexpr int kMantissa = 10;
  static constexpr int kExponentMin = -14;
  static constexpr std::uint16_t kInfinity = 0x7C00;
};
struct BfloatFormat {
  using Type = bfloat16_t;
  static constexpr int kMantissa = 7;
  static constexpr int kExponentMin = -126;
  static constexpr std::uint16_t kInfinity = 0x7F80;
};

/// The value of an encoding, from the definition of the format; not for NaN.
template <class Format>
double value_of(std::uint16_t bits) {
  const double sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
  const int exponent = (bits & 0x7FFF) >> Format::kMantissa;
  const int mantissa = bits & ((1 << Format::kMantissa) - 1);
  if ((bits & 0x7FFFU) == Format::kInfinity) {
    return sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) {
    return sign * std::ldexp(mantissa, Format::kExponentMin - Format::kMantissa);
  }
  return sign *
         std::ldexp(mantissa + (1 << Format::kMantissa), Format::kExponentMin - Format::kMantissa + exponent - 1);
}

/// The slow reference: the neighbours of `value` in the sorted list of finite magnitudes, and the nearer one of them,
/// at a tie the one whose last bit is 0. One step beyond the largest finite value stands for infinity.
template <class Format>
std::uint16_t nearest(float value) {
  static const std::vector<double> magnitudes = [] {
    std::vector<double> all;
    for (std::uint32_t bits = 0; bits < Format::kInfinity; ++bits) {
      all.push_back(value_of<Format>(static_cast<std::uint16_t>(bits)));
    }
    all.push_back(2 * all.back() - all[all.size() - 2]);
    return all;
  }();
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(static_cast<double>(value));
  const auto above = std::lower_bound(magnitudes.begin(), magnitudes.end(), magnitude);
  if (above == magnitudes.end()) {
    return sign | Format::kInfinity;
  }
  const auto index = static_cast<std::uint16_t>(above - magnitudes.begin());
  if (*above == magnitude) {
    return sign | index;
  }
  const double up = *above - magnitude;
  const double down = magnitude - magnitudes[index - 1U];
  const bool take_up = up < down || (up == down && index % 2 == 0);
  return sign | static_cast<std::uint16_t>(take_up ? index : index - 1);
}

template <class Format>
class NumericTest : public testing::Test {};
using Formats = testing::Types<HalfFormat, BfloatFormat>;
TYPED_TEST_SUITE(NumericTest, Formats);

TYPED_TEST(NumericTest, IsAPlainTwoByteValue) {
  using T = typename TypeParam::Type;
  static_assert(sizeof(T) == 2 && alignof(T) == 2 && std::is_trivially_copyable_v<T>);
  static_assert(std::is_trivially_default_constructible_v<T>);
  static_assert(std::is_convertible_v<T, float> && std::is_convertible_v<float, T>);
  T a = 1.5;
  const T b = 2;
  const float sum = a + b;
  EXPECT_EQ(sum, 3.5F);
  a += b;
  EXPECT_EQ(static_cast<float>(a), 3.5F);
  a *= 2.0F;
  a -= 1.0F;
  a /= b;
  EXPECT_EQ(a, 3.0F);
  static_assert(static_cast<float>(T(0.5F)) == 0.5F);
}

TYPED_TEST(NumericTest, AllPatternsSurviveTheRoundTrip) {
  using T = typename TypeParam::Type;
  for (std::uint32_t i = 0; i < 0x10000; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float wide = from_bits<T>(bits);
    ASSERT_EQ(bits_of(T(wide)), bits) << std::hex << i;
    if ((bits & 0x7FFFU) > TypeParam::kInfinity) {
      ASSERT_TRUE(std::isnan(wide)) << std::hex << i;
    } else {
      ASSERT_EQ(static_cast<double>(wide), value_of<TypeParam>(bits)) << std::hex << i;
      ASSERT_EQ(std::signbit(wide), (bits & 0x8000U) != 0);
    }
  }
}

TYPED_TEST(NumericTest, NarrowingRoundsToNearestEven) {
  using T = typename TypeParam::Type;
  const auto check = [](float value) {
    ASSERT_EQ(bits_of(T(value)), nearest<TypeParam>(value)) << std::hexfloat << value;
  };
  // Around every representable value and every midpoint.
  for (std::uint32_t i = 0; i < TypeParam::kInfinity; ++i) {
    const float low = from_bits<T>(static_cast<std::uint16_t>(i));
    const double next = i + 1U < TypeParam::kInfinity
                            ? value_of<TypeParam>(static_cast<std::uint16_t>(i + 1))
                            : 2.0 * low - value_of<TypeParam>(static_cast<std::uint16_t>(i - 1));
    const auto middle = static_cast<float>((low + next) / 2);
    for (const float value : {low, middle}) {
      check(value);
      check(-value);
      check(std::nextafter(value, 0.0F));
      check(std::nextafter(value, std::numeric_limits<float>::infinity()));
    }
  }
  std::mt19937 random(20240501);
  for (int i = 0; i < 300000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isnan(value)) {
      check(value);
    }
  }
}

TYPED_TEST(NumericTest, SpecialValues) {
  using T = typename TypeParam::Type;
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(bits_of(T(infinity)), TypeParam::kInfinity);
  EXPECT_EQ(bits_of(T(-infinity)), TypeParam::kInfinity | 0x8000);
  EXPECT_EQ(bits_of(T(std::numeric_limits<float>::max())), TypeParam::kInfinity);
  EXPECT_EQ(bits_of(T(-0.0F)), 0x8000);
  EXPECT_EQ(bits_of(T(std::numeric_limits<float>::denorm_min())), 0);
  for (const std::uint32_t bits : {0x7FC00000U, 0xFFC00000U, 0x7F800001U, 0x7F801000U, 0x7FFFFFFFU, 0xFF800001U}) {
    const T narrow(std::bit_cast<float>(bits));
    EXPECT_TRUE(std::isnan(static_cast<float>(narrow))) << std::hex << bits;
    EXPECT_EQ(bits_of(narrow) >> 15U, bits >> 31U);
  }
}

TEST(Half, KnownEncodings) {
  EXPECT_EQ(bits_of(half(1.0F)), 0x3C00);
  EXPECT_EQ(bits_of(half(-2.0F)), 0xC000);
  EXPECT_EQ(bits_of(half(65504.0F)), 0x7BFF);
  EXPECT_EQ(bits_of(half(65519.996F)), 0x7BFF);
  EXPECT_EQ(bits_of(half(65520.0F)), 0x7C00);
  EXPECT_EQ(bits_of(half(0x1p-24F)), 0x0001);
  EXPECT_EQ(bits_of(half(0x1p-25F)), 0x0000);
  EXPECT_EQ(bits_of(half(0x1.000002p-25F)), 0x0001);
}

TEST(Bfloat16, KnownEncodings) {
  EXPECT_EQ(bits_of(bfloat16_t(1.0F)), 0x3F80);
  EXPECT_EQ(bits_of(bfloat16_t(1.00390625F)), 0x3F80) << "tie to even";
  EXPECT_EQ(bits_of(bfloat16_t(1.01171875F)), 0x3F82) << "tie to even";
  EXPECT_EQ(bits_of(bfloat16_t(1e38F)), 0x7E96);
}

}  // namespace
