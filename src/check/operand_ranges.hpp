// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which bytes the operands of an instruction are: exact, ascending, as few ranges as possible.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "check/model.hpp"
#include "tileput/machine/instruction.hpp"

namespace tileput::check {

/// Most contiguous runs that one operand may consist of; more are Error kBadArgument. Nothing is ever approximated, and
/// the valid region of every tile but one of single bytes has fewer.
inline constexpr std::size_t kRunsMax = 65'536;

/// All elements of a region.
std::vector<Range> ranges_of(const machine::GlobalRegion& region);

/// The first rows x cols elements of a tile, which lie in its storage.
std::vector<Range> ranges_of(const machine::TileRegion& tile, std::int64_t rows, std::int64_t cols);

/// What TLOAD and TSTORE move between a tile and a tensor, on either side.
struct TileTransfer {
  std::vector<Range> tile;
  std::vector<Range> tensor;
};
TileTransfer ranges_of_transfer(const machine::TileRegion& tile, const machine::GlobalRegion& tensor);

/// The int32 words of a signal region, in the order of its dimensions, within the same bound.
std::vector<Address> words_of(const machine::GlobalRegion& signals);

}  // namespace tileput::check
