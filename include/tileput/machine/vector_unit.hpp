// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The native action of the instructions that compute: element-wise operations on runs of elements. In the library,
/// because which vector instructions the machine has is known only there, at run time. An instruction costs its caller
/// two calls.

#include <cstddef>
#include <cstdint>

#include "tileput/machine/float16.hpp"
#include "tileput/machine/instruction.hpp"

namespace tileput::machine {

/// Integers wrap. Where a or b is a NaN, so is the result, of kMax and kMin too. kDiv is for the scalar forms; integer
/// division truncates, and division by 0 gives 0.
enum class VectorOp : std::uint8_t { kAdd, kSub, kMul, kMax, kMin, kDiv };
inline constexpr int kVectorOps = 6;

/// Elements of up to three operands: `count` runs of `length` contiguous elements. Run i of operand k begins at
/// address[k] + i * pitch_bytes[k]. Operand 0 is the target; operands are equal or do not overlap.
struct Runs {
  std::int64_t count = 0;
  std::int64_t length = 0;
  std::byte* address[3] = {};
  std::int64_t pitch_bytes[3] = {};
};

/// target = a op b. All elements are of type `element`: kF32, kF16, kBf16 or an integer of up to 32 bits. The 16-bit
/// floating-point types are computed in float and rounded to nearest, ties to even, once.
void combine(VectorOp op, Element element, const Runs& runs);

/// target = a op scalar, whose bits are the low-order ones of `bits`.
void combine_scalar(VectorOp op, Element element, const Runs& runs, std::uint64_t bits);

/// target = the element of `element_bytes` bytes whose bits are the low-order ones of `bits`.
void fill(std::uint32_t element_bytes, const Runs& runs, std::uint64_t bits);

/// target = a, converted by value from one element type to another; see pto::TCVT for rounding and saturation.
void convert(Element to, Element from, Rounding rounding, bool saturate, const Runs& runs);

/// Element 0 of target's run i = the sum of a's run i. 16-bit floating-point types are summed in float.
void sum(Element element, const Runs& runs);

}  // namespace tileput::machine
