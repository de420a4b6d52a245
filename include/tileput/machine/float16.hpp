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

namespace float16_detail {

/// magnitude >> shift, rounded; 0 < shift < 32, and no carry out of 32 bits.
constexpr std::uint32_t shift_rounded(std::uint32_t magnitude, std::uint32_t shift, bool negative,
                                      Rounding rounding) noexcept {
  const std::uint32_t below_unit = (1U << shift) - 1U;
  const std::uint32_t kept = magnitude >> shift;
  switch (rounding) {
    case Rounding::kNone:
    case Rounding::kRint: return (magnitude + (below_unit >> 1U) + (kept & 1U)) >> shift;
    case Rounding::kRound: return (magnitude + (1U << (shift - 1U))) >> shift;
    case Rounding::kFloor: return negative ? (magnitude + below_unit) >> shift : kept;
    case Rounding::kCeil: return negative ? kept : (magnitude + below_unit) >> shift;
    case Rounding::kTrunc: return kept;
    case Rounding::kOdd: return kept | ((magnitude & below_unit) != 0 ? 1U : 0U);
  }
  return kept;
}

/// Whether a finite magnitude beyond the largest finite one becomes infinity.
constexpr bool overflows_to_infinity(bool negative, Rounding rounding) noexcept {
  switch (rounding) {
    case Rounding::kFloor: return negative;
    case Rounding::kCeil: return !negative;
    case Rounding::kTrunc:
    case Rounding::kOdd: return false;
    default: return true;
  }
}

}  // namespace float16_detail

/// The binary16 encoding of `value`, rounded. What is beyond the largest finite value becomes infinity when rounding to
/// nearest, when rounding up a positive or down a negative value; else, and where `saturate` also for infinities, the
/// largest finite value of its sign.
constexpr std::uint16_t half_bits_of(float value, Rounding rounding = Rounding::kRint, bool saturate = false) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16U & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {  // NaN
    const std::uint32_t payload = magnitude >> 13U & 0x3FFU;
    return static_cast<std::uint16_t>(sign | 0x7C00U | (payload != 0 ? payload : 0x200U));
  }
  const std::uint32_t limit = saturate ? 0x7BFFU : 0x7C00U;
  if (magnitude == 0x7F800000U) {
    return static_cast<std::uint16_t>(sign | limit);
  }
  std::uint32_t rounded = 0;
  if (magnitude >= 0x38800000U) {  // 2^-14 and above: normal; the exponent bias shrinks by 112
    rounded = float16_detail::shift_rounded(magnitude - 0x38000000U, 13, sign != 0, rounding);
  } else if (magnitude != 0) {
    // Subnormal: in units of 2^-24 the value is mantissa * 2^-shift. From 25 on it is less than half a unit.
    const std::uint32_t mantissa = (magnitude & 0x7FFFFFU) | 0x800000U;
    const std::uint32_t shift = 126U - (magnitude >> 23U);
    rounded = float16_detail::shift_rounded(mantissa, shift < 25U ? shift : 25U, sign != 0, rounding);
  }
  if (rounded > 0x7BFFU) {
    rounded = float16_detail::overflows_to_infinity(sign != 0, rounding) ? limit : 0x7BFFU;
  }
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

/// The bfloat16 encoding of `value`, rounded; overflow and `saturate` as for half_bits_of().
constexpr std::uint16_t bfloat16_bits_of(float value, Rounding rounding = Rounding::kRint,
                                         bool saturate = false) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16U & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {  // NaN
    const std::uint32_t quiet = (bits & 0x7F0000U) != 0 ? 0U : 0x40U;
    return static_cast<std::uint16_t>(bits >> 16U | quiet);
  }
  // The range is float's, so rounding carries into infinity exactly where it overflows.
  const std::uint32_t rounded = float16_detail::shift_rounded(magnitude, 16, sign != 0, rounding);
  return static_cast<std::uint16_t>(sign | (saturate && rounded > 0x7F7FU ? 0x7F7FU : rounded));
}

/// The value of a bfloat16 encoding.
constexpr float float_of_bfloat16(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

}  // namespace tileput::machine
