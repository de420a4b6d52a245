// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The 16-bit floating-point element types, at global scope (spec section 3).
///
/// Both are two-byte trivially copyable values that convert implicitly from and to float; arithmetic happens in
/// float. Widening is exact, narrowing rounds to nearest, ties to even; what is too large becomes infinity; a NaN
/// stays a NaN and keeps the payload bits that fit, so that widening and narrowing again is the identity.

#include <cstdint>

#include "pto/common/type.hpp"
#include "tileput/machine/float16.hpp"

/// IEEE 754 binary16.
class half {
 public:
  half() = default;
  constexpr half(float value) noexcept : bits_(tileput::machine::half_bits_of(value)) {}  // NOLINT(runtime/explicit)
  constexpr operator float() const noexcept { return tileput::machine::float_of_half(bits_); }

  constexpr half& operator+=(float value) noexcept { return *this = half(*this + value); }
  constexpr half& operator-=(float value) noexcept { return *this = half(*this - value); }
  constexpr half& operator*=(float value) noexcept { return *this = half(*this * value); }
  constexpr half& operator/=(float value) noexcept { return *this = half(*this / value); }

 private:
  std::uint16_t bits_;
};

/// bfloat16: the upper half of a float (1 sign, 8 exponent, 7 mantissa bits).
class bfloat16_t {
 public:
  bfloat16_t() = default;
  // NOLINTNEXTLINE(runtime/explicit)
  constexpr bfloat16_t(float value) noexcept : bits_(tileput::machine::bfloat16_bits_of(value)) {}
  constexpr operator float() const noexcept { return tileput::machine::float_of_bfloat16(bits_); }

  constexpr bfloat16_t& operator+=(float value) noexcept { return *this = bfloat16_t(*this + value); }
  constexpr bfloat16_t& operator-=(float value) noexcept { return *this = bfloat16_t(*this - value); }
  constexpr bfloat16_t& operator*=(float value) noexcept { return *this = bfloat16_t(*this * value); }
  constexpr bfloat16_t& operator/=(float value) noexcept { return *this = bfloat16_t(*this / value); }

 private:
  std::uint16_t bits_;
};

static_assert(sizeof(half) == 2 && sizeof(bfloat16_t) == 2);

#include "pto/common/address_space.hpp"
