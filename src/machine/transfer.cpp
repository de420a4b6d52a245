// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/machine/transfer.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "machine/blocks.hpp"
#include "machine/scratch.hpp"
#include "machine/transpose.hpp"
#include "tileput/machine/vector_unit.hpp"

namespace tileput::machine {

namespace {

/// Calls work(an unsigned integer as large as an element).
template <class Work>
void with_word(std::uint32_t element_bytes, Work&& work) {
  switch (element_bytes) {
    case 1: return work(std::uint8_t{});
    case 2: return work(std::uint16_t{});
    case 4: return work(std::uint32_t{});
    default: return work(std::uint64_t{});
  }
}

/// Copies `count` elements whose addresses advance by the given byte steps.
template <class Word>
void copy_elements(std::byte* target, std::int64_t target_step, const std::byte* source, std::int64_t source_step,
                   std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(target + i * target_step, source + i * source_step, sizeof(Word));
  }
}

/// Copies rows x cols elements that are not adjacent in the rows of both sides.
template <class Word>
void copy_scattered(const Block& target, const Block& source, std::int64_t rows, std::int64_t cols) {
  constexpr std::int64_t kBytes = sizeof(Word);
  constexpr std::int64_t kSquare = Vector16<Word>::kWords;
  const auto copy_singly = [&](std::int64_t row_begin, std::int64_t row_end, std::int64_t col) {
    for (std::int64_t r = row_begin; r < row_end; ++r) {
      const Block to = advanced(target, r, col);
      const Block from = advanced(source, r, col);
      copy_elements<Word>(to.address, to.col_step_bytes, from.address, from.col_step_bytes, cols - col);
    }
  };
  std::int64_t row = 0;
  if (target.col_step_bytes == kBytes && source.row_step_bytes == kBytes) {
    for (; row + kSquare <= rows; row += kSquare) {
      std::int64_t col = 0;
      for (; col + kSquare <= cols; col += kSquare) {
        copy_transposed<Word>(advanced(target, row, col).address, target.row_step_bytes,
                              advanced(source, row, col).address, source.col_step_bytes);
      }
      copy_singly(row, row + kSquare, col);
    }
  }
  copy_singly(row, rows, 0);
}

/// Copies `count` runs of `bytes` bytes. A constant for the widths of boxes, so that such a run is a few moves.
void copy_runs(std::byte* target, std::int64_t target_step, const std::byte* source, std::int64_t source_step,
               std::int64_t count, std::int64_t bytes) {
  const auto each = [&](auto size) {
    for (std::int64_t i = 0; i < count; ++i) {
      std::memcpy(target + i * target_step, source + i * source_step, static_cast<std::size_t>(size));
    }
  };
  switch (bytes) {
    case 32: return each(std::integral_constant<std::int64_t, 32>{});
    case 64: return each(std::integral_constant<std::int64_t, 64>{});
    default: return each(bytes);
  }
}

/// Calls move(Block of the tile, Block of the tensor, Rectangle of the tile) for blocks that make up what both sides
/// have. A tensor is a grid of matrices of its dimensions 3 and 4, whichever of the other dimensions continue its rows
/// and which its columns.
template <class Move>
void for_each_common_block(const TileRegion& tile, const GlobalRegion& tensor, Move&& move) {
  const auto bytes = static_cast<std::int64_t>(tensor.element_bytes);
  const TileExtent extent = extent_of(tensor);
  const std::int64_t rows = std::min<std::int64_t>(tile.valid_rows, extent.rows);
  const std::int64_t cols = std::min<std::int64_t>(tile.valid_cols, extent.cols);
  const std::int64_t matrix_rows = tensor.shape[3];
  const std::int64_t matrix_cols = tensor.shape[4];
  if (matrix_rows <= 0 || matrix_cols <= 0) {
    return;
  }
  for (std::int64_t row = 0; row < rows; row += matrix_rows) {
    for (std::int64_t col = 0; col < cols; col += matrix_cols) {
      const Block matrix{tensor.address + tensor_offset(tensor, row, col) * bytes, tensor.stride[3] * bytes,
                         tensor.stride[4] * bytes};
      const Rectangle part{row, col, std::min(matrix_rows, rows - row), std::min(matrix_cols, cols - col)};
      for_each_block(tile, part, [&](const Block& block, const Rectangle& at) {
        move(block, advanced(matrix, at.row - row, at.col - col), at);
      });
    }
  }
}

}  // namespace

void copy_strided(const GlobalRegion& target, const GlobalRegion& source) {
  const std::int64_t* const n = source.shape;
  if (source.elements() <= 0) {
    return;
  }
  std::int64_t run = 1;
  int outer = kDims;  // dimensions [0, outer) are walked, the rest is one contiguous run
  while (outer > 0 && (n[outer - 1] == 1 || (target.stride[outer - 1] == run && source.stride[outer - 1] == run))) {
    run *= n[outer - 1];
    --outer;
  }
  const auto bytes = static_cast<std::int64_t>(source.element_bytes);
  if (outer == 0) {
    std::memcpy(target.address, source.address, static_cast<std::size_t>(run * bytes));
    return;
  }
  const int last = outer - 1;
  const std::int64_t target_step = target.stride[last] * bytes;
  const std::int64_t source_step = source.stride[last] * bytes;
  std::int64_t index[kDims] = {};
  for (;;) {
    std::byte* t = target.address;
    const std::byte* s = source.address;
    for (int d = 0; d < last; ++d) {
      t += index[d] * target.stride[d] * bytes;
      s += index[d] * source.stride[d] * bytes;
    }
    if (run == 1) {
      with_word(source.element_bytes,
                [&](auto word) { copy_elements<decltype(word)>(t, target_step, s, source_step, n[last]); });
    } else {
      for (std::int64_t i = 0; i < n[last]; ++i) {
        std::memcpy(t + i * target_step, s + i * source_step, static_cast<std::size_t>(run * bytes));
      }
    }
    int d = last - 1;
    while (d >= 0 && ++index[d] == n[d]) {
      index[d--] = 0;
    }
    if (d < 0) {
      return;
    }
  }
}

void copy_block(const Block& target, const Block& source, std::int64_t rows, std::int64_t cols,
                std::uint32_t element_bytes) {
  const auto bytes = static_cast<std::int64_t>(element_bytes);
  if (target.address == source.address) {
    return;  // equal blocks: they would overlap otherwise
  }
  Block t = target;
  Block s = source;
  const bool in_rows = t.col_step_bytes == bytes && s.col_step_bytes == bytes;
  if (!in_rows && t.row_step_bytes == bytes) {  // so that the inner loop writes adjacent elements
    std::swap(t.row_step_bytes, t.col_step_bytes);
    std::swap(s.row_step_bytes, s.col_step_bytes);
    std::swap(rows, cols);
  }
  if (rows <= 0 || cols <= 0) {
    return;
  }
  if (t.col_step_bytes != bytes || s.col_step_bytes != bytes) {
    with_word(element_bytes, [&](auto word) { copy_scattered<decltype(word)>(t, s, rows, cols); });
  } else if (t.row_step_bytes == cols * bytes && s.row_step_bytes == cols * bytes) {
    std::memcpy(t.address, s.address, static_cast<std::size_t>(rows * cols * bytes));
  } else {
    copy_runs(t.address, t.row_step_bytes, s.address, s.row_step_bytes, rows, cols * bytes);
  }
}

void load_tile_in_blocks(const TileRegion& tile, const GlobalRegion& tensor) {
  for_each_common_block(tile, tensor, [&](const Block& in_tile, const Block& in_tensor, const Rectangle& at) {
    copy_block(in_tile, in_tensor, at.rows, at.cols, tile.element_bytes);
  });
}

void store_tile_in_blocks(const GlobalRegion& tensor, const TileRegion& tile) {
  for_each_common_block(tile, tensor, [&](const Block& in_tile, const Block& in_tensor, const Rectangle& at) {
    copy_block(in_tensor, in_tile, at.rows, at.cols, tile.element_bytes);
  });
}

void move_tile(const TileRegion& target, const TileRegion& source) {
  const Rectangle common{.rows = std::min(target.valid_rows, source.valid_rows),
                         .cols = std::min(target.valid_cols, source.valid_cols)};
  for_each_block(target, common, [&](const Block& to, const Rectangle& outer) {
    for_each_block(source, outer, [&](const Block& from, const Rectangle& at) {
      copy_block(advanced(to, at.row - outer.row, at.col - outer.col), from, at.rows, at.cols, target.element_bytes);
    });
  });
}

TileRegion converted(const TileRegion& tile, const Rectangle& part, Element element, std::uint32_t element_bytes) {
  thread_local Scratch scratch;
  // A last row of boxes that is only partly used is stored whole where boxes are in row-major order.
  const std::int64_t box_rows = tile.layout.inner_rows;
  const std::int64_t elements = (tile.rows + box_rows - 1) / box_rows * box_rows * tile.cols;
  TileRegion result = tile;
  result.element = element;
  result.element_bytes = element_bytes;
  result.address = scratch.get(static_cast<std::size_t>(elements) * element_bytes);
  const auto from_bytes = static_cast<std::int64_t>(tile.element_bytes);
  const auto to_bytes = static_cast<std::int64_t>(element_bytes);
  for_each_block(tile, part, [&](const Block& block, const Rectangle& at) {
    const bool in_rows = block.col_step_bytes == from_bytes;
    const std::int64_t pitch = (in_rows ? block.row_step_bytes : block.col_step_bytes) / from_bytes;
    Runs runs{.count = in_rows ? at.rows : at.cols, .length = in_rows ? at.cols : at.rows};
    if (pitch == runs.length) {
      runs.length *= runs.count;
      runs.count = 1;
    }
    runs.address[0] = result.address + (block.address - tile.address) / from_bytes * to_bytes;
    runs.address[1] = block.address;
    runs.pitch_bytes[0] = pitch * to_bytes;
    runs.pitch_bytes[1] = pitch * from_bytes;
    convert(element, tile.element, Rounding::kRint, false, runs);
  });
  return result;
}

void store_tile_converted(const GlobalRegion& tensor, const TileRegion& tile) {
  const Rectangle valid{.rows = tile.valid_rows, .cols = tile.valid_cols};
  store_tile(tensor, converted(tile, valid, tensor.element, tensor.element_bytes));
}

void pad_tile(const TileRegion& tile) {
  const auto bytes = static_cast<std::int64_t>(tile.element_bytes);
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    for (std::int64_t c = r < tile.valid_rows ? tile.valid_cols : 0; c < tile.cols; ++c) {
      std::memcpy(tile.address + tile_offset(tile, r, c) * bytes, &tile.pad, tile.element_bytes);
    }
  }
}

void copy_chunks(const GlobalRegion& target, const GlobalRegion& source, const TileRegion& staging, Pieces pieces) {
  const Chunking chunking = chunking_of(source, staging);
  for (std::int64_t i = pieces.first; i < pieces.first + pieces.count; ++i) {
    copy_global(chunk_of(target, chunking, i), chunk_of(source, chunking, i));
  }
}

}  // namespace tileput::machine
