// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Runs of elements through every instruction set of this machine.

#include "tileput/machine/vector_unit.hpp"

#include <gtest/gtest.h>

#include "support.hpp"
#include "vector_support.hpp"

namespace tileput::test {
namespace {

using machine::Runs;
using machine::VectorOp;

constexpr VectorOp kOps[] = {VectorOp::kAdd, VectorOp::kSub, VectorOp::kMul,
                             VectorOp::kMax, VectorOp::kMin, VectorOp::kDiv};

/// Around every number of lanes up to 64, and several vectors.
constexpr std::size_t kLengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200};

template <class T>
class VectorUnitTest : public testing::Test {
 protected:
  static constexpr machine::Element kElement = pto::tileput_detail::element_of<T>();

  static T get(const std::byte* from, std::size_t i) {
    T value;
    std::memcpy(static_cast<void*>(&value), from + i * sizeof(T), sizeof(T));
    return value;
  }
  static void put(std::byte* to, const std::vector<T>& values) {
    if (!values.empty()) {
      std::memcpy(to, values.data(), values.size() * sizeof(T));
    }
  }
};
TYPED_TEST_SUITE(VectorUnitTest, Computed);

TYPED_TEST(VectorUnitTest, CombinesRunsOfEveryLength) {
  using T = TypeParam;
  for_each_target([&](const std::string& target) {
    for (const std::size_t n : kLengths) {
      const auto a = awkward<T>(n, 1 + static_cast<std::uint32_t>(n));
      const auto b = awkward<T>(n, 1000 + static_cast<std::uint32_t>(n));
      PageEnd a_memory(n * sizeof(T));
      PageEnd b_memory(n * sizeof(T));
      this->put(a_memory.data(), a);
      this->put(b_memory.data(), b);
      for (const VectorOp op : kOps) {
        PageEnd result(n * sizeof(T));
        combine(op, this->kElement,
                Runs{.count = 1,
                     .length = static_cast<std::int64_t>(n),
                     .address = {result.data(), a_memory.data(), b_memory.data()}});
        for (std::size_t i = 0; i < n; ++i) {
          ASSERT_TRUE(is_combined(op, a[i], b[i], this->get(result.data(), i)))
              << target << " op " << static_cast<int>(op) << " length " << n << ": " << value_of(a[i]) << ", "
              << value_of(b[i]) << " give " << value_of(this->get(result.data(), i));
        }
        ASSERT_TRUE(result.canary_intact()) << target;
      }
    }
  });
}

TYPED_TEST(VectorUnitTest, CombinesWithEveryScalar) {
  using T = TypeParam;
  for_each_target([&](const std::string& target) {
    const std::size_t n = 77;
    const auto a = awkward<T>(n, 7);
    PageEnd a_memory(n * sizeof(T));
    this->put(a_memory.data(), a);
    for (const T scalar : awkward<T>(40, 8)) {
      for (const VectorOp op : kOps) {
        PageEnd result(n * sizeof(T));
        combine_scalar(op, this->kElement, Runs{.count = 1, .length = n, .address = {result.data(), a_memory.data()}},
                       bits_of(scalar));
        for (std::size_t i = 0; i < n; ++i) {
          ASSERT_TRUE(is_combined(op, a[i], scalar, this->get(result.data(), i)))
              << target << " op " << static_cast<int>(op) << ": " << value_of(a[i]) << ", " << value_of(scalar)
              << " give " << value_of(this->get(result.data(), i));
        }
        ASSERT_TRUE(result.canary_intact()) << target;
      }
    }
  });
}

/// Runs with gaps of a different size in each operand, at odd addresses, the target its own source.
TYPED_TEST(VectorUnitTest, LeavesGapsAloneAtAnyAddress) {
  using T = TypeParam;
  for_each_target([&](const std::string& target) {
    for (const std::size_t length : {1, 5, 31, 70}) {
      const std::size_t runs = 3;
      const std::size_t a_pitch = (length + 3) * sizeof(T) + 1;
      const std::size_t b_pitch = (length + 1) * sizeof(T);
      const auto a = awkward<T>(runs * length, 17);
      const auto b = awkward<T>(runs * length, 18);
      std::vector<std::byte> target_memory(1 + runs * a_pitch, std::byte{0x5A});
      std::vector<std::byte> b_memory(1 + runs * b_pitch);
      for (std::size_t r = 0; r < runs; ++r) {
        std::memcpy(target_memory.data() + 1 + r * a_pitch, a.data() + r * length, length * sizeof(T));
        std::memcpy(b_memory.data() + 1 + r * b_pitch, b.data() + r * length, length * sizeof(T));
      }
      std::byte* const in_place = target_memory.data() + 1;
      combine(VectorOp::kSub, this->kElement,
              Runs{.count = runs,
                   .length = static_cast<std::int64_t>(length),
                   .address = {in_place, in_place, b_memory.data() + 1},
                   .pitch_bytes = {static_cast<std::int64_t>(a_pitch), static_cast<std::int64_t>(a_pitch),
                                   static_cast<std::int64_t>(b_pitch)}});
      ASSERT_EQ(target_memory[0], std::byte{0x5A});
      for (std::size_t r = 0; r < runs; ++r) {
        for (std::size_t i = 0; i < length; ++i) {
          ASSERT_TRUE(
              is_combined(VectorOp::kSub, a[r * length + i], b[r * length + i], this->get(in_place + r * a_pitch, i)))
              << target;
        }
        for (std::size_t i = length * sizeof(T); i < a_pitch; ++i) {
          ASSERT_EQ(in_place[r * a_pitch + i], std::byte{0x5A}) << target;
        }
      }
    }
  });
}

TYPED_TEST(VectorUnitTest, FillsRunsOfEveryLength) {
  using T = TypeParam;
  for_each_target([&](const std::string& target) {
    for (const std::size_t n : kLengths) {
      const T value = awkward<T>(40, static_cast<std::uint32_t>(n))[39];
      PageEnd result(n * sizeof(T));
      fill(sizeof(T), Runs{.count = 1, .length = static_cast<std::int64_t>(n), .address = {result.data()}},
           bits_of(value));
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(bits_of(this->get(result.data(), i)), bits_of(value)) << target;
      }
      ASSERT_TRUE(result.canary_intact()) << target;
    }
  });
}

/// Small integers, so that every order gives the same sum and a lost or doubled element shows.
TYPED_TEST(VectorUnitTest, SumsRunsOfEveryLength) {
  using T = TypeParam;
  for_each_target([&](const std::string& target) {
    for (const std::size_t n : kLengths) {
      std::mt19937 random(static_cast<std::uint32_t>(n));
      std::vector<T> a(n);
      std::int64_t total = 0;
      for (T& v : a) {
        const auto value = static_cast<std::int64_t>(random() % (kIsFloating<T> ? 3U : 120U));
        v = static_cast<T>(value);
        total += value;
      }
      PageEnd memory(n * sizeof(T));
      this->put(memory.data(), a);
      PageEnd result(sizeof(T));
      sum(this->kElement,
          Runs{.count = 1, .length = static_cast<std::int64_t>(n), .address = {result.data(), memory.data()}});
      ASSERT_EQ(bits_of(this->get(result.data(), 0)), bits_of(static_cast<T>(total))) << target << " " << n;
      ASSERT_TRUE(result.canary_intact());
    }
  });
}

TEST(VectorUnitTest, SumsOfFloatsAreTheSameOnEveryInstructionSet) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  for (const std::size_t n : {3U, 16U, 40U, 1000U}) {
    std::vector<float> a(n);
    double exact = 0;
    for (float& v : a) {
      v = normal(random);
      exact += v;
    }
    std::vector<float> sums;
    for_each_target([&](const std::string& /*target*/) {
      float result = 0;
      sum(machine::Element::kF32,
          Runs{.count = 1,
               .length = static_cast<std::int64_t>(n),
               .address = {reinterpret_cast<std::byte*>(&result), reinterpret_cast<std::byte*>(a.data())}});
      sums.push_back(result);
    });
    ASSERT_FALSE(sums.empty());
    for (const float s : sums) {
      EXPECT_EQ(s, sums[0]);
      EXPECT_NEAR(s, exact, 1e-5 * static_cast<double>(n));
    }
  }
}

TEST(VectorUnitTest, RefusesElementsThatItDoesNotCompute) {
  const auto code = error_of([] { combine(VectorOp::kAdd, machine::Element::kF64, Runs{}); });
  EXPECT_EQ(code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace tileput::test
