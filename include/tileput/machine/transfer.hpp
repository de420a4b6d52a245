// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The native action of every instruction that moves data: one strided copy between two 5-D regions.
///
/// A tile is turned into a region (its rows and columns spread over the tensor's five dimensions), so that TLOAD,
/// TSTORE, TPUT and TGET share copy_global(). Everything inlines: with static shapes a contiguous transfer becomes
/// one memcpy call. Cost otherwise: a call and one memcpy per contiguous run.
/// Calls out of line get copies of their regions, so that the inlined path never needs one in memory.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "tileput/machine/core.hpp"
#include "tileput/machine/instruction.hpp"

namespace tileput::machine {

/// The general strided copy: the longest contiguous run of inner dimensions is one memcpy, the rest is walked.
void copy_strided(const GlobalRegion& target, const GlobalRegion& source);

/// target(i0..i4) = source(i0..i4) for all elements of `source`'s shape, each side by its own strides.
/// Regions have equal shapes and do not overlap; any extent 0 copies nothing. Strides never say anything about sizes.
TILEPUT_ALWAYS_INLINE void copy_global(const GlobalRegion& target, const GlobalRegion& source) {
  std::int64_t run = 1;
  bool contiguous = true;
#pragma GCC unroll 5
  for (int d = kDims - 1; d >= 0; --d) {
    const std::int64_t n = source.shape[d];
    contiguous = contiguous && (n <= 1 || (target.stride[d] == run && source.stride[d] == run));
    run *= n > 0 ? n : 0;
  }
  if (run == 0) {
    return;
  }
  if (contiguous) {
    auto bytes = static_cast<std::size_t>(run) * source.element_bytes;
#if defined(__GNUC__) && !defined(__clang__)
    // g++ derives an upper bound for most dynamic sizes and would inline `rep movsq`, which takes two to three times as
    // long as the library's memcpy below a KiB. This hides the bound; constant sizes stay constant.
    if (!__builtin_constant_p(bytes)) {
      __asm__("" : "+r"(bytes));
    }
#endif
    std::memcpy(target.address, source.address, bytes);
  } else {
    copy_strided(GlobalRegion(target), GlobalRegion(source));
  }
}

/// Whether two regions of one shape are the same elements.
constexpr bool is_same_memory(const GlobalRegion& a, const GlobalRegion& b) noexcept {
  bool same = a.address == b.address;
  for (int d = 0; d < kDims; ++d) {
    same = same && (a.shape[d] <= 1 || a.stride[d] == b.stride[d]);
  }
  return same;
}

/// copy_global() of regions that may be the same.
TILEPUT_ALWAYS_INLINE void copy_unless_same(const GlobalRegion& target, const GlobalRegion& source) {
  if (!is_same_memory(target, source)) {
    copy_global(target, source);
  }
}

/// Rows and columns that a tensor presents to a tile (spec section 8.1).
struct TileExtent {
  std::int64_t rows;
  std::int64_t cols;
};

constexpr TileExtent extent_of(const GlobalRegion& g) noexcept {
  switch (g.layout) {
    case TensorLayout::kNd: return {g.shape[0] * g.shape[1] * g.shape[2] * g.shape[3], g.shape[4]};
    case TensorLayout::kDn: return {g.shape[3], g.shape[0] * g.shape[1] * g.shape[2] * g.shape[4]};
    case TensorLayout::kNz: return {g.shape[2] * g.shape[3], g.shape[0] * g.shape[1] * g.shape[4]};
  }
  return {0, 0};
}

/// The tensor with the layout by which a transfer with `tile` maps its dimensions.
///
/// Spec section 8.1 says twice what an ND tensor is to a column-major tile: by the mapping of its layout, rows
/// enumerate dimensions 0 to 3; by the contract of column-major tiles, rows are dimension 3 alone, as with DN.
/// Whichever of the two has the tile's valid extents is taken. Where both have them dimensions 0 to 2 are 1 and they
/// are the same.
constexpr GlobalRegion mapped_to(const TileRegion& tile, const GlobalRegion& tensor) noexcept {
  const auto fits = [&tile](const GlobalRegion& g) {
    const TileExtent extent = extent_of(g);
    return extent.rows == tile.valid_rows && extent.cols == tile.valid_cols;
  };
  if (tensor.layout == TensorLayout::kNd && !tile.layout.row_major && !fits(tensor)) {
    GlobalRegion by_tile = tensor;
    by_tile.layout = TensorLayout::kDn;
    if (fits(by_tile)) {
      return by_tile;
    }
  }
  return tensor;
}

/// Whether a transfer with extents that differ still has one meaning, the common part. An ND tensor of more than one
/// row matrix and a column-major tile that fits neither mapping have two, of which each would lose other elements.
constexpr bool is_unambiguous(const TileRegion& tile, const GlobalRegion& tensor) noexcept {
  if (tensor.layout != TensorLayout::kNd || tile.layout.row_major ||
      tensor.shape[0] * tensor.shape[1] * tensor.shape[2] <= 1 || tensor.elements() <= 0) {
    return true;
  }
  const GlobalRegion mapped = mapped_to(tile, tensor);
  const TileExtent extent = extent_of(mapped);
  return extent.rows == tile.valid_rows && extent.cols == tile.valid_cols;
}

/// An unboxed tile as the region whose element (i0..i4) is the tile's element for that tensor element.
constexpr GlobalRegion spread_over(const TileRegion& tile, const GlobalRegion& tensor) noexcept {
  const std::int64_t row = tile.layout.row_major ? tile.cols : 1;
  const std::int64_t col = tile.layout.row_major ? 1 : tile.rows;
  const std::int64_t* const n = tensor.shape;
  GlobalRegion region = tensor;
  region.address = tile.address;
  region.stride[3] = row;
  region.stride[4] = col;
  switch (tensor.layout) {
    case TensorLayout::kNd:
      region.stride[2] = row * n[3];
      region.stride[1] = region.stride[2] * n[2];
      region.stride[0] = region.stride[1] * n[1];
      break;
    case TensorLayout::kDn:
      region.stride[2] = col * n[4];
      region.stride[1] = region.stride[2] * n[2];
      region.stride[0] = region.stride[1] * n[1];
      break;
    case TensorLayout::kNz:
      region.stride[2] = row * n[3];
      region.stride[1] = col * n[4];
      region.stride[0] = region.stride[1] * n[1];
      break;
  }
  return region;
}

/// Storage offset in elements of tile element (r, c), boxed or not.
constexpr std::int64_t tile_offset(const TileRegion& tile, std::int64_t r, std::int64_t c) noexcept {
  const TileLayout& layout = tile.layout;
  if (!layout.boxed) {
    return layout.row_major ? r * tile.cols + c : c * tile.rows + r;
  }
  const std::int64_t box_row = r / layout.inner_rows;
  const std::int64_t box_col = c / layout.inner_cols;
  const std::int64_t in_row = r % layout.inner_rows;
  const std::int64_t in_col = c % layout.inner_cols;
  const std::int64_t box = std::int64_t{layout.inner_rows} * layout.inner_cols;
  const std::int64_t outer = layout.row_major ? box_row * tile.cols * layout.inner_rows + box_col * box
                                              : box_col * tile.rows * layout.inner_cols + box_row * box;
  const std::int64_t inner =
      layout.inner_row_major ? in_row * layout.inner_cols + in_col : in_col * layout.inner_rows + in_row;
  return outer + inner;
}

/// Offset in elements of the tensor element that tile element (r, c) corresponds to.
constexpr std::int64_t tensor_offset(const GlobalRegion& g, std::int64_t r, std::int64_t c) noexcept {
  const std::int64_t* const n = g.shape;
  const std::int64_t* const s = g.stride;
  switch (g.layout) {
    case TensorLayout::kNd:
      return c * s[4] + r % n[3] * s[3] + r / n[3] % n[2] * s[2] + r / (n[3] * n[2]) % n[1] * s[1] +
             r / (n[3] * n[2] * n[1]) * s[0];
    case TensorLayout::kDn:
      return r * s[3] + c % n[4] * s[4] + c / n[4] % n[2] * s[2] + c / (n[4] * n[2]) % n[1] * s[1] +
             c / (n[4] * n[2] * n[1]) * s[0];
    case TensorLayout::kNz:
      return r % n[3] * s[3] + r / n[3] * s[2] + c % n[4] * s[4] + c / n[4] % n[1] * s[1] + c / (n[4] * n[1]) * s[0];
  }
  return 0;
}

/// Calls move(tile element address, tensor element address) for every element that both sides have.
template <class Move>
void for_each_common_element(const TileRegion& tile, const GlobalRegion& tensor, Move&& move) {
  const TileExtent extent = extent_of(tensor);
  const std::int64_t rows = std::min<std::int64_t>(tile.valid_rows, extent.rows);
  const std::int64_t cols = std::min<std::int64_t>(tile.valid_cols, extent.cols);
  const auto bytes = static_cast<std::int64_t>(tile.element_bytes);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c) {
      move(tile.address + tile_offset(tile, r, c) * bytes, tensor.address + tensor_offset(tensor, r, c) * bytes);
    }
  }
}

/// The general form, by the blocks of what both sides have: boxed tiles, and extents that differ.
void load_tile_in_blocks(const TileRegion& tile, const GlobalRegion& tensor);
void store_tile_in_blocks(const GlobalRegion& tensor, const TileRegion& tile);
/// Writes `tile.pad` to all storage outside the valid region.
void pad_tile(const TileRegion& tile);

constexpr bool is_plain_transfer(const TileRegion& tile, const GlobalRegion& tensor) noexcept {
  const TileExtent extent = extent_of(tensor);
  return !tile.layout.boxed && extent.rows == tile.valid_rows && extent.cols == tile.valid_cols;
}

/// TLOAD: the valid region of `tile` from `tensor`. Where the extents differ, the smaller of both is moved.
TILEPUT_ALWAYS_INLINE void load_tile(const TileRegion& tile, const GlobalRegion& tensor) {
  if (tile.padded) {
    pad_tile(TileRegion(tile));
  }
  const GlobalRegion mapped = mapped_to(tile, tensor);
  if (is_plain_transfer(tile, mapped)) [[likely]] {
    copy_global(spread_over(tile, mapped), mapped);
  } else {
    load_tile_in_blocks(TileRegion(tile), GlobalRegion(mapped));
  }
}

/// TSTORE: the valid region of `tile` to `tensor`; nothing else of the tensor's memory is touched.
TILEPUT_ALWAYS_INLINE void store_tile(const GlobalRegion& tensor, const TileRegion& tile) {
  const GlobalRegion mapped = mapped_to(tile, tensor);
  if (is_plain_transfer(tile, mapped)) [[likely]] {
    copy_global(mapped, spread_over(tile, mapped));
  } else {
    store_tile_in_blocks(GlobalRegion(mapped), TileRegion(tile));
  }
}

/// TSTORE of a tile to a tensor of another element type: converts by value, to nearest with ties to even, without
/// saturation.
void store_tile_converted(const GlobalRegion& tensor, const TileRegion& tile);

/// TMOV: target(r,c) = source(r,c) for the valid elements that both tiles have; their elements have the same size.
/// The tiles do not overlap unless they are the same storage in the same layout.
void move_tile(const TileRegion& target, const TileRegion& source);

/// How TPUT and TGET cut a transfer by their staging tile (spec section 10.2): dimensions 0..2 are walked, dimension
/// 3 is cut by the valid rows and dimension 4 by the valid columns. What fits the tile as a whole is one chunk.
struct Chunking {
  std::int64_t rows;  ///< extent of a chunk in dimension 3
  std::int64_t cols;  ///< extent of a chunk in dimension 4
  std::int64_t row_chunks;
  std::int64_t col_chunks;
  std::int64_t outer;  ///< elements of dimensions 0..2, or 1 when all is one chunk
  bool whole;

  [[nodiscard]] constexpr std::int64_t count() const noexcept { return outer * row_chunks * col_chunks; }
};

constexpr Chunking chunking_of(const GlobalRegion& g, const TileRegion& staging) noexcept {
  const std::int64_t* const n = g.shape;
  if (g.elements() <= 0) {
    return {0, 0, 0, 0, 0, true};
  }
  if (n[0] * n[1] * n[2] * n[3] <= staging.valid_rows && n[4] <= staging.valid_cols) {
    return {n[3], n[4], 1, 1, 1, true};
  }
  const std::int64_t rows = std::max<std::int64_t>(1, staging.valid_rows);
  const std::int64_t cols = std::max<std::int64_t>(1, staging.valid_cols);
  return {rows, cols, (n[3] + rows - 1) / rows, (n[4] + cols - 1) / cols, n[0] * n[1] * n[2], false};
}

/// Chunk `index` of a region.
constexpr GlobalRegion chunk_of(const GlobalRegion& g, const Chunking& chunking, std::int64_t index) noexcept {
  if (chunking.whole) {
    return g;
  }
  const std::int64_t col = index % chunking.col_chunks * chunking.cols;
  const std::int64_t row = index / chunking.col_chunks % chunking.row_chunks * chunking.rows;
  const std::int64_t outer = index / (chunking.col_chunks * chunking.row_chunks);
  const std::int64_t i2 = outer % g.shape[2];
  const std::int64_t i1 = outer / g.shape[2] % g.shape[1];
  const std::int64_t i0 = outer / (g.shape[2] * g.shape[1]);
  GlobalRegion part = g;
  part.address += (i0 * g.stride[0] + i1 * g.stride[1] + i2 * g.stride[2] + row * g.stride[3] + col * g.stride[4]) *
                  static_cast<std::int64_t>(g.element_bytes);
  part.shape[0] = part.shape[1] = part.shape[2] = 1;
  part.shape[3] = std::min(chunking.rows, g.shape[3] - row);
  part.shape[4] = std::min(chunking.cols, g.shape[4] - col);
  return part;
}

/// Some chunks of a TPUT or TGET; the bytes of the staging tile are left alone (spec section 20 allows it).
void copy_chunks(const GlobalRegion& target, const GlobalRegion& source, const TileRegion& staging, Pieces pieces);

}  // namespace tileput::machine
