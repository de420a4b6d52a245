// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Conversion between all pairs of element types on every instruction set of this machine, and TCVT.

#include "pto/convert.hpp"

#include <gtest/gtest.h>

#include "pto/pto-inst.hpp"
#include "support.hpp"
#include "vector_support.hpp"

namespace tileput::test {
namespace {

using machine::Runs;

/// Elements to convert, and what they are.
struct Source {
  template <class From>
  explicit Source(const std::vector<From>& elements)
      : element(pto::tileput_detail::element_of<From>()), bytes(elements.size() * sizeof(From)) {
    std::memcpy(bytes.data(), elements.data(), elements.size() * sizeof(From));
    for (const From v : elements) {
      values.push_back(value_of(v));
    }
  }
  machine::Element element;
  mutable PageEnd bytes;
  std::vector<double> values;
};

/// Converts `source` with every instruction set and compares with the model, whose answers are computed once.
template <class To>
void check_conversion(const Source& source, Rounding rounding, bool saturate) {
  const std::size_t n = source.values.size();
  std::vector<double> expected(n);
  for (std::size_t i = 0; i < n; ++i) {
    expected[i] = model_convert<To>(source.values[i], rounding, saturate);
  }
  for_each_target([&](const std::string& target) {
    PageEnd result(n * sizeof(To));
    convert(pto::tileput_detail::element_of<To>(), source.element, rounding, saturate,
            Runs{.count = 1, .length = static_cast<std::int64_t>(n), .address = {result.data(), source.bytes.data()}});
    for (std::size_t i = 0; i < n; ++i) {
      To value;
      std::memcpy(static_cast<void*>(&value), result.data() + i * sizeof(To), sizeof(To));
      ASSERT_TRUE(is_value(value, expected[i]))
          << target << " from " << static_cast<int>(source.element) << " mode " << static_cast<int>(rounding)
          << " saturate " << saturate << " element " << i << " of " << n << ": " << std::hexfloat << source.values[i]
          << " gives " << value_of(value) << ", not " << expected[i];
    }
    ASSERT_TRUE(result.canary_intact()) << target;
  });
}

/// All targets but the source's own type, which is copied.
void check_to_all(const Source& source, Rounding rounding, bool saturate) {
  const auto to = [&]<class To>(To) {
    if (pto::tileput_detail::element_of<To>() != source.element) {
      check_conversion<To>(source, rounding, saturate);
    }
  };
  to(float{});
  to(half(0.0F));
  to(bfloat16_t(0.0F));
  to(std::int8_t{});
  to(std::uint8_t{});
  to(std::int16_t{});
  to(std::uint16_t{});
  to(std::int32_t{});
  to(std::uint32_t{});
}

template <class T>
class ConvertTest : public testing::Test {};
TYPED_TEST_SUITE(ConvertTest, Computed);

TYPED_TEST(ConvertTest, EveryPairInEveryMode) {
  for (const Rounding rounding : kRoundings) {
    for (const bool saturate : {false, true}) {
      for (const std::size_t n : {0U, 1U, 7U, 15U, 16U, 17U, 33U, 2000U}) {
        check_to_all(Source(awkward<TypeParam>(n, 90 + static_cast<std::uint32_t>(n))), rounding, saturate);
      }
    }
  }
}

TYPED_TEST(ConvertTest, TheSameTypeIsCopiedBitByBit) {
  const auto source = awkward<TypeParam>(300, 3);
  std::vector<TypeParam> result(source.size());
  constexpr machine::Element kElement = pto::tileput_detail::element_of<TypeParam>();
  convert(kElement, kElement, Rounding::kOdd, true,
          Runs{.count = 1,
               .length = static_cast<std::int64_t>(source.size()),
               .address = {reinterpret_cast<std::byte*>(result.data()),
                           reinterpret_cast<std::byte*>(const_cast<TypeParam*>(source.data()))}});
  EXPECT_EQ(std::memcmp(result.data(), source.data(), source.size() * sizeof(TypeParam)), 0);
}

template <class T>
class Convert16Test : public testing::Test {};
using Types16 = testing::Types<half, bfloat16_t>;
TYPED_TEST_SUITE(Convert16Test, Types16);

TYPED_TEST(Convert16Test, AllPatternsToEveryType) {
  std::vector<TypeParam> patterns;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    patterns.push_back(std::bit_cast<TypeParam>(static_cast<std::uint16_t>(bits)));
  }
  const Source all(patterns);
  for (const Rounding rounding : kRoundings) {
    for (const bool saturate : {false, true}) {
      check_to_all(all, rounding, saturate);
    }
  }
}

TYPED_TEST(Convert16Test, FloatsAroundEveryValueAndMidpoint) {
  const Source source(around_every_value<TypeParam>());
  for (const Rounding rounding : kRoundings) {
    for (const bool saturate : {false, true}) {
      check_conversion<TypeParam>(source, rounding, saturate);
    }
  }
}

/// Integers of more bits than the target's mantissa, around its midpoints.
TYPED_TEST(Convert16Test, IntegersAroundMidpoints) {
  std::vector<std::int32_t> integers;
  for (int shift = 0; shift < 31; ++shift) {
    for (std::int64_t lead = 0x80; lead < 0x200; ++lead) {
      for (const std::int64_t near : {-1, 0, 1}) {
        const std::int64_t v = (lead << shift >> 8) + near;
        if (v <= std::numeric_limits<std::int32_t>::max()) {
          integers.push_back(static_cast<std::int32_t>(v));
          integers.push_back(static_cast<std::int32_t>(-v));
        }
      }
    }
  }
  const Source source(integers);
  for (const Rounding rounding : kRoundings) {
    for (const bool saturate : {false, true}) {
      check_conversion<TypeParam>(source, rounding, saturate);
    }
  }
}

TEST(ConvertIntegersTest, ToFloatAroundEveryPowerOfTwo) {
  std::vector<std::uint32_t> source;
  for (int shift = 0; shift < 32; ++shift) {
    for (std::uint32_t near = 0; near < 2000; ++near) {
      source.push_back((std::uint32_t{1} << shift) + near);
      source.push_back((std::uint32_t{1} << shift) - near);
    }
  }
  std::vector<std::int32_t> as_signed(source.size());
  std::memcpy(as_signed.data(), source.data(), source.size() * sizeof(source[0]));
  for (const Rounding rounding : kRoundings) {
    check_conversion<float>(Source(source), rounding, false);
    check_conversion<float>(Source(as_signed), rounding, false);
  }
}

using pto::RoundMode;
using pto::SaturationMode;
using pto::TileType;
template <class T, int kRows, int kCols, pto::BLayout kLayout = pto::BLayout::RowMajor, int kValidRows = kRows,
          int kValidCols = kCols>
using Vec = pto::Tile<TileType::Vec, T, kRows, kCols, kLayout, kValidRows, kValidCols>;

class TcvtTest : public testing::Test {
 protected:
  TcvtTest() {
    pto::TASSIGN(wide_, 0x0);
    pto::TASSIGN(narrow_, 0x1000);
    pto::TASSIGN(scratch_, 0x2000);
    for (std::uint32_t i = 0; i < 32; ++i) {
      wide_.SetValue(i, 250.5F + static_cast<float>(i));
      narrow_.SetValue(i, 99);
    }
  }
  Vec<float, 1, 32> wide_;
  Vec<std::int8_t, 1, 32> narrow_;
  Vec<float, 1, 32> scratch_;
};

TEST_F(TcvtTest, WithoutSaturationModeItWraps) {
  pto::TCVT(narrow_, wide_, RoundMode::CAST_FLOOR);
  EXPECT_EQ(narrow_.GetValue(0), static_cast<std::int8_t>(250));
  EXPECT_EQ(narrow_.GetValue(31), static_cast<std::int8_t>(281));
  pto::TCVT<false>(narrow_, wide_, scratch_, RoundMode::CAST_CEIL);
  EXPECT_EQ(narrow_.GetValue(0), static_cast<std::int8_t>(251));
  pto::TCVT<true>(narrow_, wide_, RoundMode::CAST_ROUND, SaturationMode::OFF);
  EXPECT_EQ(narrow_.GetValue(31), static_cast<std::int8_t>(282));
}

TEST_F(TcvtTest, WithSaturationItClamps) {
  pto::TCVT(narrow_, wide_, RoundMode::CAST_FLOOR, SaturationMode::ON);
  EXPECT_EQ(narrow_.GetValue(0), 127);
  narrow_.SetValue(0, 0);
  pto::TCVT(narrow_, wide_, scratch_, RoundMode::CAST_FLOOR, SaturationMode::ON);
  EXPECT_EQ(narrow_.GetValue(0), 127);
}

TEST_F(TcvtTest, EveryFormWaitsForItsEvents) {
  struct Counter {
    int waits = 0;
    void Wait() { ++waits; }
  } event;
  pto::TCVT(narrow_, wide_, RoundMode::CAST_FLOOR, event, event);
  pto::TCVT(narrow_, wide_, RoundMode::CAST_FLOOR, SaturationMode::ON, event);
  pto::TCVT(narrow_, wide_, scratch_, RoundMode::CAST_FLOOR, event);
  pto::TCVT(narrow_, wide_, scratch_, RoundMode::CAST_FLOOR, SaturationMode::ON, event);
  EXPECT_EQ(event.waits, 5);
}

TEST_F(TcvtTest, TheRecordCarriesModesAndRunsOnACopy) {
  Recorder recorder;
  {
    const Observe observe(recorder);
    pto::TCVT(narrow_, wide_, RoundMode::CAST_TRUNC, SaturationMode::ON);
    pto::TCVT(narrow_, wide_, scratch_, RoundMode::CAST_ODD);
  }
  EXPECT_EQ(narrow_.GetValue(0), 99) << "the observer did not run it";
  ASSERT_EQ(recorder.records.size(), 2U);
  const machine::Instruction first = recorder.records[0];
  EXPECT_EQ(first.opcode, machine::Opcode::kTcvt);
  EXPECT_EQ(first.tile_count, 2);
  EXPECT_EQ(first.immediate[0], 5);
  EXPECT_EQ(first.immediate[1], 0);
  EXPECT_EQ(recorder.records[1].tile_count, 3);
  EXPECT_EQ(recorder.records[1].immediate[1], 1);
  EXPECT_TRUE(first.run());
  EXPECT_EQ(narrow_.GetValue(0), 127);
  EXPECT_TRUE(recorder.records[1].run());
  EXPECT_EQ(narrow_.GetValue(0), static_cast<std::int8_t>(251));
}

TEST_F(TcvtTest, MixedStorageOrdersGoByLogicalElement) {
  Vec<float, 24, 16, pto::BLayout::RowMajor, 21, 15> by_rows;
  Vec<half, 32, 16, pto::BLayout::ColMajor, 21, 15> by_columns;
  pto::Tile<TileType::Vec, std::int16_t, 32, 16, pto::BLayout::ColMajor, 21, 15, pto::SLayout::RowMajor, 512> boxed;
  pto::TASSIGN(by_rows, 0x0);
  pto::TASSIGN(by_columns, 0x1000);
  pto::TASSIGN(boxed, 0x2000);
  std::memset(static_cast<void*>(by_columns.data()), 0x77, 32 * 16 * 2);
  std::memset(static_cast<void*>(boxed.data()), 0x77, 32 * 16 * 2);
  for (std::uint32_t r = 0; r < 21; ++r) {
    for (std::uint32_t c = 0; c < 15; ++c) {
      by_rows.SetElement(r, c, static_cast<float>(r) - 0.5F + static_cast<float>(64 * c));
    }
  }
  pto::TCVT(by_columns, by_rows, RoundMode::CAST_RINT);
  pto::TCVT(boxed, by_columns, RoundMode::CAST_FLOOR);
  for (std::uint32_t r = 0; r < 32; ++r) {
    for (std::uint32_t c = 0; c < 16; ++c) {
      const bool valid = r < 21 && c < 15;
      ASSERT_EQ(bits_of(by_columns.GetElement(r, c)),
                valid ? bits_of(half(static_cast<float>(r) - 0.5F + static_cast<float>(64 * c))) : 0x7777U);
      ASSERT_EQ(boxed.GetElement(r, c), valid ? static_cast<int>(r + 64 * c) - 1 : 0x7777);
    }
  }
}

TEST_F(TcvtTest, RefusesBadTilesBeforeItWrites) {
  Vec<float, 1, 32> unbound;
  EXPECT_EQ(error_of([&] { pto::TCVT(narrow_, unbound, RoundMode::CAST_RINT); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::TCVT(narrow_, wide_, unbound, RoundMode::CAST_RINT); }), ErrorCode::kUnboundTile);
  Vec<float, 1, 16> small;
  pto::TASSIGN(small, 0x0);
  EXPECT_EQ(error_of([&] { pto::TCVT(narrow_, small, RoundMode::CAST_RINT); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(narrow_.GetValue(0), 99);
}

}  // namespace
}  // namespace tileput::test
