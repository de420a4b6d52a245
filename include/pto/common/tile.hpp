// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Tiles: two-dimensional blocks in a core's on-chip memory (spec section 5).

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "pto/common/constants.hpp"
#include "pto/common/global_tensor.hpp"
#include "pto/common/numeric.hpp"
#include "pto/common/type.hpp"

namespace pto {

namespace tileput_detail {

struct BoxSize {
  int rows;
  int cols;
};

/// The inner boxes of a tile's storage (spec section 5.4).
constexpr BoxSize box_size(SLayout order, int fractal_bytes, int element_bytes) noexcept {
  if (fractal_bytes == 1024) {
    return {16, 16};
  }
  if (fractal_bytes == 512 && order == SLayout::RowMajor) {
    return {16, C0_SIZE_BYTE / element_bytes};
  }
  if (fractal_bytes == 512 && order == SLayout::ColMajor) {
    return {C0_SIZE_BYTE / element_bytes, 16};
  }
  return {1, 1};
}

}  // namespace tileput_detail

/// A block of kRows x kCols elements of which instructions act on the first GetValidRow() x GetValidCol().
///
/// A tile is a view: it names on-chip storage after TASSIGN, and two tiles bound to overlapping offsets share bytes.
/// Copying a tile copies the view. Valid extents that are DYNAMIC start as Rows and Cols and are fields.
template <TileType kLoc, class Element, int kRows, int kCols, BLayout kBFractal = BLayout::RowMajor,
          int kRowValid = kRows, int kColValid = kCols, SLayout kSFractal = SLayout::NoneBox, int kSFractalSize = 512,
          auto kPadVal = PadValue::Null, CompactMode kCompact = CompactMode::Null>
struct Tile {
  using DType = Element;
  using TileDType = Element*;

  static constexpr TileType Loc = kLoc;
  static constexpr int Rows = kRows;
  static constexpr int Cols = kCols;
  static constexpr int ValidRow = kRowValid;
  static constexpr int ValidCol = kColValid;
  static constexpr BLayout BFractal = kBFractal;
  static constexpr SLayout SFractal = kSFractal;
  static constexpr int SFractalSize = kSFractalSize;
  static constexpr auto PadVal = kPadVal;
  static constexpr CompactMode Compact = kCompact;
  static constexpr int Numel = kRows * kCols;
  static constexpr bool isRowMajor = kBFractal == BLayout::RowMajor;
  static constexpr bool isBoxedLayout = kSFractal != SLayout::NoneBox;
  static constexpr bool isInnerRowMajor = kSFractal == SLayout::RowMajor;
  static constexpr bool isInnerColMajor = kSFractal == SLayout::ColMajor;
  static constexpr int RowStride = isRowMajor ? kCols : 1;
  static constexpr int ColStride = isRowMajor ? 1 : kRows;
  static constexpr int InnerRows =
      tileput_detail::box_size(kSFractal, kSFractalSize, static_cast<int>(sizeof(Element))).rows;
  static constexpr int InnerCols =
      tileput_detail::box_size(kSFractal, kSFractalSize, static_cast<int>(sizeof(Element))).cols;
  static constexpr int InnerNumel = InnerRows * InnerCols;

  static_assert(std::is_trivially_copyable_v<Element>, "Tile: elements must be trivially copyable");
  static_assert(kRows > 0 && kCols > 0, "Tile: Rows and Cols must be positive");
  static_assert(kRowValid == DYNAMIC || (kRowValid > 0 && kRowValid <= kRows),
                "Tile: RowValid must be DYNAMIC or between 1 and Rows");
  static_assert(kColValid == DYNAMIC || (kColValid > 0 && kColValid <= kCols),
                "Tile: ColValid must be DYNAMIC or between 1 and Cols");
  static_assert(kSFractalSize == 512 || kSFractalSize == 1024 || kSFractalSize == 32,
                "Tile: SFractalSize must be 512, 1024 or 32");
  static_assert(!(isBoxedLayout && kSFractalSize == 32), "Tile: the boxes of MX scaling tiles are not supported");
  static_assert(isBoxedLayout || !isRowMajor || kCols * sizeof(Element) % BLOCK_BYTE_SIZE == 0,
                "Tile: a row of an unboxed row-major tile (Cols * sizeof(Element)) must be a multiple of 32 bytes");
  static_assert(
      isBoxedLayout || isRowMajor || kRows * sizeof(Element) % BLOCK_BYTE_SIZE == 0,
      "Tile: a column of an unboxed column-major tile (Rows * sizeof(Element)) must be a multiple of 32 bytes");
  static_assert(!isBoxedLayout || kCols % InnerCols == 0, "Tile: Cols of a boxed tile must be a multiple of InnerCols");
  static_assert(!isBoxedLayout || kLoc == TileType::Vec || kRows == 1 || kRows % InnerRows == 0,
                "Tile: Rows of a boxed tile must be a multiple of InnerRows");
  static_assert(!isBoxedLayout || isRowMajor || !isInnerColMajor || kRows % InnerRows == 0,
                "Tile: Rows of a tile whose boxes are column-major in both orders must be a multiple of InnerRows");

  /// The valid extents where they are DYNAMIC; without meaning where they are static.
  unsigned RowMaskInternal = kRowValid == DYNAMIC ? kRows : kRowValid;
  unsigned ColMaskInternal = kColValid == DYNAMIC ? kCols : kColValid;

  constexpr Tile() noexcept = default;
  constexpr Tile(unsigned rows, unsigned cols) noexcept requires(kRowValid == DYNAMIC && kColValid == DYNAMIC)
      : RowMaskInternal(rows), ColMaskInternal(cols) {}
  constexpr Tile(unsigned rows) noexcept  // NOLINT(runtime/explicit)
      requires(kRowValid == DYNAMIC && kColValid != DYNAMIC)
      : RowMaskInternal(rows) {}
  constexpr Tile(unsigned cols) noexcept  // NOLINT(runtime/explicit)
      requires(kRowValid != DYNAMIC && kColValid == DYNAMIC)
      : ColMaskInternal(cols) {}

  /// The extents that instructions act on; constants where they are static.
  static constexpr unsigned GetValidRow() noexcept requires(kRowValid != DYNAMIC) { return kRowValid; }
  constexpr unsigned GetValidRow() const noexcept requires(kRowValid == DYNAMIC) { return RowMaskInternal; }
  static constexpr unsigned GetValidCol() noexcept requires(kColValid != DYNAMIC) { return kColValid; }
  constexpr unsigned GetValidCol() const noexcept requires(kColValid == DYNAMIC) { return ColMaskInternal; }

  constexpr void SetValidRow(unsigned rows) noexcept {
    static_assert(kRowValid == DYNAMIC, "Tile::SetValidRow: the valid rows are not DYNAMIC");
    RowMaskInternal = rows;
  }
  constexpr void SetValidCol(unsigned cols) noexcept {
    static_assert(kColValid == DYNAMIC, "Tile::SetValidCol: the valid columns are not DYNAMIC");
    ColMaskInternal = cols;
  }
  constexpr void SetValidShape(unsigned rows, unsigned cols) noexcept {
    SetValidRow(rows);
    SetValidCol(cols);
  }

  /// The storage; null before TASSIGN.
  constexpr TileDType& data() noexcept { return data_; }
  constexpr const TileDType& data() const noexcept { return data_; }

  /// The element at a storage offset (in elements). Reads and writes bytes, so tiles of different types may overlap.
  DType GetValue(std::uint32_t offset) const noexcept {
    static_assert(kLoc == TileType::Vec, "Tile::GetValue: only Vec tiles have scalar access");
    DType value;
    std::memcpy(static_cast<void*>(&value), data_ + offset, sizeof(DType));
    return value;
  }
  void SetValue(std::uint32_t offset, DType value) noexcept {
    static_assert(kLoc == TileType::Vec, "Tile::SetValue: only Vec tiles have scalar access");
    std::memcpy(static_cast<void*>(data_ + offset), &value, sizeof(DType));
  }

  /// The element at logical row `r` and column `c`.
  DType GetElement(std::uint32_t r, std::uint32_t c) const noexcept {
    DType value;
    std::memcpy(static_cast<void*>(&value), data_ + offset_of(r, c), sizeof(DType));
    return value;
  }
  void SetElement(std::uint32_t r, std::uint32_t c, DType value) noexcept {
    std::memcpy(static_cast<void*>(data_ + offset_of(r, c)), &value, sizeof(DType));
  }

  static constexpr std::uint32_t GetSizeInBytes() noexcept { return Numel * sizeof(DType); }
  constexpr bool GetKAligned() const noexcept { return k_aligned_; }
  constexpr void SetKAligned(bool aligned) noexcept { k_aligned_ = aligned; }

 private:
  friend struct tileput_detail::Binder;

  /// Spec section 5.5.
  static constexpr std::uint64_t offset_of(std::uint64_t r, std::uint64_t c) noexcept {
    if constexpr (!isBoxedLayout) {
      return r * RowStride + c * ColStride;
    } else {
      const std::uint64_t box_row = r / InnerRows;
      const std::uint64_t box_col = c / InnerCols;
      const std::uint64_t outer = isRowMajor ? box_row * kCols * InnerRows + box_col * InnerNumel
                                             : box_col * kRows * InnerCols + box_row * InnerNumel;
      return outer +
             (isInnerRowMajor ? r % InnerRows * InnerCols + c % InnerCols : c % InnerCols * InnerRows + r % InnerRows);
    }
  }

  TileDType data_ = nullptr;
  bool k_aligned_ = false;
};

template <class T, int Rows, int Cols, int RowValid = Rows, int ColValid = Cols>
using TileLeft = Tile<TileType::Left, T, Rows, Cols, BLayout::ColMajor, RowValid, ColValid, SLayout::RowMajor, 512>;

template <class T, int Rows, int Cols, int RowValid = Rows, int ColValid = Cols>
using TileRight = Tile<TileType::Right, T, Rows, Cols, BLayout::RowMajor, RowValid, ColValid, SLayout::ColMajor, 512>;

template <class T, int Rows, int Cols, int RowValid = Rows, int ColValid = Cols>
using TileAcc = Tile<TileType::Acc, T, Rows, Cols, BLayout::ColMajor, RowValid, ColValid, SLayout::RowMajor, 1024>;

namespace tileput_detail {

template <class T>
inline constexpr bool kIsTile = false;
template <TileType loc, class E, int r, int c, BLayout b, int rv, int cv, SLayout s, int fs, auto pad, CompactMode m>
inline constexpr bool kIsTile<Tile<loc, E, r, c, b, rv, cv, s, fs, pad, m>> = true;

}  // namespace tileput_detail

/// Whether T is a Tile.
template <class T>
inline constexpr bool is_tile_data_v = tileput_detail::kIsTile<std::remove_cvref_t<T>>;

/// Whether T is a convolution tile; there are none here.
template <class T>
inline constexpr bool is_conv_tile_v = false;

}  // namespace pto

#include "pto/common/address_space.hpp"
