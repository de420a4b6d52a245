// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/operand_ranges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "machine/blocks.hpp"
#include "tileput/error.hpp"
#include "tileput/machine/transfer.hpp"

namespace tileput::check {

namespace {

using machine::GlobalRegion;
using machine::kDims;
using machine::TileRegion;

struct Dim {
  std::int64_t extent;
  std::int64_t step_bytes;
};

[[noreturn]] void fail_too_many() {
  throw Error(
      ErrorCode::kBadArgument,
      fmt::format("an operand consists of more than {} contiguous runs, which the checker does not follow", kRunsMax),
      "check with a smaller shape, or with rows that are contiguous");
}

/// Runs of bytes in any order, merged in the end.
class Runs {
 public:
  void add(Range run) {
    if (run.bytes == 0) {
      return;
    }
    if (!runs_.empty() && runs_.back().end() == run.begin) {
      runs_.back().bytes += run.bytes;
    } else if (runs_.size() < kRunsMax) {
      runs_.push_back(run);
    } else {
      fail_too_many();
    }
  }

  /// Elements of `bytes` bytes at begin + the sum of i_k * step_k for all i_k below extent_k.
  void add_strided(Address begin, std::int64_t bytes, std::span<Dim> dims);

  /// Ascending; what touches or overlaps is one.
  std::vector<Range> merged() && {
    const auto by_begin = [](const Range& a, const Range& b) { return a.begin < b.begin; };
    if (!std::is_sorted(runs_.begin(), runs_.end(), by_begin)) {
      std::sort(runs_.begin(), runs_.end(), by_begin);
    }
    std::vector<Range> result;
    for (const Range& run : runs_) {
      if (!result.empty() && run.begin <= result.back().end()) {
        Range& last = result.back();
        last.bytes = std::max(last.end(), run.end()) - last.begin;
      } else {
        result.push_back(run);
      }
    }
    return result;
  }

 private:
  std::vector<Range> runs_;
};

void Runs::add_strided(Address begin, std::int64_t bytes, std::span<Dim> dims) {
  for (Dim& dim : dims) {
    if (dim.extent <= 0) {
      return;
    }
    if (dim.step_bytes < 0) {  // the same elements, counted from the other end
      begin -= static_cast<Address>(-dim.step_bytes) * static_cast<Address>(dim.extent - 1);
      dim.step_bytes = -dim.step_bytes;
    }
  }
  std::sort(dims.begin(), dims.end(), [](const Dim& a, const Dim& b) { return a.step_bytes < b.step_bytes; });
  // A run that is at least as long as the step to the next one continues in it.
  std::int64_t run = bytes;
  std::size_t first = 0;
  for (; first < dims.size() && (dims[first].extent == 1 || dims[first].step_bytes <= run); ++first) {
    run += (dims[first].extent - 1) * dims[first].step_bytes;
  }
  const std::span<Dim> walked = dims.subspan(first);
  std::int64_t count = 1;
  for (const Dim& dim : walked) {
    if (__builtin_mul_overflow(count, dim.extent, &count) || count > static_cast<std::int64_t>(kRunsMax)) {
      fail_too_many();
    }
  }
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t offset = 0;
    std::int64_t rest = i;
    for (const Dim& dim : walked) {
      offset += rest % dim.extent * dim.step_bytes;
      rest /= dim.extent;
    }
    add({begin + static_cast<Address>(offset), static_cast<std::uint64_t>(run)});
  }
}

Address address_of(const std::byte* memory) noexcept { return reinterpret_cast<Address>(memory); }

/// The part of a tensor that is rows x cols elements of a tile, matrix by matrix of its dimensions 3 and 4.
std::vector<Range> ranges_of_part(const GlobalRegion& tensor, std::int64_t rows, std::int64_t cols) {
  const auto bytes = static_cast<std::int64_t>(tensor.element_bytes);
  Runs runs;
  for (std::int64_t row = 0; row < rows; row += tensor.shape[3]) {
    for (std::int64_t col = 0; col < cols; col += tensor.shape[4]) {
      Dim dims[] = {{std::min(tensor.shape[3], rows - row), tensor.stride[3] * bytes},
                    {std::min(tensor.shape[4], cols - col), tensor.stride[4] * bytes}};
      runs.add_strided(address_of(tensor.address + machine::tensor_offset(tensor, row, col) * bytes), bytes, dims);
    }
  }
  return std::move(runs).merged();
}

}  // namespace

std::vector<Range> ranges_of(const GlobalRegion& region) {
  const auto bytes = static_cast<std::int64_t>(region.element_bytes);
  Dim dims[kDims];
  for (int d = 0; d < kDims; ++d) {
    dims[d] = {region.shape[d], region.stride[d] * bytes};
  }
  Runs runs;
  runs.add_strided(address_of(region.address), bytes, dims);
  return std::move(runs).merged();
}

std::vector<Range> ranges_of(const TileRegion& tile, std::int64_t rows, std::int64_t cols) {
  Runs runs;
  const machine::Rectangle part{.rows = rows, .cols = cols};
  machine::for_each_block(tile, part, [&](const machine::Block& block, const machine::Rectangle& at) {
    Dim dims[] = {{at.rows, block.row_step_bytes}, {at.cols, block.col_step_bytes}};
    runs.add_strided(address_of(block.address), tile.element_bytes, dims);
  });
  return std::move(runs).merged();
}

TileTransfer ranges_of_transfer(const TileRegion& tile, const GlobalRegion& tensor) {
  const GlobalRegion mapped = machine::mapped_to(tile, tensor);
  const machine::TileExtent extent = machine::extent_of(mapped);
  const std::int64_t rows = std::min<std::int64_t>(extent.rows, tile.valid_rows);
  const std::int64_t cols = std::min<std::int64_t>(extent.cols, tile.valid_cols);
  if (rows <= 0 || cols <= 0) {
    return {};
  }
  const bool whole = rows == extent.rows && cols == extent.cols;
  return {ranges_of(tile, rows, cols), whole ? ranges_of(mapped) : ranges_of_part(mapped, rows, cols)};
}

std::vector<Address> words_of(const GlobalRegion& signals) {
  std::int64_t count = 1;
  for (const std::int64_t extent : signals.shape) {
    if (__builtin_mul_overflow(count, extent, &count) || count > static_cast<std::int64_t>(kRunsMax)) {
      fail_too_many();
    }
  }
  std::vector<Address> words;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t offset = 0;
    std::int64_t rest = i;
    for (int d = kDims; d-- > 0;) {
      offset += rest % signals.shape[d] * signals.stride[d];
      rest /= signals.shape[d];
    }
    words.push_back(address_of(signals.address) + static_cast<Address>(offset) * sizeof(std::int32_t));
  }
  return words;
}

}  // namespace tileput::check
