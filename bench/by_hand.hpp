// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What tile instructions are compared with: the same work as a loop written for this machine's vector unit, and the
/// matrix product of a library. Compiled for the native instruction set; arrays do not overlap.

#include <cstddef>
#include <cstdint>

namespace by_hand {

void add_f32(float* target, const float* a, const float* b, std::size_t count);
void scale_f32(float* target, const float* a, float factor, std::size_t count);
void add_bf16(std::uint16_t* target, const std::uint16_t* a, const std::uint16_t* b, std::size_t count);

/// Whether the machine converts binary16 by an instruction; without, there is no add_f16().
extern const bool kConvertsF16;
void add_f16(std::uint16_t* target, const std::uint16_t* a, const std::uint16_t* b, std::size_t count);

void copy(float* target, const float* source, std::size_t count);

/// The cost of two calls that the compiler does not see through; together they add 8 floats.
void add_half(float* target, const float* a, const float* b);

/// c = a b, all n x n, column-major and dense.
void multiply(float* c, const float* a, const float* b, int n);

}  // namespace by_hand
