// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Enumerations and constants of the instruction set (spec section 3). Values are part of the contract.

#include <cstdint>

namespace pto {

/// A dimension that is known at run time only.
inline constexpr int DYNAMIC = -1;
inline constexpr int C0_SIZE_BYTE = 32;
inline constexpr int BLOCK_BYTE_SIZE = 32;
inline constexpr int FRACTAL_NZ_ROW = 16;

/// The on-chip memory a tile lives in.
enum class TileType : int { Vec, Mat, Left, Right, Acc, Bias, Scaling, ScaleLeft, ScaleRight, Ctrl };

/// The outer order of a tile's storage.
enum class BLayout : int { RowMajor = 0, ColMajor = 1 };

/// The order inside the boxes of a boxed tile.
enum class SLayout : int { NoneBox = 0, RowMajor = 1, ColMajor = 2 };

/// How a global tensor's dimensions map to tile rows and columns; ND, DN and NZ have behaviour here.
enum class Layout : int {
  ND = 0,
  DN = 1,
  NZ = 2,
  SCALE,
  MX_A_ND,
  MX_A_DN,
  MX_A_ZZ,
  MX_B_ND,
  MX_B_DN,
  MX_B_NN,
  HIF4_A_ZZ,
  HIF4_B_NN,
  NC1HWC0,
  GNC1HWC0,
  NCHW,
  GNCHW,
  NHWC,
  NDC1HWC0,
  NCDHW,
  FRACTAL_Z,
  FRACTAL_Z_S16S8,
  FRACTAL_Z_3D,
  MAX,
};

enum class RoundMode : std::uint8_t {
  CAST_NONE = 0,
  CAST_RINT = 1,   ///< nearest, ties to even
  CAST_ROUND = 2,  ///< nearest, ties away from zero
  CAST_FLOOR = 3,
  CAST_CEIL = 4,
  CAST_TRUNC = 5,
  CAST_ODD = 6,
};

enum class SaturationMode : int { ON = 0, OFF = 1 };

/// What a store to global memory does with the element that is there.
enum class AtomicType : std::uint8_t { AtomicNone = 0, AtomicAdd = 1 };

/// What TLOAD writes to a tile's storage outside the valid region; Null leaves it alone. CustomBase + bits pads with
/// the element whose bits are the low-order ones of `bits`.
enum class PadValue : std::uint64_t { Null = 0, Zero = 1, Max = 2, Min = 3, CustomBase = std::uint64_t{1} << 32U };

enum class CompactMode : int { Null, Normal, RowPlusOne, RowAlignedPadding };
enum class STPhase : std::uint8_t { Unspecified = 0, Partial = 2, Final = 3 };
enum class AccPhase : std::uint8_t { Unspecified = 0, Partial = 2, Final = 3 };
enum class ReluPreMode : int { NoRelu = 0, NormalRelu = 1 };

/// Element-wise comparison; comm::WaitCmp has another order.
enum class CmpMode : int { EQ = 0, NE = 1, LT = 2, LE = 3, GT = 4, GE = 5 };

/// Names of a global tensor's dimensions; usable as int and as int template argument.
namespace GlobalTensorDim {
inline constexpr int DIM_0 = 0;
inline constexpr int DIM_1 = 1;
inline constexpr int DIM_2 = 2;
inline constexpr int DIM_3 = 3;
inline constexpr int DIM_4 = 4;
inline constexpr int TOTAL_DIM = 5;
}  // namespace GlobalTensorDim

}  // namespace pto

#include "pto/common/address_space.hpp"
