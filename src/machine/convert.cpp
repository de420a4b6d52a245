// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// convert(): every pair of element types in three steps over blocks of 32-bit lanes: load and widen; change between
/// floating point and integer, round and clamp; narrow and store. Narrowing of float to 16 bits, the inverse and plain
/// copies are one step.

#include "machine/vector_runs.hpp"
#include "machine/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "machine/convert.cpp"
#include <hwy/foreach_target.h>  // this file once for each target

#include "machine/vector_lanes-inl.hpp"

#ifndef TILEPUT_MACHINE_CONVERT_ONCE_
#define TILEPUT_MACHINE_CONVERT_ONCE_
namespace tileput::machine {
namespace {

/// Elements of a block: its 32-bit lanes stay in the first-level cache between the steps.
constexpr std::size_t kBlock = 512;

/// An integer type as the target of a conversion.
struct Range {
  float lowest;         ///< exact
  float above_highest;  ///< exact; highest + 1
  std::uint32_t lowest_bits;
  std::uint32_t highest_bits;
};

template <class T>
constexpr Range range_of() noexcept {
  constexpr auto kLowest = std::numeric_limits<T>::min();
  constexpr auto kHighest = std::numeric_limits<T>::max();
  return {static_cast<float>(kLowest), static_cast<float>(static_cast<double>(kHighest) + 1.0),
          static_cast<std::uint32_t>(kLowest), static_cast<std::uint32_t>(kHighest)};
}

constexpr Range range_of(Element element) noexcept {
  switch (element) {
    case Element::kS8: return range_of<std::int8_t>();
    case Element::kU8: return range_of<std::uint8_t>();
    case Element::kS16: return range_of<std::int16_t>();
    case Element::kU16: return range_of<std::uint16_t>();
    case Element::kS32: return range_of<std::int32_t>();
    default: return range_of<std::uint32_t>();
  }
}

constexpr bool is_floating(Element element) noexcept {
  return element == Element::kF32 || element == Element::kF16 || element == Element::kBf16;
}
constexpr bool is_signed(Element element) noexcept {
  return element == Element::kS8 || element == Element::kS16 || element == Element::kS32;
}

/// What the step in the middle depends on.
struct Change {
  bool saturate;
  bool from_signed;
  Range range;  ///< of an integer target
};

}  // namespace
}  // namespace tileput::machine
#endif

HWY_BEFORE_NAMESPACE();
namespace tileput::machine::HWY_NAMESPACE {

using Tag = hn::ScalableTag<std::uint32_t>;
using FloatTag = hn::ScalableTag<float>;
using SignedTag = hn::ScalableTag<std::int32_t>;
using Bits = hn::Vec<Tag>;

template <Rounding kRounding>
HWY_INLINE hn::Vec<FloatTag> integral(hn::Vec<FloatTag> v) {
  const FloatTag d;
  if constexpr (kRounding == Rounding::kRint) {
    return hn::Round(v);
  } else if constexpr (kRounding == Rounding::kFloor) {
    return hn::Floor(v);
  } else if constexpr (kRounding == Rounding::kCeil) {
    return hn::Ceil(v);
  } else {
    const auto whole = hn::Trunc(v);
    const auto away = hn::CopySign(hn::Set(d, 1.0F), v);
    if constexpr (kRounding == Rounding::kTrunc) {
      return whole;
    } else if constexpr (kRounding == Rounding::kRound) {
      // The difference is exact, and no number for infinities.
      return hn::IfThenElse(hn::Ge(hn::Abs(hn::Sub(v, whole)), hn::Set(d, 0.5F)), hn::Add(whole, away), whole);
    } else {
      const auto pairs = hn::Trunc(hn::Mul(whole, hn::Set(d, 0.5F)));
      const auto even = hn::Eq(hn::Add(pairs, pairs), whole);
      return hn::IfThenElse(hn::And(even, hn::Ne(whole, v)), hn::Add(whole, away), whole);
    }
  }
}

/// The low-order 32 bits of integral floats; 0 for NaN and infinities.
HWY_INLINE Bits low_bits(hn::Vec<FloatTag> whole) {
  const Tag du;
  const auto bits = hn::BitCast(du, whole);
  const auto fits = hn::Lt(hn::Abs(whole), hn::Set(FloatTag(), 0x1p31F));
  const auto small = hn::BitCast(du, hn::ConvertTo(SignedTag(), hn::IfThenElseZero(fits, whole)));
  if (HWY_LIKELY(hn::AllTrue(FloatTag(), fits))) {
    return small;
  }
  // From 2^31 on the integer is the mantissa shifted up; from 2^56 on its low-order bits are all 0.
  const auto mantissa = hn::Or(hn::And(bits, hn::Set(du, 0x7FFFFFU)), hn::Set(du, 0x800000U));
  const auto exponent = hn::And(hn::ShiftRight<23>(bits), hn::Set(du, 0xFFU));
  const auto shift = hn::And(hn::Sub(exponent, hn::Set(du, 150U)), hn::Set(du, 31U));
  const auto shifted = if_greater(du, exponent, hn::Set(du, 150U + 31U), hn::Zero(du), hn::Shl(mantissa, shift));
  const auto negative = sign_mask(du, bits);
  const auto large = hn::Sub(hn::Xor(shifted, negative), negative);
  return hn::IfThenElse(hn::RebindMask(du, fits), small, large);
}

template <Rounding kRounding>
void integers_of_floats(std::uint32_t* lanes, std::size_t n, const Change& how) {
  const Tag du;
  const FloatTag d;
  for (std::size_t j = 0; j < n; j += hn::MaxLanes(du)) {
    const auto whole = integral<kRounding>(hn::BitCast(d, hn::Load(du, lanes + j)));
    auto result = low_bits(whole);
    if (how.saturate) {
      const auto below = hn::RebindMask(du, hn::Lt(whole, hn::Set(d, how.range.lowest)));
      const auto above = hn::RebindMask(du, hn::Ge(whole, hn::Set(d, how.range.above_highest)));
      result = hn::IfThenElse(below, hn::Set(du, how.range.lowest_bits), result);
      result = hn::IfThenElse(above, hn::Set(du, how.range.highest_bits), result);
    }
    hn::Store(result, du, lanes + j);
  }
}

/// Rounds in integers: a float has the highest 24 bits of the magnitude.
template <Rounding kRounding>
void floats_of_integers(std::uint32_t* lanes, std::size_t n, const Change& how) {
  const Tag du;
  const FloatTag d;
  const SignedTag di;
  const auto sign_bit = hn::Set(du, how.from_signed ? 0x80000000U : 0U);
  const auto one = hn::Set(du, 1U);
  for (std::size_t j = 0; j < n; j += hn::MaxLanes(du)) {
    const auto bits = hn::Load(du, lanes + j);
    const auto sign = hn::And(bits, sign_bit);
    const auto negative = sign_mask(du, sign);
    const auto magnitude = hn::Sub(hn::Xor(bits, negative), negative);
    // The exponent of the bits above the low 8, which are exact in float, tells how many are too many.
    const auto high = hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<8>(magnitude)));
    const auto exponent = hn::BitCast(di, hn::ShiftRight<23>(hn::BitCast(du, high)));
    const auto shift = hn::BitCast(du, hn::Max(hn::Sub(exponent, hn::Set(di, 127 + 15)), hn::Zero(di)));
    const auto unit_less_1 = hn::Sub(hn::Shl(one, shift), one);
    auto kept = hn::Shr(magnitude, shift);
    const auto rest = hn::And(magnitude, unit_less_1);
    if constexpr (kRounding == Rounding::kOdd) {
      kept = hn::Or(kept, hn::Shr(hn::Add(rest, unit_less_1), shift));
    } else {
      const auto low = hn::And(kept, one);
      const auto up = hn::Shr(hn::Add(rest, round_up_by<kRounding>(unit_less_1, low, negative)), shift);
      kept = hn::Add(kept, if_greater(du, rest, hn::Zero(du), up, hn::Zero(du)));
    }
    const auto scaled = hn::Add(hn::BitCast(du, hn::ConvertTo(d, hn::BitCast(di, kept))), hn::ShiftLeft<23>(shift));
    hn::Store(hn::Or(scaled, sign), du, lanes + j);
  }
}

/// Integers that float has exactly.
void floats_of_small_integers(std::uint32_t* lanes, std::size_t n, const Change& /*how*/) {
  const Tag du;
  for (std::size_t j = 0; j < n; j += hn::MaxLanes(du)) {
    const auto v = hn::ConvertTo(FloatTag(), hn::BitCast(SignedTag(), hn::Load(du, lanes + j)));
    hn::Store(hn::BitCast(du, v), du, lanes + j);
  }
}

/// Clamps the integers in the lanes to the range of the target.
void clamp_integers(std::uint32_t* lanes, std::size_t n, const Change& how) {
  const Tag du;
  const SignedTag di;
  // A signed source has lanes below 2^31, so that an unsigned 32-bit target has nothing to clamp at its upper end.
  const auto lowest = hn::BitCast(di, hn::Set(du, how.range.lowest_bits));
  const auto highest_bits = how.range.highest_bits;
  const auto highest = hn::BitCast(di, hn::Set(du, highest_bits < 0x80000000U ? highest_bits : 0x7FFFFFFFU));
  const auto highest_unsigned = hn::Set(du, highest_bits);
  for (std::size_t j = 0; j < n; j += hn::MaxLanes(du)) {
    const auto bits = hn::Load(du, lanes + j);
    const auto clamped = how.from_signed ? hn::BitCast(du, hn::Min(hn::Max(hn::BitCast(di, bits), lowest), highest))
                                         : hn::Min(bits, highest_unsigned);
    hn::Store(clamped, du, lanes + j);
  }
}

template <class E>
void widen_block(std::uint32_t* lanes, const std::byte* from, std::size_t n) {
  const Tag du;
  const hn::Rebind<typename E::Lane, Tag> d;
  constexpr std::size_t kLanes = hn::MaxLanes(du);
  std::size_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    hn::Store(hn::BitCast(du, load_as<E>(d, from + j * sizeof(typename E::Stored))), du, lanes + j);
  }
  if (j < n) {
    hn::Store(hn::BitCast(du, load_part_as<E>(d, from + j * sizeof(typename E::Stored), n - j)), du, lanes + j);
  }
}

/// Stores integers' low-order bits.
template <class T>
void narrow_block(std::byte* to, const std::uint32_t* lanes, std::size_t n, std::uint32_t /*limit*/) {
  using E = std::conditional_t<sizeof(T) == 4, Direct<std::uint32_t>, Widened<T, std::uint32_t>>;
  const Tag du;
  constexpr std::size_t kLanes = hn::MaxLanes(du);
  std::size_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    store_as<E>(du, hn::Load(du, lanes + j), to + j * sizeof(T));
  }
  if (j < n) {
    store_part_as<E>(du, hn::Load(du, lanes + j), to + j * sizeof(T), n - j);
  }
}

/// Stores floats as 16-bit ones.
template <class E, Rounding kRounding>
void encode_block(std::byte* to, const std::uint32_t* lanes, std::size_t n, std::uint32_t limit) {
  const Tag du;
  const hn::Rebind<std::uint16_t, Tag> d16;
  constexpr std::size_t kLanes = hn::MaxLanes(du);
  const auto most = hn::Set(du, limit);
  std::size_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    store(d16, E::template encode<kRounding>(du, hn::Load(du, lanes + j), most), to + j * 2);
  }
  if (j < n) {
    store_part(d16, E::template encode<kRounding>(du, hn::Load(du, lanes + j), most), to + j * 2, n - j);
  }
}

/// Floats in memory to 16-bit ones in one step.
template <class E, Rounding kRounding>
void encode_run(std::byte* to, const std::byte* from, std::size_t n, std::uint32_t limit) {
  const Tag du;
  const hn::Rebind<std::uint16_t, Tag> d16;
  constexpr std::size_t kLanes = hn::MaxLanes(du);
  const auto most = hn::Set(du, limit);
  for (; n >= kLanes; n -= kLanes) {
    store(d16, E::template encode<kRounding>(du, load(du, from), most), to);
    to += kLanes * 2;
    from += kLanes * 4;
  }
  if (n != 0) {
    store_part(d16, E::template encode<kRounding>(du, load_part(du, from, n), most), to, n);
  }
}

/// 16-bit floats to floats in one step.
template <class E>
void decode_run(std::byte* to, const std::byte* from, std::size_t n) {
  const FloatTag d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  for (; n >= kLanes; n -= kLanes) {
    store(d, load_as<E>(d, from), to);
    to += kLanes * 4;
    from += kLanes * 2;
  }
  if (n != 0) {
    store_part(d, load_part_as<E>(d, from, n), to, n);
  }
}

using WidenBlock = void (*)(std::uint32_t* lanes, const std::byte* from, std::size_t n);
using ChangeBlock = void (*)(std::uint32_t* lanes, std::size_t n, const Change& how);
using NarrowBlock = void (*)(std::byte* to, const std::uint32_t* lanes, std::size_t n, std::uint32_t limit);
using EncodeRun = void (*)(std::byte* to, const std::byte* from, std::size_t n, std::uint32_t limit);

WidenBlock widen_from(Element from) {
  switch (from) {
    case Element::kF16: return widen_block<Half>;
    case Element::kBf16: return widen_block<Bfloat16>;
    case Element::kS8: return widen_block<Widened<std::int8_t, std::int32_t>>;
    case Element::kU8: return widen_block<Widened<std::uint8_t, std::uint32_t>>;
    case Element::kS16: return widen_block<Widened<std::int16_t, std::int32_t>>;
    case Element::kU16: return widen_block<Widened<std::uint16_t, std::uint32_t>>;
    default: return widen_block<Direct<std::uint32_t>>;
  }
}

/// F<kRint>, ... F<kOdd> by run-time mode.
template <template <Rounding> class F>
auto by_rounding(Rounding rounding) {
  switch (rounding) {
    case Rounding::kRound: return F<Rounding::kRound>::kFunction;
    case Rounding::kFloor: return F<Rounding::kFloor>::kFunction;
    case Rounding::kCeil: return F<Rounding::kCeil>::kFunction;
    case Rounding::kTrunc: return F<Rounding::kTrunc>::kFunction;
    case Rounding::kOdd: return F<Rounding::kOdd>::kFunction;
    default: return F<Rounding::kRint>::kFunction;
  }
}
template <Rounding kRounding>
struct IntegersOfFloats {
  static constexpr ChangeBlock kFunction = integers_of_floats<kRounding>;
};
template <Rounding kRounding>
struct FloatsOfIntegers {
  static constexpr ChangeBlock kFunction = floats_of_integers<kRounding>;
};
template <class E>
struct Encode {
  template <Rounding kRounding>
  struct Block {
    static constexpr NarrowBlock kFunction = encode_block<E, kRounding>;
  };
  template <Rounding kRounding>
  struct Run {
    static constexpr EncodeRun kFunction = encode_run<E, kRounding>;
  };
};

ChangeBlock change_for(Element to, Element from, Rounding rounding, bool saturate) {
  if (is_floating(from)) {
    return is_floating(to) ? nullptr : by_rounding<IntegersOfFloats>(rounding);
  }
  if (is_floating(to)) {
    if (bytes_of(from) < 4) {
      return floats_of_small_integers;
    }
    // Rounding a float again to 16 bits is right in every mode if the first one was to odd: that keeps what was inexact
    // apart from the values and the midpoints of the narrower type.
    return by_rounding<FloatsOfIntegers>(to == Element::kF32 ? rounding : Rounding::kOdd);
  }
  return saturate ? clamp_integers : nullptr;
}

NarrowBlock narrow_to(Element to, Rounding rounding) {
  switch (to) {
    case Element::kF16: return by_rounding<Encode<Half>::Block>(rounding);
    case Element::kBf16: return by_rounding<Encode<Bfloat16>::Block>(rounding);
    case Element::kS8:
    case Element::kU8: return narrow_block<std::uint8_t>;
    case Element::kS16:
    case Element::kU16: return narrow_block<std::uint16_t>;
    default: return narrow_block<std::uint32_t>;
  }
}

void convert_in_blocks(Element to, Element from, Rounding rounding, bool saturate, std::uint32_t limit,
                       const Runs& runs) {
  HWY_ALIGN std::uint32_t lanes[kBlock];
  const WidenBlock widen = widen_from(from);
  const ChangeBlock change = change_for(to, from, rounding, saturate);
  const NarrowBlock narrow = narrow_to(to, rounding);
  const Change how{saturate, is_signed(from), range_of(to)};
  const std::size_t to_bytes = bytes_of(to);
  const std::size_t from_bytes = bytes_of(from);
  for (std::int64_t i = 0; i < runs.count; ++i) {
    std::byte* target = run_of(runs, 0, i);
    const std::byte* source = run_of(runs, 1, i);
    auto left = static_cast<std::size_t>(runs.length);
    while (left != 0) {
      const std::size_t n = left < kBlock ? left : kBlock;
      widen(lanes, source, n);
      if (change != nullptr) {
        change(lanes, n, how);
      }
      narrow(target, lanes, n, limit);
      target += n * to_bytes;
      source += n * from_bytes;
      left -= n;
    }
  }
}

void convert_on(Element to, Element from, Rounding rounding, bool saturate, const Runs& runs) {
  const std::uint32_t infinity = to == Element::kF16 ? Half::kInfinity : Bfloat16::kInfinity;
  const std::uint32_t limit = saturate ? infinity - 1 : infinity;
  const bool narrows = from == Element::kF32 && (to == Element::kF16 || to == Element::kBf16);
  const bool widens = to == Element::kF32 && (from == Element::kF16 || from == Element::kBf16);
  if (!narrows && !widens) {
    convert_in_blocks(to, from, rounding, saturate, limit, runs);
    return;
  }
  const EncodeRun encode =
      to == Element::kF16 ? by_rounding<Encode<Half>::Run>(rounding) : by_rounding<Encode<Bfloat16>::Run>(rounding);
  const auto decode = from == Element::kF16 ? decode_run<Half> : decode_run<Bfloat16>;
  for (std::int64_t i = 0; i < runs.count; ++i) {
    if (narrows) {
      encode(run_of(runs, 0, i), run_of(runs, 1, i), static_cast<std::size_t>(runs.length), limit);
    } else {
      decode(run_of(runs, 0, i), run_of(runs, 1, i), static_cast<std::size_t>(runs.length));
    }
  }
}

}  // namespace tileput::machine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tileput::machine {

namespace {

HWY_EXPORT(convert_on);

}  // namespace

void convert(Element to, Element from, Rounding rounding, bool saturate, const Runs& runs) {
  require_computed(to);
  require_computed(from);
  collapse(runs, {bytes_of(to), bytes_of(from)}, [&](const Runs& r) {
    if (to != from) {
      HWY_DYNAMIC_DISPATCH(convert_on)(to, from, rounding, saturate, r);
      return;
    }
    for (std::int64_t i = 0; i < r.count; ++i) {
      std::memmove(run_of(r, 0, i), run_of(r, 1, i), static_cast<std::size_t>(r.length) * bytes_of(to));
    }
  });
}

}  // namespace tileput::machine

#endif
