// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// How elements travel between memory and vector lanes. Compiled once for each target of Highway, from files that
/// include foreach_target.h; hence the toggled guard in place of `#pragma once`.
///
/// Memory is reached at any byte address and never outside the given elements: the last vector of a run is loaded and
/// stored in part. Where an instruction set has no masked accesses that part goes through a buffer, because a store
/// that blends would write neighbours back that somebody else may have changed.
#if defined(TILEPUT_MACHINE_VECTOR_LANES_INL_HPP_) == defined(HWY_TARGET_TOGGLE)
#ifdef TILEPUT_MACHINE_VECTOR_LANES_INL_HPP_
#undef TILEPUT_MACHINE_VECTOR_LANES_INL_HPP_
#else
#define TILEPUT_MACHINE_VECTOR_LANES_INL_HPP_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tileput/machine/float16.hpp"
#include "tileput/machine/vector_unit.hpp"

HWY_BEFORE_NAMESPACE();
namespace tileput::machine::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const std::byte* from) {
  using T = hn::TFromD<D>;
#if HWY_TARGET == HWY_SCALAR  // dereferences, which needs an aligned address
  T lane;
  std::memcpy(&lane, from, sizeof(T));
  return hn::Set(d, lane);
#else
  return hn::LoadU(d, reinterpret_cast<const T*>(from));
#endif
}

template <class D>
HWY_INLINE void store(D d, hn::Vec<D> v, std::byte* to) {
  using T = hn::TFromD<D>;
#if HWY_TARGET == HWY_SCALAR
  const T lane = hn::GetLane(v);
  std::memcpy(to, &lane, sizeof(T));
  static_cast<void>(d);
#else
  hn::StoreU(v, d, reinterpret_cast<T*>(to));
#endif
}

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
inline constexpr bool kMaskedAccess = true;
#else
inline constexpr bool kMaskedAccess = false;
#endif

/// The first `n` lanes from memory, 0 < n < Lanes(d); the others are 0.
template <class D>
HWY_INLINE hn::Vec<D> load_part(D d, const std::byte* from, std::size_t n) {
  using T = hn::TFromD<D>;
  if constexpr (kMaskedAccess) {
    return hn::MaskedLoad(hn::FirstN(d, n), d, reinterpret_cast<const T*>(from));
  } else {
    HWY_ALIGN T lanes[hn::MaxLanes(d)] = {};
    std::memcpy(lanes, from, n * sizeof(T));
    return hn::Load(d, lanes);
  }
}

template <class D>
HWY_INLINE void store_part(D d, hn::Vec<D> v, std::byte* to, std::size_t n) {
  using T = hn::TFromD<D>;
  if constexpr (kMaskedAccess) {
    hn::BlendedStore(v, hn::FirstN(d, n), d, reinterpret_cast<T*>(to));
  } else {
    HWY_ALIGN T lanes[hn::MaxLanes(d)];
    hn::Store(v, d, lanes);
    std::memcpy(to, lanes, n * sizeof(T));
  }
}

/// An element type as a policy: `Stored` in memory, computed as `Lane`. D is a tag of lanes, Rebind<Stored, D> the tag
/// of as many stored elements; Block is the tag of as many stored elements as one step of a loop combines.
template <class E, class D>
using StoredTag = hn::Rebind<typename E::Stored, D>;

template <class T>
struct Direct {
  using Stored = T;
  using Lane = T;
  using Block = hn::ScalableTag<T>;
  template <class D>
  static HWY_INLINE hn::Vec<D> widen(D /*d*/, hn::Vec<D> stored) {
    return stored;
  }
  template <class D>
  static HWY_INLINE hn::Vec<D> narrow(D /*d*/, hn::Vec<D> lanes) {
    return lanes;
  }
  template <class Op>
  static HWY_INLINE hn::Vec<Block> combine(hn::Vec<Block> a, hn::Vec<Block> b) {
    return Op::of(a, b);
  }
};

/// Integers in wider lanes. Narrowing keeps the low-order bits.
template <class T, class L>
struct Widened {
  using Stored = T;
  using Lane = L;
  using Block = StoredTag<Widened, hn::ScalableTag<L>>;
  template <class D>
  static HWY_INLINE hn::Vec<D> widen(D d, hn::Vec<StoredTag<Widened, D>> stored) {
    return hn::PromoteTo(d, stored);
  }
  template <class D>
  static HWY_INLINE hn::Vec<StoredTag<Widened, D>> narrow(D /*d*/, hn::Vec<D> lanes) {
    return hn::TruncateTo(StoredTag<Widened, D>(), lanes);
  }
  template <class Op>
  static HWY_INLINE hn::Vec<Block> combine(hn::Vec<Block> a, hn::Vec<Block> b) {
    const hn::ScalableTag<L> d;
    return narrow(d, Op::of(widen(d, a), widen(d, b)));
  }
};

/// What rounding a magnitude by dropping its low-order bits adds to it first: `unit` is the lowest bit that stays,
/// `low` its value in the magnitude (0 or 1), `negative` has all bits set where the value is negative.
/// kOdd is not of this form.
template <Rounding kRounding, class V>
HWY_INLINE V round_up_by(V unit_less_1, V low, V negative) {
  if constexpr (kRounding == Rounding::kRint) {
    return hn::Add(hn::ShiftRight<1>(unit_less_1), low);
  } else if constexpr (kRounding == Rounding::kRound) {
    return hn::Sub(unit_less_1, hn::ShiftRight<1>(unit_less_1));
  } else if constexpr (kRounding == Rounding::kFloor) {
    return hn::And(unit_less_1, negative);
  } else if constexpr (kRounding == Rounding::kCeil) {
    return hn::AndNot(negative, unit_less_1);
  } else {
    static_assert(kRounding == Rounding::kTrunc);
    return hn::Xor(unit_less_1, unit_less_1);
  }
}

/// All bits of the lanes whose sign bit is set.
template <class D>
HWY_INLINE hn::Vec<D> sign_mask(D du, hn::Vec<D> bits) {
  return hn::BitCast(du, hn::BroadcastSignBit(hn::BitCast(hn::RebindToSigned<D>(), bits)));
}

/// `yes` where a > b, both below 2^31.
template <class D>
HWY_INLINE hn::Vec<D> if_greater(D du, hn::Vec<D> a, hn::Vec<D> b, hn::Vec<D> yes, hn::Vec<D> no) {
  const hn::RebindToSigned<D> di;
  return hn::IfThenElse(hn::RebindMask(du, hn::Gt(hn::BitCast(di, a), hn::BitCast(di, b))), yes, no);
}

/// bfloat16 encodings of floats, in the low halves of the lanes. `limit` is the encoding that magnitudes beyond the
/// largest finite one get: infinity, or with saturation the largest finite one.
template <Rounding kRounding, class D>
HWY_INLINE hn::Vec<D> bfloat16_of_float(D du, hn::Vec<D> bits, hn::Vec<D> limit) {
  const auto sign = hn::And(bits, hn::Set(du, 0x80000000U));
  const auto magnitude = hn::AndNot(hn::Set(du, 0x80000000U), bits);
  const auto dropped = hn::Set(du, 0xFFFFU);
  auto rounded = hn::ShiftRight<16>(magnitude);
  if constexpr (kRounding == Rounding::kOdd) {
    rounded = hn::Or(rounded, hn::ShiftRight<16>(hn::Add(hn::And(magnitude, dropped), dropped)));
  } else {
    const auto low = hn::And(rounded, hn::Set(du, 1U));
    rounded = hn::ShiftRight<16>(hn::Add(magnitude, round_up_by<kRounding>(dropped, low, sign_mask(du, bits))));
  }
  rounded = if_greater(du, rounded, limit, limit, rounded);
  const auto nan = hn::Or(hn::ShiftRight<16>(magnitude), hn::Set(du, 0x40U));
  return hn::Or(if_greater(du, magnitude, hn::Set(du, 0x7F800000U), nan, rounded), hn::ShiftRight<16>(sign));
}

/// binary16 encodings of floats; `limit` as above.
template <Rounding kRounding, class D>
HWY_INLINE hn::Vec<D> half_of_float(D du, hn::Vec<D> bits, hn::Vec<D> limit) {
  const hn::RebindToSigned<D> di;
  const auto sign = hn::And(bits, hn::Set(du, 0x80000000U));
  const auto negative = sign_mask(du, bits);
  const auto magnitude = hn::AndNot(hn::Set(du, 0x80000000U), bits);
  const auto one = hn::Set(du, 1U);
  // A normal result drops 13 bits once the exponent's bias is changed; a subnormal one, of the mantissa alone, more
  // the smaller it is. From 25 on everything is dropped and less than half a unit.
  const auto exponent = hn::BitCast(di, hn::ShiftRight<23>(magnitude));
  const auto dropped = hn::Min(hn::Max(hn::Sub(hn::Set(di, 126), exponent), hn::Set(di, 13)), hn::Set(di, 25));
  const auto shift = hn::BitCast(du, dropped);
  const auto mantissa = hn::Or(hn::And(magnitude, hn::Set(du, 0x7FFFFFU)), hn::Set(du, 0x800000U));
  const auto subnormal = if_greater(du, magnitude, hn::Zero(du), mantissa, hn::Zero(du));
  const auto base =
      if_greater(du, magnitude, hn::Set(du, 0x387FFFFFU), hn::Sub(magnitude, hn::Set(du, 0x38000000U)), subnormal);
  const auto unit_less_1 = hn::Sub(hn::Shl(one, shift), one);
  auto rounded = hn::Shr(base, shift);
  auto beyond = hn::Set(du, 0x7BFFU);  // what a finite value beyond the largest one becomes
  if constexpr (kRounding == Rounding::kOdd) {
    rounded = hn::Or(rounded, hn::Shr(hn::Add(hn::And(base, unit_less_1), unit_less_1), shift));
  } else {
    const auto low = hn::And(rounded, one);
    rounded = hn::Shr(hn::Add(base, round_up_by<kRounding>(unit_less_1, low, negative)), shift);
    if constexpr (kRounding == Rounding::kRint || kRounding == Rounding::kRound) {
      beyond = limit;
    } else if constexpr (kRounding == Rounding::kFloor) {
      beyond = hn::IfThenElse(hn::MaskFromVec(negative), limit, beyond);
    } else if constexpr (kRounding == Rounding::kCeil) {
      beyond = hn::IfThenElse(hn::MaskFromVec(negative), beyond, limit);
    }
  }
  rounded = if_greater(du, rounded, hn::Set(du, 0x7BFFU), beyond, rounded);
  rounded = if_greater(du, magnitude, hn::Set(du, 0x7F7FFFFFU), limit, rounded);
  const auto nan = hn::Or(hn::And(hn::ShiftRight<13>(magnitude), hn::Set(du, 0x3FFU)), hn::Set(du, 0x7E00U));
  return hn::Or(if_greater(du, magnitude, hn::Set(du, 0x7F800000U), nan, rounded), hn::ShiftRight<16>(sign));
}

/// The upper halves of floats rounded to bfloat16, to nearest, ties to even.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> bfloat16_in_upper_half(D /*d*/, hn::Vec<D> v) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, v);
  const auto low = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1U));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(du, 0x7FFFU)), low);
  const auto quiet = hn::Or(bits, hn::Set(du, 0x400000U));
  return hn::IfThenElse(hn::RebindMask(du, hn::Eq(v, v)), rounded, quiet);
}

/// The 16-bit floating-point types, computed in float; narrow() is to nearest, ties to even, and encode() rounds by
/// mode.
struct Bfloat16 {
  using Stored = std::uint16_t;
  using Lane = float;
  using Block = hn::ScalableTag<std::uint16_t>;
  static constexpr std::uint32_t kInfinity = 0x7F80;
  template <class D>
  static HWY_INLINE hn::Vec<D> widen(D d, hn::Vec<StoredTag<Bfloat16, D>> stored) {
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(hn::RebindToUnsigned<D>(), stored)));
  }
  template <class D>
  static HWY_INLINE hn::Vec<StoredTag<Bfloat16, D>> narrow(D d, hn::Vec<D> lanes) {
    return hn::TruncateTo(StoredTag<Bfloat16, D>(), hn::ShiftRight<16>(bfloat16_in_upper_half(d, lanes)));
  }
  template <Rounding kRounding, class D>
  static HWY_INLINE hn::Vec<StoredTag<Bfloat16, D>> encode(D du, hn::Vec<D> bits, hn::Vec<D> limit) {
    return hn::TruncateTo(StoredTag<Bfloat16, D>(), bfloat16_of_float<kRounding>(du, bits, limit));
  }
  template <class Op>
  static HWY_INLINE hn::Vec<Block> combine(hn::Vec<Block> a, hn::Vec<Block> b) {
#if HWY_TARGET == HWY_SCALAR
    const hn::ScalableTag<float> d;
    return narrow(d, Op::of(widen(d, a), widen(d, b)));
#else
    // A bfloat16 is the upper half of its float: elements with odd and with even index are floats of one vector each,
    // and no element changes its place.
    const hn::ScalableTag<float> d;
    const hn::ScalableTag<std::uint32_t> du;
    const auto upper = hn::Set(du, 0xFFFF0000U);
    const auto a_bits = hn::BitCast(du, a);
    const auto b_bits = hn::BitCast(du, b);
    const auto even = Op::of(hn::BitCast(d, hn::ShiftLeft<16>(a_bits)), hn::BitCast(d, hn::ShiftLeft<16>(b_bits)));
    const auto odd = Op::of(hn::BitCast(d, hn::And(a_bits, upper)), hn::BitCast(d, hn::And(b_bits, upper)));
    return hn::OddEven(hn::BitCast(Block(), bfloat16_in_upper_half(d, odd)),
                       hn::BitCast(Block(), hn::ShiftRight<16>(bfloat16_in_upper_half(d, even))));
#endif
  }
};

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
inline constexpr bool kHalfInstructions = true;
#else
inline constexpr bool kHalfInstructions = false;  // Highway's own replacements do not round
#endif

struct Half {
  using Stored = std::uint16_t;
  using Lane = float;
  using Block = StoredTag<Half, hn::ScalableTag<float>>;
  static constexpr std::uint32_t kInfinity = 0x7C00;
  template <class D>
  static HWY_INLINE hn::Vec<D> widen(D d, hn::Vec<StoredTag<Half, D>> stored) {
    if constexpr (kHalfInstructions) {
      return hn::PromoteTo(d, hn::BitCast(hn::Rebind<hwy::float16_t, D>(), stored));
    } else {
      const hn::RebindToUnsigned<D> du;
      const auto bits = hn::PromoteTo(du, stored);
      const auto magnitude = hn::ShiftLeft<13>(hn::And(bits, hn::Set(du, 0x7FFFU)));
      const auto sign = hn::ShiftLeft<16>(hn::And(bits, hn::Set(du, 0x8000U)));
      // The product changes the exponent's bias, exactly, for subnormal numbers too.
      const auto finite = hn::BitCast(du, hn::Mul(hn::BitCast(d, magnitude), hn::Set(d, 0x1p112F)));
      const auto special = hn::Or(magnitude, hn::Set(du, 0x7F800000U));
      return hn::BitCast(d, hn::Or(if_greater(du, magnitude, hn::Set(du, 0x0F7FFFFFU), special, finite), sign));
    }
  }
  template <class D>
  static HWY_INLINE hn::Vec<StoredTag<Half, D>> narrow(D /*d*/, hn::Vec<D> lanes) {
    const hn::RebindToUnsigned<D> du;
    if constexpr (kHalfInstructions) {
      return hn::BitCast(StoredTag<Half, D>(), hn::DemoteTo(hn::Rebind<hwy::float16_t, D>(), lanes));
    } else {
      return encode<Rounding::kRint>(du, hn::BitCast(du, lanes), hn::Set(du, kInfinity));
    }
  }
  template <Rounding kRounding, class D>
  static HWY_INLINE hn::Vec<StoredTag<Half, D>> encode(D du, hn::Vec<D> bits, hn::Vec<D> limit) {
    const StoredTag<Half, D> to;
    if constexpr (kHalfInstructions && kRounding == Rounding::kRint) {
      const auto lanes = hn::BitCast(hn::RebindToFloat<D>(), bits);
      const auto rounded = hn::BitCast(to, hn::DemoteTo(hn::Rebind<hwy::float16_t, D>(), lanes));
      const auto most = hn::TruncateTo(to, limit);  // of infinity's magnitude, or the one below
      const auto infinite = hn::Eq(hn::And(rounded, hn::Set(to, 0x7FFFU)), hn::Set(to, kInfinity));
      return hn::IfThenElse(infinite, hn::Or(hn::And(rounded, hn::Set(to, 0x8000U)), most), rounded);
    } else {
      return hn::TruncateTo(to, half_of_float<kRounding>(du, bits, limit));
    }
  }
  template <class Op>
  static HWY_INLINE hn::Vec<Block> combine(hn::Vec<Block> a, hn::Vec<Block> b) {
    const hn::ScalableTag<float> d;
    return narrow(d, Op::of(widen(d, a), widen(d, b)));
  }
};

template <class E, class D>
HWY_INLINE hn::Vec<D> load_as(D d, const std::byte* from) {
  return E::widen(d, load(StoredTag<E, D>(), from));
}
template <class E, class D>
HWY_INLINE hn::Vec<D> load_part_as(D d, const std::byte* from, std::size_t n) {
  return E::widen(d, load_part(StoredTag<E, D>(), from, n));
}
template <class E, class D>
HWY_INLINE void store_as(D d, hn::Vec<D> v, std::byte* to) {
  store(StoredTag<E, D>(), E::narrow(d, v), to);
}
template <class E, class D>
HWY_INLINE void store_part_as(D d, hn::Vec<D> v, std::byte* to, std::size_t n) {
  store_part(StoredTag<E, D>(), E::narrow(d, v), to, n);
}

}  // namespace tileput::machine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
