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
/// address[k] + i * pitch_bytes[k], any byte address. Operand 0 is the target; operands are equal or do not overlap.
/// Nothing outside these elements is read or written.
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

/// target = a, converted by value from one element type to another. To an integer: rounded, then the low-order bits of
/// the exact result (0 for NaN and infinities), or with `saturate` the nearest value of the target (0 for NaN); kOdd
/// truncates and, if that is inexact, takes the neighbour that is odd. To floating point: as half_bits_of(); a NaN
/// stays one, and integers are rounded once. Widening is exact, infinities included; the same type is copied.
void convert(Element to, Element from, Rounding rounding, bool saturate, const Runs& runs);

/// Element 0 of target's run i = the sum of a's run i. 16-bit floating-point types are summed in float. Every machine
/// adds in the same order.
void sum(Element element, const Runs& runs);

/// The same between tiles of any layout, over the target's valid region, which lies inside every operand's storage.
/// Tiles that are all stored by rows or all by columns are runs; others go through blocks in row order.
void combine_tiles(VectorOp op, const TileRegion& target, const TileRegion& a, const TileRegion& b);
void combine_tile_scalar(VectorOp op, const TileRegion& target, const TileRegion& a, std::uint64_t bits);
void fill_tile(const TileRegion& target, std::uint64_t bits);
void convert_tile(const TileRegion& target, const TileRegion& a, Rounding rounding, bool saturate);

/// target(r, 0) = the sum of a(r, c) over a's valid columns, for its valid rows. Both unboxed, `a` stored by rows.
void sum_rows(const TileRegion& target, const TileRegion& a);

}  // namespace tileput::machine
