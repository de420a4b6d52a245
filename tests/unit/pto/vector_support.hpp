// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the tests of the vector unit share: every instruction set of this machine, awkward values of every element
/// type, and slow models of arithmetic and rounding that work in double and 64-bit integers.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "machine/vector_targets.hpp"  // before Highway

#include <hwy/targets.h>

#include "pto/common/numeric.hpp"
#include "pto/common/region.hpp"
#include "tileput/machine/vector_unit.hpp"

namespace tileput::test {

using machine::Rounding;

/// Calls check(name) once with each instruction set that this machine has and the library is compiled for.
template <class Check>
void for_each_target(Check&& check) {
  std::int64_t targets = (hwy::SupportedTargets() | HWY_STATIC_TARGET) & HWY_TARGETS;
  ASSERT_NE(targets, 0);
  for (; targets != 0; targets &= targets - 1) {
    const std::int64_t target = targets & -targets;
    hwy::GetChosenTarget().Update(target);
    check(std::string(hwy::TargetName(target)));
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

using Computed = testing::Types<float, half, bfloat16_t, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t,
                                std::int32_t, std::uint32_t>;

template <class T>
inline constexpr bool kIsFloating =
    std::is_same_v<T, float> || std::is_same_v<T, half> || std::is_same_v<T, bfloat16_t>;

template <class T>
double value_of(T v) {
  if constexpr (kIsFloating<T>) {
    return static_cast<double>(static_cast<float>(v));
  } else {
    return static_cast<double>(v);
  }
}

template <class T>
std::uint64_t bits_of(const T& v) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &v, sizeof(T));
  return bits;
}

/// The same bits, or both NaN.
template <class T>
bool same(const T& a, const T& b) {
  return bits_of(a) == bits_of(b) || (std::isnan(value_of(a)) && std::isnan(value_of(b)));
}

/// `count` values: the awkward ones in turn, and random ones. The seed is part of the test.
template <class T>
std::vector<T> awkward(std::size_t count, std::uint32_t seed) {
  std::vector<T> values;
  if constexpr (kIsFloating<T>) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (const float v :
         {0.0F,           -0.0F,    1.0F,      -1.0F,         0.5F,           -0.5F,
          1.5F,           2.5F,     -2.5F,     127.5F,        -128.5F,        255.5F,
          65504.0F,       65520.0F, -65536.0F, 2147483648.0F, -2147483648.0F, 4294967296.0F,
          -4294967808.0F, 1e20F,    -3.3e38F,  kInfinity,     -kInfinity,     std::numeric_limits<float>::quiet_NaN(),
          5.9604645e-8F,  -6.1e-5F, 1e-40F,    -1e-45F,       0.49999997F,    8388607.5F,
          -8388609.0F}) {
      values.push_back(T(v));
    }
  } else {
    using Limits = std::numeric_limits<T>;
    for (const std::int64_t v : {std::int64_t{0},
                                 std::int64_t{1},
                                 std::int64_t{-1},
                                 std::int64_t{Limits::min()},
                                 std::int64_t{Limits::max()},
                                 std::int64_t{Limits::min()} + 1,
                                 std::int64_t{Limits::max()} - 1,
                                 std::int64_t{127},
                                 std::int64_t{128},
                                 std::int64_t{-129},
                                 std::int64_t{255},
                                 std::int64_t{256},
                                 std::int64_t{32768},
                                 std::int64_t{-32769},
                                 std::int64_t{65535},
                                 std::int64_t{65536},
                                 std::int64_t{16777217},
                                 std::int64_t{-16777219},
                                 std::int64_t{0x7FFFFFC0},
                                 std::int64_t{0xFFFFFF80},
                                 std::int64_t{65519},
                                 std::int64_t{65521}}) {
      values.push_back(static_cast<T>(v));
    }
  }
  std::mt19937 random(seed);
  std::shuffle(values.begin(), values.end(), random);
  while (values.size() < count) {
    const auto bits = static_cast<std::uint32_t>(random());
    T value;
    std::memcpy(static_cast<void*>(&value), &bits, sizeof(T));
    if (kIsFloating<T> && random() % 2 == 0) {
      value = T(static_cast<float>(static_cast<std::int32_t>(bits) >> (random() % 24U)) / 8.0F);
    }
    values.push_back(value);
  }
  values.resize(count);
  return values;
}

/// Memory whose last byte is the last one of a page before memory that may not be touched. `size` bytes of it are
/// used; those before them are a canary.
class PageEnd {
 public:
  explicit PageEnd(std::size_t size) : size_(size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    usable_ = (size + kCanary + page - 1) / page * page;
    mapped_ = usable_ + page;
    void* const memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(static_cast<char*>(memory) + usable_, page, PROT_NONE) != 0) {
      std::abort();
    }
    base_ = static_cast<std::byte*>(memory);
    std::memset(base_, 0xA5, usable_);
  }
  PageEnd(const PageEnd&) = delete;
  PageEnd& operator=(const PageEnd&) = delete;
  ~PageEnd() { munmap(base_, mapped_); }

  std::byte* data() { return base_ + usable_ - size_; }
  bool canary_intact() const {
    return std::all_of(base_ + usable_ - size_ - kCanary, base_ + usable_ - size_,
                       [](std::byte b) { return b == std::byte{0xA5}; });
  }

 private:
  static constexpr std::size_t kCanary = 128;
  std::size_t size_;
  std::size_t usable_ = 0;
  std::size_t mapped_ = 0;
  std::byte* base_ = nullptr;
};

/// a op b as VectorOp says it; the sign of a zero that max or min chose among zeros is not said.
template <class T>
T model_combine(machine::VectorOp op, T a, T b) {
  using machine::VectorOp;
  if constexpr (kIsFloating<T>) {
    const float x = a;
    const float y = b;
    if ((op == VectorOp::kMax || op == VectorOp::kMin) && (std::isnan(x) || std::isnan(y))) {
      return T(std::numeric_limits<float>::quiet_NaN());
    }
    switch (op) {
      case VectorOp::kAdd: return T(x + y);
      case VectorOp::kSub: return T(x - y);
      case VectorOp::kMul: return T(x * y);
      case VectorOp::kMax: return x > y ? a : b;
      case VectorOp::kMin: return x < y ? a : b;
      case VectorOp::kDiv: return T(x / y);
    }
  } else {
    const auto x = static_cast<std::int64_t>(a);
    const auto y = static_cast<std::int64_t>(b);
    switch (op) {
      case VectorOp::kAdd: return static_cast<T>(x + y);
      case VectorOp::kSub: return static_cast<T>(x - y);
      case VectorOp::kMul: return static_cast<T>(static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(y));
      case VectorOp::kMax: return static_cast<T>(std::max(x, y));
      case VectorOp::kMin: return static_cast<T>(std::min(x, y));
      case VectorOp::kDiv: return y == 0 ? T{0} : static_cast<T>(x / y);
    }
  }
  return a;
}

template <class T>
bool is_combined(machine::VectorOp op, T a, T b, T result) {
  const T expected = model_combine(op, a, b);
  if ((op == machine::VectorOp::kMax || op == machine::VectorOp::kMin) && value_of(expected) == 0) {
    return value_of(result) == 0;
  }
  return same(result, expected);
}

/// v rounded to an integer.
inline double model_integral(double v, Rounding rounding) {
  switch (rounding) {
    case Rounding::kRound: return std::round(v);
    case Rounding::kFloor: return std::floor(v);
    case Rounding::kCeil: return std::ceil(v);
    case Rounding::kTrunc: return std::trunc(v);
    case Rounding::kOdd: {
      const double low = std::floor(v);
      return low == v || std::fmod(low, 2) != 0 ? low : low + 1;
    }
    default: return std::nearbyint(v);  // the tests run in the default mode
  }
}

struct Format {
  int mantissa_bits;
  int exponent_min;
  double largest;
};
template <class T>
constexpr Format format_of() {
  if constexpr (std::is_same_v<T, half>) {
    return {10, -14, 65504.0};
  } else if constexpr (std::is_same_v<T, bfloat16_t>) {
    return {7, -126, 0x1.FEp127};
  } else {
    return {23, -126, FLT_MAX};
  }
}

/// The value that v becomes in a floating-point format: v in units of the format's last place is rounded as an integer.
inline double model_narrow(double v, const Format& format, Rounding rounding, bool saturate) {
  if (std::isnan(v) || v == 0) {
    return v;
  }
  const double infinity = std::numeric_limits<double>::infinity();
  double result = v;
  if (!std::isinf(v)) {
    const double unit = std::ldexp(1.0, std::max(std::ilogb(v), format.exponent_min) - format.mantissa_bits);
    result = std::copysign(model_integral(v / unit, rounding) * unit, v);
    if (std::fabs(result) > format.largest) {
      const bool outward = rounding == Rounding::kNone || rounding == Rounding::kRint || rounding == Rounding::kRound ||
                           (rounding == Rounding::kFloor && v < 0) || (rounding == Rounding::kCeil && v > 0);
      result = std::copysign(outward ? infinity : format.largest, v);
    }
  }
  if (saturate && std::fabs(result) > format.largest) {
    result = std::copysign(format.largest, v);
  }
  return result;
}

/// The value that v becomes in type To.
template <class To>
double model_convert(double v, Rounding rounding, bool saturate) {
  if constexpr (kIsFloating<To>) {
    constexpr bool kWidest = std::is_same_v<To, float>;  // nothing is out of its range, infinities are kept
    return model_narrow(v, format_of<To>(), rounding, saturate && !kWidest);
  } else {
    if (std::isnan(v)) {
      return 0;
    }
    using Limits = std::numeric_limits<To>;
    if (saturate) {
      return std::clamp(std::isinf(v) ? v : model_integral(v, rounding), static_cast<double>(Limits::min()),
                        static_cast<double>(Limits::max()));
    }
    if (std::isinf(v)) {
      return 0;
    }
    const double rest = std::fmod(model_integral(v, rounding), 0x1p32);  // exact
    return static_cast<double>(static_cast<To>(static_cast<std::int64_t>(rest)));
  }
}

/// Whether `result` is that value, with the sign of a zero.
template <class To>
bool is_value(To result, double expected) {
  const double value = value_of(result);
  if constexpr (!kIsFloating<To>) {
    return value == expected;
  }
  return (std::isnan(value) && std::isnan(expected)) ||
         (value == expected && std::signbit(value) == std::signbit(expected));
}

inline constexpr Rounding kRoundings[] = {Rounding::kNone, Rounding::kRint,  Rounding::kRound, Rounding::kFloor,
                                          Rounding::kCeil, Rounding::kTrunc, Rounding::kOdd};

/// For each two adjacent finite encodings of a 16-bit type: the lower value, the midpoint, and their float neighbours.
/// With both signs, infinities and NaN.
template <class T>
std::vector<float> around_every_value() {
  std::vector<float> values;
  const Format format = format_of<T>();
  double low = 0;
  const auto add = [&](double v) {
    const auto f = static_cast<float>(v);
    for (const float near : {f, std::nextafter(f, 0.0F), std::nextafter(f, std::numeric_limits<float>::infinity())}) {
      values.push_back(near);
      values.push_back(-near);
    }
  };
  for (int bits = 0; low <= format.largest; ++bits) {
    const double unit = std::ldexp(
        1.0, std::max(low > 0 ? std::ilogb(low) : format.exponent_min, format.exponent_min) - format.mantissa_bits);
    add(low);
    add(low + unit / 2);
    low += unit;
  }
  for (const float v : {std::numeric_limits<float>::infinity(), FLT_MAX, 65536.0F, 131008.0F,
                        std::numeric_limits<float>::quiet_NaN(), std::bit_cast<float>(0x7F800001U)}) {
    values.push_back(v);
    values.push_back(-v);
  }
  return values;
}

}  // namespace tileput::test
