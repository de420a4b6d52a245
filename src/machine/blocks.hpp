// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Tiles as rectangles whose elements lie at constant steps, so that moving them needs no division per element.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tileput/machine/instruction.hpp"
#include "tileput/machine/transfer.hpp"

namespace tileput::machine {

/// Rows and columns of a tile or matrix.
struct Rectangle {
  std::int64_t row = 0;
  std::int64_t col = 0;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
};

/// Elements in memory: where the first one is and how far rows and columns are apart.
struct Block {
  std::byte* address;
  std::int64_t row_step_bytes;
  std::int64_t col_step_bytes;
};

/// The block whose first element is element (rows, cols) of this one.
constexpr Block advanced(const Block& block, std::int64_t rows, std::int64_t cols) noexcept {
  return {block.address + rows * block.row_step_bytes + cols * block.col_step_bytes, block.row_step_bytes,
          block.col_step_bytes};
}

/// target(r,c) = source(r,c) for rows x cols elements. The blocks are equal or do not overlap.
void copy_block(const Block& target, const Block& source, std::int64_t rows, std::int64_t cols,
                std::uint32_t element_bytes);

/// Calls visit(Block, Rectangle) for the largest blocks that make up `part` of a tile's storage.
///
/// They are the whole tile without boxes; a column of boxes where boxes are stored column by column and each by rows
/// (each such column is one matrix of all rows and a box's columns); the transpose of that; else a box.
template <class Visit>
void for_each_block(const TileRegion& tile, const Rectangle& part, Visit&& visit) {
  const TileLayout& layout = tile.layout;
  const auto bytes = static_cast<std::int64_t>(tile.element_bytes);
  const std::int64_t box_bytes = bytes * layout.inner_rows * layout.inner_cols;
  const bool by_rows = layout.boxed ? layout.inner_row_major : layout.row_major;
  const bool nested = layout.boxed && layout.row_major == layout.inner_row_major;
  const std::int64_t block_rows = layout.boxed && (nested || layout.row_major) ? layout.inner_rows : tile.rows;
  const std::int64_t block_cols = layout.boxed && (nested || !layout.row_major) ? layout.inner_cols : tile.cols;
  // From a block to the one below and the one beside it, and inside a block.
  const std::int64_t down_bytes = layout.row_major ? bytes * tile.cols * layout.inner_rows : box_bytes;
  const std::int64_t beside_bytes = layout.row_major ? box_bytes : bytes * tile.rows * layout.inner_cols;
  const std::int64_t row_step = !by_rows ? bytes : bytes * (layout.boxed ? layout.inner_cols : tile.cols);
  const std::int64_t col_step = by_rows ? bytes : bytes * (layout.boxed ? layout.inner_rows : tile.rows);
  const std::int64_t first_block_row = part.row / block_rows;
  const std::int64_t first_block_col = part.col / block_cols;
  const std::int64_t row_end = part.row + part.rows;
  const std::int64_t col_end = part.col + part.cols;
  std::int64_t block_row = first_block_row;
  for (std::int64_t row = part.row; row < row_end; ++block_row) {
    const std::int64_t next_row = std::min((block_row + 1) * block_rows, row_end);
    std::byte* const address = tile.address + block_row * down_bytes + (row - block_row * block_rows) * row_step;
    std::int64_t block_col = first_block_col;
    for (std::int64_t col = part.col; col < col_end; ++block_col) {
      const std::int64_t next_col = std::min((block_col + 1) * block_cols, col_end);
      visit(Block{address + block_col * beside_bytes + (col - block_col * block_cols) * col_step, row_step, col_step},
            Rectangle{row, col, next_row - row, next_col - col});
      col = next_col;
    }
    row = next_row;
  }
}

/// A tile of the same layout in memory of this thread in which `part` is that of `tile` converted by value: to nearest,
/// ties to even, without saturation. It holds until the next call on this thread.
TileRegion converted(const TileRegion& tile, const Rectangle& part, Element element, std::uint32_t element_bytes);

}  // namespace tileput::machine
