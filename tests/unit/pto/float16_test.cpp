// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Narrowing to 16-bit floating point in every mode.

#include "tileput/machine/float16.hpp"

#include <gtest/gtest.h>

#include "vector_support.hpp"

namespace tileput::test {
namespace {

template <class T>
std::uint16_t encode(float v, Rounding rounding, bool saturate) {
  return std::is_same_v<T, half> ? machine::half_bits_of(v, rounding, saturate)
                                 : machine::bfloat16_bits_of(v, rounding, saturate);
}

template <class T>
class Float16Test : public testing::Test {};
using Types16 = testing::Types<half, bfloat16_t>;
TYPED_TEST_SUITE(Float16Test, Types16);

TYPED_TEST(Float16Test, EveryModeRoundsToTheRightNeighbour) {
  for (const float v : around_every_value<TypeParam>()) {
    for (const Rounding rounding : kRoundings) {
      for (const bool saturate : {false, true}) {
        const auto bits = encode<TypeParam>(v, rounding, saturate);
        const double expected = model_narrow(v, format_of<TypeParam>(), rounding, saturate);
        ASSERT_TRUE(is_value(std::bit_cast<TypeParam>(bits), expected))
            << std::hexfloat << v << " mode " << static_cast<int>(rounding) << " saturate " << saturate << " gives "
            << std::hex << bits;
      }
    }
  }
}

TYPED_TEST(Float16Test, WhatIsExactIsKeptInEveryMode) {
  for (std::uint32_t i = 0; i < 0x10000; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float v = std::bit_cast<TypeParam>(bits);
    for (const Rounding rounding : kRoundings) {
      ASSERT_EQ(encode<TypeParam>(v, rounding, false), bits) << std::hex << i;
      if (!std::isinf(v)) {
        ASSERT_EQ(encode<TypeParam>(v, rounding, true), bits) << std::hex << i;
      }
    }
  }
}

TEST(Float16Test, IsAConstantExpression) {
  static_assert(machine::half_bits_of(65520.0F) == 0x7C00);
  static_assert(machine::half_bits_of(65520.0F, Rounding::kTrunc) == 0x7BFF);
  static_assert(machine::half_bits_of(65520.0F, Rounding::kRint, true) == 0x7BFF);
  static_assert(machine::half_bits_of(1.00048828125F, Rounding::kRound) == 0x3C01);
  static_assert(machine::half_bits_of(1.00048828125F, Rounding::kRint) == 0x3C00);
  static_assert(machine::bfloat16_bits_of(1.00390625F, Rounding::kRound) == 0x3F81);
  static_assert(machine::bfloat16_bits_of(-1.00390625F, Rounding::kFloor) == 0xBF81);
}

}  // namespace
}  // namespace tileput::test
