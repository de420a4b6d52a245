// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/machine/vector_unit.hpp"

#include "machine/vector_runs.hpp"
#include "machine/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "machine/vector_unit.cpp"
#include <hwy/foreach_target.h>  // this file once for each target

#include "machine/vector_lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tileput::machine::HWY_NAMESPACE {

struct Add {
  template <class V>
  static HWY_INLINE V of(V a, V b) {
    return hn::Add(a, b);
  }
};
struct Sub {
  template <class V>
  static HWY_INLINE V of(V a, V b) {
    return hn::Sub(a, b);
  }
};
struct Mul {
  template <class V>
  static HWY_INLINE V of(V a, V b) {
    return hn::Mul(a, b);
  }
};
struct Div {
  template <class V>
  static HWY_INLINE V of(V a, V b) {
    return hn::Div(a, b);
  }
};

/// Instruction sets differ in what the maximum of a NaN and a number is; here it is the NaN.
template <class V>
HWY_INLINE V or_nan(V a, V b, V chosen) {
  if constexpr (hwy::IsFloat<hn::TFromV<V>>()) {
    return hn::IfThenElse(hn::And(hn::Eq(a, a), hn::Eq(b, b)), chosen, hn::Add(a, b));
  } else {
    return chosen;
  }
}
struct Max {
  template <class V>
  static HWY_INLINE V of(V a, V b) {
    return or_nan(a, b, hn::Max(a, b));
  }
};
struct Min {
  template <class V>
  static HWY_INLINE V of(V a, V b) {
    return or_nan(a, b, hn::Min(a, b));
  }
};

template <class Op, class E>
void combine_elements(const Runs& runs) {
  const typename E::Block d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  constexpr std::size_t kStep = kLanes * sizeof(typename E::Stored);
  for (std::int64_t i = 0; i < runs.count; ++i) {
    std::byte* to = run_of(runs, 0, i);
    const std::byte* a = run_of(runs, 1, i);
    const std::byte* b = run_of(runs, 2, i);
    auto left = static_cast<std::size_t>(runs.length);
    for (; left >= kLanes; left -= kLanes) {
      store(d, E::template combine<Op>(load(d, a), load(d, b)), to);
      to += kStep;
      a += kStep;
      b += kStep;
    }
    if (left != 0) {
      store_part(d, E::template combine<Op>(load_part(d, a, left), load_part(d, b, left)), to, left);
    }
  }
}

template <class Op, class E>
void combine_with_scalar(const Runs& runs, std::uint64_t bits) {
  const typename E::Block d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  constexpr std::size_t kStep = kLanes * sizeof(typename E::Stored);
  const auto scalar = hn::Set(d, element_of_bits<typename E::Stored>(bits));
  for (std::int64_t i = 0; i < runs.count; ++i) {
    std::byte* to = run_of(runs, 0, i);
    const std::byte* a = run_of(runs, 1, i);
    auto left = static_cast<std::size_t>(runs.length);
    for (; left >= kLanes; left -= kLanes) {
      store(d, E::template combine<Op>(load(d, a), scalar), to);
      to += kStep;
      a += kStep;
    }
    if (left != 0) {
      store_part(d, E::template combine<Op>(load_part(d, a, left), scalar), to, left);
    }
  }
}

/// No instruction set has a vector division of integers. `bits`: the divisor, or null: operand 2 has the divisors.
template <class T>
void divide_integers(const Runs& runs, const std::uint64_t* bits) {
  for (std::int64_t i = 0; i < runs.count; ++i) {
    for (std::int64_t j = 0; j < runs.length; ++j) {
      const auto offset = j * static_cast<std::int64_t>(sizeof(T));
      const T b = bits != nullptr ? element_of_bits<T>(*bits) : element_at<T>(run_of(runs, 2, i) + offset);
      const T q = quotient(element_at<T>(run_of(runs, 1, i) + offset), b);
      std::memcpy(run_of(runs, 0, i) + offset, &q, sizeof(T));
    }
  }
}

/// One operation on one element type, of two operands or, with `bits`, of one and a scalar.
template <class Op, class E>
HWY_INLINE void apply(const Runs& runs, const std::uint64_t* bits) {
  if (bits != nullptr) {
    combine_with_scalar<Op, E>(runs, *bits);
  } else {
    combine_elements<Op, E>(runs);
  }
}

/// Operations for which signed and unsigned integers are the same bits.
template <class Op, class Byte>
void apply_modular(Element element, const Runs& runs, const std::uint64_t* bits) {
  switch (element) {
    case Element::kF32: return apply<Op, Direct<float>>(runs, bits);
    case Element::kF16: return apply<Op, Half>(runs, bits);
    case Element::kBf16: return apply<Op, Bfloat16>(runs, bits);
    case Element::kS8:
    case Element::kU8: return apply<Op, Byte>(runs, bits);
    case Element::kS16:
    case Element::kU16: return apply<Op, Direct<std::uint16_t>>(runs, bits);
    default: return apply<Op, Direct<std::uint32_t>>(runs, bits);
  }
}

template <class Op>
void apply_ordered(Element element, const Runs& runs, const std::uint64_t* bits) {
  switch (element) {
    case Element::kF32: return apply<Op, Direct<float>>(runs, bits);
    case Element::kF16: return apply<Op, Half>(runs, bits);
    case Element::kBf16: return apply<Op, Bfloat16>(runs, bits);
    case Element::kS8: return apply<Op, Direct<std::int8_t>>(runs, bits);
    case Element::kU8: return apply<Op, Direct<std::uint8_t>>(runs, bits);
    case Element::kS16: return apply<Op, Direct<std::int16_t>>(runs, bits);
    case Element::kU16: return apply<Op, Direct<std::uint16_t>>(runs, bits);
    case Element::kS32: return apply<Op, Direct<std::int32_t>>(runs, bits);
    default: return apply<Op, Direct<std::uint32_t>>(runs, bits);
  }
}

void apply_division(Element element, const Runs& runs, const std::uint64_t* bits) {
  switch (element) {
    case Element::kF32: return apply<Div, Direct<float>>(runs, bits);
    case Element::kF16: return apply<Div, Half>(runs, bits);
    case Element::kBf16: return apply<Div, Bfloat16>(runs, bits);
    case Element::kS8: return divide_integers<std::int8_t>(runs, bits);
    case Element::kU8: return divide_integers<std::uint8_t>(runs, bits);
    case Element::kS16: return divide_integers<std::int16_t>(runs, bits);
    case Element::kU16: return divide_integers<std::uint16_t>(runs, bits);
    case Element::kS32: return divide_integers<std::int32_t>(runs, bits);
    default: return divide_integers<std::uint32_t>(runs, bits);
  }
}

void combine_on(VectorOp op, Element element, const Runs& runs, const std::uint64_t* bits) {
  switch (op) {
    case VectorOp::kAdd: return apply_modular<Add, Direct<std::uint8_t>>(element, runs, bits);
    case VectorOp::kSub: return apply_modular<Sub, Direct<std::uint8_t>>(element, runs, bits);
    case VectorOp::kMul: return apply_modular<Mul, Widened<std::uint8_t, std::uint16_t>>(element, runs, bits);
    case VectorOp::kMax: return apply_ordered<Max>(element, runs, bits);
    case VectorOp::kMin: return apply_ordered<Min>(element, runs, bits);
    case VectorOp::kDiv: return apply_division(element, runs, bits);
  }
}

template <class T>
void fill_elements(const Runs& runs, std::uint64_t bits) {
  const hn::ScalableTag<T> d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  const auto v = hn::Set(d, element_of_bits<T>(bits));
  for (std::int64_t i = 0; i < runs.count; ++i) {
    std::byte* to = run_of(runs, 0, i);
    auto left = static_cast<std::size_t>(runs.length);
    for (; left >= kLanes; left -= kLanes) {
      store(d, v, to);
      to += kLanes * sizeof(T);
    }
    if (left != 0) {
      store_part(d, v, to, left);
    }
  }
}

void fill_on(std::uint32_t element_bytes, const Runs& runs, std::uint64_t bits) {
  switch (element_bytes) {
    case 1: return fill_elements<std::uint8_t>(runs, bits);
    case 2: return fill_elements<std::uint16_t>(runs, bits);
    case 4: return fill_elements<std::uint32_t>(runs, bits);
    default: return fill_elements<std::uint64_t>(runs, bits);
  }
}

/// The partial sums of floats that a run's sum is made of: element j is added to partial sum j % 16, in order, and then
/// the upper half of them to the lower one, until one is left. All instruction sets add in this order, so they agree to
/// the last bit.
inline constexpr std::size_t kPartialSums = 16;

/// Adds the upper half to the lower one until one lane is left.
template <class D>
HWY_INLINE float sum_of_halves(D d, hn::Vec<D> v) {
#if HWY_TARGET != HWY_SCALAR  // which has no halves
  if constexpr (hn::MaxLanes(d) > 1) {
    const hn::Half<D> half;
    return sum_of_halves(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
#endif
  static_cast<void>(d);
  return hn::GetLane(v);
}

template <class E>
float sum_of_floats(const std::byte* from, std::size_t left) {
  const hn::CappedTag<float, kPartialSums> d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  constexpr std::size_t kVectors = kPartialSums / kLanes;
  constexpr std::size_t kStep = kLanes * sizeof(typename E::Stored);
  hn::Vec<decltype(d)> total[kVectors];
  for (auto& t : total) {
    t = hn::Zero(d);
  }
  for (; left >= kPartialSums; left -= kPartialSums) {
    for (std::size_t k = 0; k < kVectors; ++k) {
      total[k] = hn::Add(total[k], load_as<E>(d, from + k * kStep));
    }
    from += kVectors * kStep;
  }
  for (std::size_t k = 0; left != 0; ++k) {
    if (left < kLanes) {
      total[k] = hn::Add(total[k], load_part_as<E>(d, from, left));
      break;
    }
    total[k] = hn::Add(total[k], load_as<E>(d, from));
    from += kStep;
    left -= kLanes;
  }
  for (std::size_t width = kVectors / 2; width > 0; width /= 2) {
    for (std::size_t k = 0; k < width; ++k) {
      total[k] = hn::Add(total[k], total[k + width]);
    }
  }
  return sum_of_halves(d, total[0]);
}

template <class E>
std::uint32_t sum_of_integers(const std::byte* from, std::size_t left) {
  const hn::ScalableTag<std::uint32_t> d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  auto total = hn::Zero(d);
  for (; left >= kLanes; left -= kLanes) {
    total = hn::Add(total, load_as<E>(d, from));
    from += kLanes * sizeof(typename E::Stored);
  }
  if (left != 0) {
    total = hn::Add(total, load_part_as<E>(d, from, left));
  }
  return hn::GetLane(hn::SumOfLanes(d, total));
}

template <class E>
void sum_float_runs(const Runs& runs) {
  for (std::int64_t i = 0; i < runs.count; ++i) {
    const float total = sum_of_floats<E>(run_of(runs, 1, i), static_cast<std::size_t>(runs.length));
    const hn::ScalableTag<float> d;  // whole vectors: Highway 1.0.3 shifts single lanes by wrong amounts
    store_part_as<E>(d, hn::Set(d, total), run_of(runs, 0, i), 1);
  }
}

template <class E>
void sum_integer_runs(const Runs& runs) {
  for (std::int64_t i = 0; i < runs.count; ++i) {
    const auto total =
        static_cast<typename E::Stored>(sum_of_integers<E>(run_of(runs, 1, i), static_cast<std::size_t>(runs.length)));
    std::memcpy(run_of(runs, 0, i), &total, sizeof(total));
  }
}

void sum_on(Element element, const Runs& runs) {
  switch (element) {
    case Element::kF32: return sum_float_runs<Direct<float>>(runs);
    case Element::kF16: return sum_float_runs<Half>(runs);
    case Element::kBf16: return sum_float_runs<Bfloat16>(runs);
    case Element::kS8:
    case Element::kU8: return sum_integer_runs<Widened<std::uint8_t, std::uint32_t>>(runs);
    case Element::kS16:
    case Element::kU16: return sum_integer_runs<Widened<std::uint16_t, std::uint32_t>>(runs);
    default: return sum_integer_runs<Direct<std::uint32_t>>(runs);
  }
}

}  // namespace tileput::machine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tileput::machine {

namespace {

HWY_EXPORT(combine_on);
HWY_EXPORT(fill_on);
HWY_EXPORT(sum_on);

}  // namespace

void combine(VectorOp op, Element element, const Runs& runs) {
  require_computed(element);
  const std::uint32_t bytes = bytes_of(element);
  collapse(runs, {bytes, bytes, bytes}, [&](const Runs& r) {
    HWY_DYNAMIC_DISPATCH(combine_on)(op, element, r, nullptr);
  });
}

void combine_scalar(VectorOp op, Element element, const Runs& runs, std::uint64_t bits) {
  require_computed(element);
  const std::uint32_t bytes = bytes_of(element);
  collapse(runs, {bytes, bytes}, [&](const Runs& r) { HWY_DYNAMIC_DISPATCH(combine_on)(op, element, r, &bits); });
}

void fill(std::uint32_t element_bytes, const Runs& runs, std::uint64_t bits) {
  collapse(runs, {element_bytes}, [&](const Runs& r) { HWY_DYNAMIC_DISPATCH(fill_on)(element_bytes, r, bits); });
}

void sum(Element element, const Runs& runs) {
  require_computed(element);
  HWY_DYNAMIC_DISPATCH(sum_on)(element, runs);
}

}  // namespace tileput::machine

#endif
