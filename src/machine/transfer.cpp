// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/machine/transfer.hpp"

#include <type_traits>

namespace tileput::machine {

namespace {

/// Copies `count` elements whose addresses advance by the given byte steps.
void copy_elements(std::byte* target, std::int64_t target_step, const std::byte* source, std::int64_t source_step,
                   std::int64_t count, std::uint32_t element_bytes) {
  const auto each = [&](auto size) {
    for (std::int64_t i = 0; i < count; ++i) {
      std::memcpy(target + i * target_step, source + i * source_step, size());
    }
  };
  switch (element_bytes) {
    case 1: return each(std::integral_constant<std::size_t, 1>{});
    case 2: return each(std::integral_constant<std::size_t, 2>{});
    case 4: return each(std::integral_constant<std::size_t, 4>{});
    default: return each(std::integral_constant<std::size_t, 8>{});
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
      copy_elements(t, target_step, s, source_step, n[last], source.element_bytes);
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

void load_tile_elementwise(const TileRegion& tile, const GlobalRegion& tensor) {
  for_each_common_element(tile, tensor, [&](std::byte* in_tile, const std::byte* in_tensor) {
    std::memcpy(in_tile, in_tensor, tile.element_bytes);
  });
}

void store_tile_elementwise(const GlobalRegion& tensor, const TileRegion& tile) {
  for_each_common_element(tile, tensor, [&](const std::byte* in_tile, std::byte* in_tensor) {
    std::memcpy(in_tensor, in_tile, tile.element_bytes);
  });
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
