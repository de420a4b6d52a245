// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The matrix that the affine kernel works on, for kernel, orchestration and host.

#include <cstdint>

namespace affine {

inline constexpr int kRows = 16;
inline constexpr int kColumns = 16;
inline constexpr std::uint32_t kElements = kRows * kColumns;

}  // namespace affine
