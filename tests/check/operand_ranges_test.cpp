// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// The ranges of operands against a slow model that visits every element.

#include "check/operand_ranges.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "tileput/error.hpp"
#include "tileput/machine/transfer.hpp"

namespace tileput::check {
namespace {

using machine::GlobalRegion;
using machine::TensorLayout;
using machine::TileLayout;
using machine::TileRegion;

std::byte* const kMemory = reinterpret_cast<std::byte*>(Address{1} << 40U);  // never accessed

/// Collects bytes, element by element.
class SlowModel {
 public:
  void add(const std::byte* element, std::uint32_t bytes) {
    for (std::uint32_t i = 0; i < bytes; ++i) {
      bytes_.insert(reinterpret_cast<Address>(element) + i);
    }
  }
  [[nodiscard]] std::vector<Range> ranges() const {
    std::vector<Range> result;
    for (const Address byte : bytes_) {
      if (!result.empty() && result.back().end() == byte) {
        ++result.back().bytes;
      } else {
        result.push_back({byte, 1});
      }
    }
    return result;
  }

 private:
  std::set<Address> bytes_;
};

std::vector<Range> slow_ranges(const GlobalRegion& region) {
  SlowModel model;
  const std::int64_t* const n = region.shape;
  const std::int64_t* const s = region.stride;
  for (std::int64_t i0 = 0; i0 < n[0]; ++i0) {
    for (std::int64_t i1 = 0; i1 < n[1]; ++i1) {
      for (std::int64_t i2 = 0; i2 < n[2]; ++i2) {
        for (std::int64_t i3 = 0; i3 < n[3]; ++i3) {
          for (std::int64_t i4 = 0; i4 < n[4]; ++i4) {
            const std::int64_t offset = i0 * s[0] + i1 * s[1] + i2 * s[2] + i3 * s[3] + i4 * s[4];
            model.add(region.address + offset * std::int64_t{region.element_bytes}, region.element_bytes);
          }
        }
      }
    }
  }
  return model.ranges();
}

std::vector<Range> slow_ranges(const TileRegion& tile, std::int64_t rows, std::int64_t cols) {
  SlowModel model;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c) {
      model.add(tile.address + machine::tile_offset(tile, r, c) * std::int64_t{tile.element_bytes}, tile.element_bytes);
    }
  }
  return model.ranges();
}

TileTransfer slow_transfer(const TileRegion& tile, const GlobalRegion& tensor) {
  SlowModel in_tile;
  SlowModel in_tensor;
  machine::for_each_common_element(tile, machine::mapped_to(tile, tensor),
                                   [&](const std::byte* of_tile, const std::byte* of_tensor) {
                                     in_tile.add(of_tile, tile.element_bytes);
                                     in_tensor.add(of_tensor, tensor.element_bytes);
                                   });
  return {in_tile.ranges(), in_tensor.ranges()};
}

class OperandRanges : public testing::Test {
 protected:
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + between(0, static_cast<std::int64_t>(choices.size()) - 1));
  }

  /// Dense, with gaps, transposed, interleaved, backwards, or overlapping itself.
  GlobalRegion any_region() {
    GlobalRegion region;
    region.address = kMemory + between(0, 100);
    region.element_bytes = one_of<std::uint32_t>({1, 2, 4, 8});
    region.layout = one_of({TensorLayout::kNd, TensorLayout::kDn, TensorLayout::kNz});
    std::vector<int> order = {4, 3, 2, 1, 0};
    if (between(0, 2) == 0) {
      std::shuffle(order.begin(), order.end(), random_);
    }
    std::int64_t step = 1;
    for (const int d : order) {
      region.shape[d] = between(0, 40) == 0 ? 0 : between(1, 4);
      region.stride[d] = between(0, 9) == 0 ? between(-20, 20) : step;
      step = std::max<std::int64_t>(1, step * region.shape[d]) + (between(0, 3) == 0 ? between(1, 5) : 0);
    }
    return region;
  }

  TileRegion any_tile() {
    TileRegion tile;
    tile.address = kMemory + 4096;
    tile.element_bytes = one_of<std::uint32_t>({1, 2, 4});
    tile.layout.row_major = between(0, 1) == 0;
    tile.layout.boxed = between(0, 1) == 0;
    if (tile.layout.boxed) {
      tile.layout.inner_row_major = between(0, 1) == 0;
      tile.layout.inner_rows = static_cast<std::int32_t>(between(1, 4));
      tile.layout.inner_cols = static_cast<std::int32_t>(between(1, 4));
    }
    tile.rows = static_cast<std::int32_t>(between(1, 5)) * tile.layout.inner_rows;
    tile.cols = static_cast<std::int32_t>(between(1, 5)) * tile.layout.inner_cols;
    tile.valid_rows = static_cast<std::int32_t>(between(0, tile.rows));
    tile.valid_cols = static_cast<std::int32_t>(between(0, tile.cols));
    return tile;
  }

  std::mt19937_64 random_{5};
};

TEST_F(OperandRanges, OfAnyRegion) {
  for (int i = 0; i < 4000; ++i) {
    const GlobalRegion region = any_region();
    ASSERT_EQ(ranges_of(region), slow_ranges(region)) << "case " << i;
  }
}

TEST_F(OperandRanges, OfAnyTile) {
  for (int i = 0; i < 4000; ++i) {
    const TileRegion tile = any_tile();
    ASSERT_EQ(ranges_of(tile, tile.valid_rows, tile.valid_cols), slow_ranges(tile, tile.valid_rows, tile.valid_cols))
        << "case " << i;
  }
}

TEST_F(OperandRanges, OfAnyTransferBetweenTileAndTensor) {
  int moved = 0;
  for (int i = 0; i < 6000; ++i) {
    TileRegion tile = any_tile();
    GlobalRegion tensor = any_region();
    tensor.element_bytes = tile.element_bytes;
    const machine::TileExtent extent = machine::extent_of(machine::mapped_to(tile, tensor));
    if (between(0, 1) == 0) {  // else the smaller of both is moved
      tile.rows = tile.valid_rows = static_cast<std::int32_t>(extent.rows);
      tile.cols = tile.valid_cols = static_cast<std::int32_t>(extent.cols);
      tile.layout = TileLayout{.row_major = tile.layout.row_major};
    }
    const TileTransfer expected = slow_transfer(tile, tensor);
    const TileTransfer transfer = ranges_of_transfer(tile, tensor);
    ASSERT_EQ(transfer.tile, expected.tile) << "case " << i;
    ASSERT_EQ(transfer.tensor, expected.tensor) << "case " << i;
    moved += expected.tile.empty() ? 0 : 1;
  }
  EXPECT_GT(moved, 3000);
}

TEST_F(OperandRanges, ADenseRegionIsOneRange) {
  GlobalRegion region;
  region.address = kMemory;
  region.element_bytes = 4;
  for (int d = machine::kDims; d-- > 0;) {
    region.shape[d] = 1024;
    region.stride[d] = std::int64_t{1} << (10 * (machine::kDims - 1 - d));
  }
  region.shape[0] = 4;
  const std::vector<Range> expected = {{reinterpret_cast<Address>(kMemory), std::uint64_t{1} << 44U}};
  EXPECT_EQ(ranges_of(region), expected);
}

TEST_F(OperandRanges, UpToTheBoundAndNotBeyond) {
  GlobalRegion column;
  column.address = kMemory;
  column.element_bytes = 4;
  column.shape[3] = static_cast<std::int64_t>(kRunsMax);
  column.stride[3] = 2;
  EXPECT_EQ(ranges_of(column).size(), kRunsMax);
  column.shape[3] += 1;
  try {
    static_cast<void>(ranges_of(column));
    ADD_FAILURE() << "no Error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadArgument);
    EXPECT_NE(error.detail().find("65536"), std::string::npos) << error.detail();
  }
}

TEST_F(OperandRanges, WordsOfASignalRegionInOrder) {
  GlobalRegion signals;
  signals.address = kMemory;
  signals.element_bytes = 4;
  signals.shape[3] = 2;
  signals.shape[4] = 3;
  signals.stride[3] = 16;
  const auto first = reinterpret_cast<Address>(kMemory);
  EXPECT_EQ(words_of(signals), (std::vector<Address>{first, first + 4, first + 8, first + 64, first + 68, first + 72}));
}

}  // namespace
}  // namespace tileput::check
