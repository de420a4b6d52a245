// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// The vector unit's operations on whole tiles.

#include <algorithm>
#include <array>
#include <cstring>

#include "machine/vector_runs.hpp"
#include "tileput/error.hpp"
#include "tileput/machine/transfer.hpp"
#include "tileput/machine/vector_unit.hpp"

namespace tileput::machine {

namespace {

/// Whether all tiles are stored by rows, or all by columns, so that their elements are runs.
template <std::size_t kTiles>
bool are_runs(const std::array<const TileRegion*, kTiles>& tiles) {
  return std::all_of(tiles.begin(), tiles.end(), [&](const TileRegion* tile) {
    return !tile->layout.boxed && tile->layout.row_major == tiles[0]->layout.row_major;
  });
}

template <std::size_t kTiles>
Runs runs_of(const std::array<const TileRegion*, kTiles>& tiles) {
  const TileRegion& target = *tiles[0];
  const bool by_rows = target.layout.row_major;
  Runs runs{.count = by_rows ? target.valid_rows : target.valid_cols,
            .length = by_rows ? target.valid_cols : target.valid_rows};
  for (std::size_t k = 0; k < kTiles; ++k) {
    runs.address[k] = tiles[k]->address;
    runs.pitch_bytes[k] = std::int64_t{by_rows ? tiles[k]->cols : tiles[k]->rows} * tiles[k]->element_bytes;
  }
  return runs;
}

/// The elements of a block, which is a part of the row-major order of the target's valid region.
constexpr std::int64_t kBlockElements = 256;
struct Block {
  std::int64_t first;
  std::int64_t count;
  std::int64_t valid_cols;
};
using BlockBytes = std::array<std::byte, kBlockElements * sizeof(std::uint64_t)>;

template <class Visit>
void for_each_element(const TileRegion& tile, const Block& block, Visit&& visit) {
  std::int64_t r = block.first / block.valid_cols;
  std::int64_t c = block.first % block.valid_cols;
  for (std::int64_t i = 0; i < block.count; ++i) {
    visit(tile.address + tile_offset(tile, r, c) * tile.element_bytes, i * tile.element_bytes);
    if (++c == block.valid_cols) {
      c = 0;
      ++r;
    }
  }
}

void gather(BlockBytes& bytes, const TileRegion& tile, const Block& block) {
  for_each_element(tile, block, [&](const std::byte* element, std::int64_t offset) {
    std::memcpy(bytes.data() + offset, element, tile.element_bytes);
  });
}

void scatter(const TileRegion& tile, const BlockBytes& bytes, const Block& block) {
  for_each_element(tile, block, [&](std::byte* element, std::int64_t offset) {
    std::memcpy(element, bytes.data() + offset, tile.element_bytes);
  });
}

/// Runs `action` on tiles[0] = target and the sources after it, in place or block by block.
template <std::size_t kTiles, class Action>
void on_tiles(const std::array<const TileRegion*, kTiles>& tiles, Action&& action) {
  if (are_runs(tiles)) {
    action(runs_of(tiles));
    return;
  }
  const TileRegion& target = *tiles[0];
  const std::int64_t elements = std::int64_t{target.valid_rows} * target.valid_cols;
  std::array<BlockBytes, kTiles> bytes;
  for (std::int64_t first = 0; first < elements; first += kBlockElements) {
    const Block block{first, std::min(kBlockElements, elements - first), target.valid_cols};
    Runs run{.count = 1, .length = block.count};
    for (std::size_t k = 0; k < kTiles; ++k) {
      run.address[k] = bytes[k].data();
      if (k > 0) {
        gather(bytes[k], *tiles[k], block);
      }
    }
    action(run);
    scatter(target, bytes[0], block);
  }
}

}  // namespace

void require_computed(Element element) {
  if (element == Element::kS64 || element == Element::kU64 || element == Element::kF64) [[unlikely]] {
    throw Error(ErrorCode::kInternal, "the vector unit was given elements of 64 bits",
                "this is a defect of tileput: instructions refuse them when they are compiled");
  }
}

void combine_tiles(VectorOp op, const TileRegion& target, const TileRegion& a, const TileRegion& b) {
  on_tiles(std::array{&target, &a, &b}, [&](const Runs& runs) { combine(op, target.element, runs); });
}

void combine_tile_scalar(VectorOp op, const TileRegion& target, const TileRegion& a, std::uint64_t bits) {
  on_tiles(std::array{&target, &a}, [&](const Runs& runs) { combine_scalar(op, target.element, runs, bits); });
}

void fill_tile(const TileRegion& target, std::uint64_t bits) {
  on_tiles(std::array{&target}, [&](const Runs& runs) { fill(target.element_bytes, runs, bits); });
}

void convert_tile(const TileRegion& target, const TileRegion& a, Rounding rounding, bool saturate) {
  on_tiles(std::array{&target, &a},
           [&](const Runs& runs) { convert(target.element, a.element, rounding, saturate, runs); });
}

void sum_rows(const TileRegion& target, const TileRegion& a) {
  Runs runs{.count = a.valid_rows, .length = a.valid_cols};
  runs.address[0] = target.address;
  runs.address[1] = a.address;
  runs.pitch_bytes[0] = std::int64_t{target.layout.row_major ? target.cols : 1} * target.element_bytes;
  runs.pitch_bytes[1] = std::int64_t{a.cols} * a.element_bytes;
  sum(a.element, runs);
}

}  // namespace tileput::machine
