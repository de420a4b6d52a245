// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the parts of the vector unit share that is the same for every instruction set.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <type_traits>

#include "tileput/machine/vector_unit.hpp"

namespace tileput::machine {

/// Throws kInternal for an element type that nothing is computed in.
void require_computed(Element element);

constexpr std::uint32_t bytes_of(Element element) noexcept {
  switch (element) {
    case Element::kS8:
    case Element::kU8: return 1;
    case Element::kF16:
    case Element::kBf16:
    case Element::kS16:
    case Element::kU16: return 2;
    case Element::kS64:
    case Element::kU64:
    case Element::kF64: return 8;
    default: return 4;
  }
}

/// The first byte of run i of an operand.
inline std::byte* run_of(const Runs& runs, int operand, std::int64_t i) noexcept {
  return runs.address[operand] + i * runs.pitch_bytes[operand];
}

/// Calls act(runs), with the same elements as one run if in every operand each run begins where the one before it ends;
/// `element_bytes` by operand. A single run is passed on without a copy, which would wait for the stores that made it.
template <class Act>
void collapse(const Runs& runs, std::initializer_list<std::uint32_t> element_bytes, Act&& act) {
  bool is_dense = runs.count > 1;
  int operand = 0;
  for (const std::uint32_t bytes : element_bytes) {
    is_dense = is_dense && runs.pitch_bytes[operand++] == runs.length * std::int64_t{bytes};
  }
  if (!is_dense) {
    act(runs);
    return;
  }
  Runs one = runs;
  one.length *= one.count;
  one.count = 1;
  act(one);
}

/// The element whose bits are the low-order ones of `bits`.
template <class T>
T element_of_bits(std::uint64_t bits) noexcept {
  T value;
  std::memcpy(&value, &bits, sizeof(T));  // little endian
  return value;
}

template <class T>
T element_at(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// a / b of integers as VectorOp::kDiv has it.
template <class T>
constexpr T quotient(T a, T b) noexcept {
  if (b == 0) {
    return 0;
  }
  if constexpr (std::is_signed_v<T>) {
    if (b == -1 && a == std::numeric_limits<T>::min()) {
      return a;  // its negative wraps to itself
    }
  }
  return static_cast<T>(a / b);
}

}  // namespace tileput::machine
