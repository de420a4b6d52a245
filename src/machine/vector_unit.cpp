// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/machine/vector_unit.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace tileput::machine {

namespace {

// A first, plain form, one element after the other.

struct F16 {
  std::uint16_t bits;
  static F16 of(float v) { return {half_bits_of(v)}; }
  float value() const { return float_of_half(bits); }
};
struct Bf16 {
  std::uint16_t bits;
  static Bf16 of(float v) { return {bfloat16_bits_of(v)}; }
  float value() const { return float_of_bfloat16(bits); }
};
template <class T>
auto wide(T v) {
  if constexpr (std::is_arithmetic_v<T>) {
    return v;
  } else {
    return v.value();
  }
}
template <class T, class W>
T narrow(W v) {
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<T>(v);
  } else {
    return T::of(static_cast<float>(v));
  }
}

template <class F>
void with(Element e, F&& f) {
  switch (e) {
    case Element::kF32: return f(float{});
    case Element::kF16: return f(F16{});
    case Element::kBf16: return f(Bf16{});
    case Element::kS8: return f(std::int8_t{});
    case Element::kU8: return f(std::uint8_t{});
    case Element::kS16: return f(std::int16_t{});
    case Element::kU16: return f(std::uint16_t{});
    case Element::kS32: return f(std::int32_t{});
    case Element::kU32: return f(std::uint32_t{});
    default: return;
  }
}

template <class T>
T load(const std::byte* p) {
  T v;
  std::memcpy(&v, p, sizeof(T));
  return v;
}

template <class W>
W apply(VectorOp op, W a, W b) {
  if constexpr (std::is_integral_v<W>) {
    const auto ua = static_cast<std::uint32_t>(a);
    const auto ub = static_cast<std::uint32_t>(b);
    switch (op) {
      case VectorOp::kAdd: return static_cast<W>(ua + ub);
      case VectorOp::kSub: return static_cast<W>(ua - ub);
      case VectorOp::kMul: return static_cast<W>(ua * ub);
      case VectorOp::kMax: return a > b ? a : b;
      case VectorOp::kMin: return a < b ? a : b;
      case VectorOp::kDiv: return b == 0 ? W{0} : static_cast<W>(static_cast<std::int64_t>(a) / static_cast<std::int64_t>(b));
    }
  } else {
    switch (op) {
      case VectorOp::kAdd: return a + b;
      case VectorOp::kSub: return a - b;
      case VectorOp::kMul: return a * b;
      case VectorOp::kMax: return a > b || a != a ? a : b;
      case VectorOp::kMin: return a < b || a != a ? a : b;
      case VectorOp::kDiv: return a / b;
    }
  }
  return a;
}

}  // namespace

void combine(VectorOp op, Element element, const Runs& r) {
  with(element, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < r.count; ++i) {
      for (std::int64_t j = 0; j < r.length; ++j) {
        const auto at = [&](int k) { return r.address[k] + i * r.pitch_bytes[k] + j * static_cast<std::int64_t>(sizeof(T)); };
        const T v = narrow<T>(apply(op, wide(load<T>(at(1))), wide(load<T>(at(2)))));
        std::memcpy(at(0), &v, sizeof(T));
      }
    }
  });
}

void combine_scalar(VectorOp op, Element element, const Runs& r, std::uint64_t bits) {
  with(element, [&](auto zero) {
    using T = decltype(zero);
    const T s = load<T>(reinterpret_cast<const std::byte*>(&bits));
    for (std::int64_t i = 0; i < r.count; ++i) {
      for (std::int64_t j = 0; j < r.length; ++j) {
        const auto at = [&](int k) { return r.address[k] + i * r.pitch_bytes[k] + j * static_cast<std::int64_t>(sizeof(T)); };
        const T v = narrow<T>(apply(op, wide(load<T>(at(1))), wide(s)));
        std::memcpy(at(0), &v, sizeof(T));
      }
    }
  });
}

void fill(std::uint32_t bytes, const Runs& r, std::uint64_t bits) {
  for (std::int64_t i = 0; i < r.count; ++i) {
    for (std::int64_t j = 0; j < r.length; ++j) {
      std::memcpy(r.address[0] + i * r.pitch_bytes[0] + j * bytes, &bits, bytes);
    }
  }
}

void convert(Element to, Element from, Rounding /*rounding*/, bool /*saturate*/, const Runs& r) {
  with(to, [&](auto t) {
    with(from, [&](auto f) {
      using T = decltype(t);
      using F = decltype(f);
      for (std::int64_t i = 0; i < r.count; ++i) {
        for (std::int64_t j = 0; j < r.length; ++j) {
          const T v = narrow<T>(wide(
              load<F>(r.address[1] + i * r.pitch_bytes[1] + j * static_cast<std::int64_t>(sizeof(F)))));
          std::memcpy(r.address[0] + i * r.pitch_bytes[0] + j * static_cast<std::int64_t>(sizeof(T)), &v, sizeof(T));
        }
      }
    });
  });
}

void sum(Element element, const Runs& r) {
  with(element, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < r.count; ++i) {
      auto total = decltype(wide(zero)){};
      for (std::int64_t j = 0; j < r.length; ++j) {
        total = apply(VectorOp::kAdd, total, wide(load<T>(r.address[1] + i * r.pitch_bytes[1] + j * static_cast<std::int64_t>(sizeof(T)))));
      }
      const T v = narrow<T>(total);
      std::memcpy(r.address[0] + i * r.pitch_bytes[0], &v, sizeof(T));
    }
  });
}

}  // namespace tileput::machine
