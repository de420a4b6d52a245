// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Encodings of the 16-bit floating-point types. Widening is exact. Narrowing rounds as it is told; a NaN stays a NaN
/// and keeps the payload bits that fit, so that widening and narrowing again is the identity.

#include <bit>
#include <cstdint>

namespace tileput::machine {

/// How a value that the target type does not have is replaced; numbered as pto::RoundMode.
enum class Rounding : std::uint8_t {
  kNone = 0,   ///< as kRint
  kRint = 1,   ///< to nearest, ties to even
  kRound = 2,  ///< to nearest, ties away from zero
  kFloor = 3,
  kCeil = 4,
  kTrunc = 5,
  kOdd = 6,  ///< to the neighbour whose last bit is 1
};

/// The binary16 encoding nearest to `value`.
constexpr std::uint16_t half_bits_of(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16U & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {  // NaN
    const std::uint32_t payload = magnitude >> 13U & 0x3FFU;
    return static_cast<std::uint16_t>(sign | 0x7C00U | (payload != 0 ? payload : 0x200U));
  }
  if (magnitude >= 0x477FF000U) {  // 65520 and above: half way to 2^16, or beyond
    return static_cast<std::uint16_t>(sign | 0x7C00U);
  }
  if (magnitude >= 0x38800000U) {  // 2^-14 and above: normal; the exponent bias shrinks by 112
    const std::uint32_t rounded = magnitude + 0xFFFU + (magnitude >> 13U & 1U);
    return static_cast<std::uint16_t>(sign | (rounded - 0x38000000U) >> 13U);
  }
  const std::uint32_t exponent = magnitude >> 23U;
  if (exponent < 102) {  // below 2^-25, half of the smallest subnormal
    return static_cast<std::uint16_t>(sign);
  }
  // Subnormal: in units of 2^-24 the value is mantissa * 2^-shift.
  const std::uint32_t mantissa = (magnitude & 0x7FFFFFU) | 0x800000U;
  const std::uint32_t shift = 126U - exponent;
  const std::uint32_t even = mantissa >> shift & 1U;
  const std::uint32_t rounded = (mantissa + (1U << (shift - 1U)) - 1U + even) >> shift;
  return static_cast<std::uint16_t>(sign | rounded);
}

/// The value of a binary16 encoding.
constexpr float float_of_half(std::uint16_t bits) noexcept {
  const std::uint32_t sign = (bits & 0x8000U) << 16U;
  const std::uint32_t exponent = bits >> 10U & 0x1FU;
  const std::uint32_t mantissa = bits & 0x3FFU;
  if (exponent == 0x1FU) {
    return std::bit_cast<float>(sign | 0x7F800000U | mantissa << 13U);
  }
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;  // exact
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | (exponent + 112U) << 23U | mantissa << 13U);
}

/// The bfloat16 encoding nearest to `value`.
constexpr std::uint16_t bfloat16_bits_of(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {  // NaN
    const std::uint32_t quiet = (bits & 0x7F0000U) != 0 ? 0U : 0x40U;
    return static_cast<std::uint16_t>(bits >> 16U | quiet);
  }
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}

/// The value of a bfloat16 encoding.
constexpr float float_of_bfloat16(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

}  // namespace tileput::machine
