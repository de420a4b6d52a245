// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Operands as the machine sees them: a GlobalTensor becomes a GlobalRegion, a Tile a TileRegion. Internal.
///
/// Everything is always inline and uses static extents as constants, so that a transfer of a static shape folds to
/// the copy it is.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "pto/common/constants.hpp"
#include "pto/common/global_tensor.hpp"
#include "pto/common/numeric.hpp"
#include "pto/common/tile.hpp"
#include "pto/common/type.hpp"
#include "tileput/machine/instruction.hpp"

namespace pto::tileput_detail {

namespace machine = ::tileput::machine;

/// What a C++ element type is to the machine.
template <class T>
constexpr machine::Element element_of() noexcept {
  using machine::Element;
  using Raw = std::remove_cv_t<T>;
  static_assert(sizeof(Raw) == 1 || sizeof(Raw) == 2 || sizeof(Raw) == 4 || sizeof(Raw) == 8,
                "elements must have 1, 2, 4 or 8 bytes");
  constexpr bool kSigned = std::is_integral_v<Raw> && std::is_signed_v<Raw>;
  if constexpr (std::is_same_v<Raw, half>) {
    return Element::kF16;
  } else if constexpr (std::is_same_v<Raw, bfloat16_t>) {
    return Element::kBf16;
  } else if constexpr (std::is_floating_point_v<Raw>) {
    return sizeof(Raw) == 4 ? Element::kF32 : Element::kF64;
  } else if constexpr (sizeof(Raw) == 1) {
    return kSigned ? Element::kS8 : Element::kU8;
  } else if constexpr (sizeof(Raw) == 2) {
    return kSigned ? Element::kS16 : Element::kU16;
  } else if constexpr (sizeof(Raw) == 4) {
    return kSigned ? Element::kS32 : Element::kU32;
  } else {
    return kSigned ? Element::kS64 : Element::kU64;
  }
}

/// What AtomicAdd adds (spec section 10.4).
template <class T>
inline constexpr bool kAddsAtomically =
    std::is_same_v<T, float> || std::is_same_v<T, half> || std::is_same_v<T, bfloat16_t> ||
    std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int16_t> || std::is_same_v<T, std::int8_t>;

constexpr machine::TensorLayout layout_of(Layout layout) noexcept {
  return layout == Layout::DN   ? machine::TensorLayout::kDn
         : layout == Layout::NZ ? machine::TensorLayout::kNz
                                : machine::TensorLayout::kNd;
}

template <TileType kLoc>
constexpr machine::Space space_of() noexcept {
  static_assert(kLoc == TileType::Vec || kLoc == TileType::Mat || kLoc == TileType::Left || kLoc == TileType::Right ||
                    kLoc == TileType::Acc,
                "only Vec, Mat, Left, Right and Acc tiles have on-chip memory");
  switch (kLoc) {
    case TileType::Mat: return machine::Space::kMat;
    case TileType::Left: return machine::Space::kLeft;
    case TileType::Right: return machine::Space::kRight;
    case TileType::Acc: return machine::Space::kAcc;
    default: return machine::Space::kVec;
  }
}

/// The bits of a tile's padding element, low-order bytes first.
template <class TileData>
PTO_INTERNAL std::uint64_t pad_bits() noexcept {
  using T = std::remove_cv_t<typename TileData::DType>;
  constexpr auto kPad = TileData::PadVal;
  std::uint64_t bits = 0;
  if constexpr (!std::is_same_v<std::remove_cv_t<decltype(kPad)>, PadValue>) {
    const T value = static_cast<T>(kPad);
    std::memcpy(&bits, &value, sizeof(T));
  } else if constexpr (kPad == PadValue::Null || kPad == PadValue::Zero) {
    return 0;
  } else if constexpr (kPad != PadValue::Max && kPad != PadValue::Min) {
    return static_cast<std::uint64_t>(kPad) & 0xFFFFFFFFU;
  } else {
    constexpr bool kMax = kPad == PadValue::Max;
    if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16_t> || std::is_floating_point_v<T>) {
      const T value =
          static_cast<T>(kMax ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity());
      std::memcpy(&bits, &value, sizeof(T));
    } else {
      const T value = kMax ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
      std::memcpy(&bits, &value, sizeof(T));
    }
  }
  return bits;
}

template <class TileData>
constexpr bool is_padded() noexcept {
  if constexpr (std::is_same_v<std::remove_cv_t<decltype(TileData::PadVal)>, PadValue>) {
    return TileData::PadVal != PadValue::Null;
  } else {
    return true;
  }
}

/// Bytes of on-chip memory that a tile's storage reaches over. With boxes in row-major order a last row of boxes that
/// is only partly used is stored whole.
template <class TileData>
constexpr std::uint64_t storage_bytes() noexcept {
  std::uint64_t rows = TileData::Rows;
  if (TileData::isBoxedLayout && TileData::isRowMajor) {
    rows = (rows + TileData::InnerRows - 1) / TileData::InnerRows * TileData::InnerRows;
  }
  return rows * TileData::Cols * sizeof(typename TileData::DType);
}

/// Extent (stride) of dimension `dim`: the constant where it is static.
template <int dim, class Tensor>
PTO_INTERNAL std::int64_t shape_of(const Tensor& tensor) noexcept {
  return Tensor::staticShape[dim] == DYNAMIC ? tensor.GetShape(dim) : Tensor::staticShape[dim];
}
template <int dim, class Tensor>
PTO_INTERNAL std::int64_t stride_of(const Tensor& tensor) noexcept {
  return Tensor::staticStride[dim] == DYNAMIC ? tensor.GetStride(dim) : Tensor::staticStride[dim];
}

template <class E, class Sh, class St, Layout layout>
PTO_INTERNAL machine::GlobalRegion region_of(const GlobalTensor<E, Sh, St, layout>& tensor) noexcept {
  return {.address = reinterpret_cast<std::byte*>(const_cast<std::remove_cv_t<E>*>(tensor.data())),
          .shape = {shape_of<0>(tensor), shape_of<1>(tensor), shape_of<2>(tensor), shape_of<3>(tensor),
                    shape_of<4>(tensor)},
          .stride = {stride_of<0>(tensor), stride_of<1>(tensor), stride_of<2>(tensor), stride_of<3>(tensor),
                     stride_of<4>(tensor)},
          .element_bytes = sizeof(E),
          .element = element_of<E>(),
          .layout = layout_of(layout)};
}

template <class TileData>
  requires(is_tile_data_v<TileData>)
PTO_INTERNAL machine::TileRegion region_of(const TileData& tile) {
  return {.address = reinterpret_cast<std::byte*>(tile.data()),
          .space = space_of<TileData::Loc>(),
          .element = element_of<typename TileData::DType>(),
          .element_bytes = sizeof(typename TileData::DType),
          .rows = TileData::Rows,
          .cols = TileData::Cols,
          .valid_rows = static_cast<std::int32_t>(tile.GetValidRow()),
          .valid_cols = static_cast<std::int32_t>(tile.GetValidCol()),
          .layout = {.row_major = TileData::isRowMajor,
                     .boxed = TileData::isBoxedLayout,
                     .inner_row_major = !TileData::isInnerColMajor,
                     .inner_rows = TileData::InnerRows,
                     .inner_cols = TileData::InnerCols},
          .padded = is_padded<TileData>(),
          .pad = pad_bits<TileData>()};
}

}  // namespace pto::tileput_detail

#include "pto/common/address_space.hpp"
