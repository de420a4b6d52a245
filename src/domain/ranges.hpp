// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace tileput::domain {

/// Hands out ranges of one heap: first fit, whole pages, at least one page that nobody owns behind each range.
class Ranges {
 public:
  /// Nothing lies before `first_offset`, a multiple of the page.
  Ranges(std::uint64_t capacity_bytes, std::uint64_t page_bytes, std::uint64_t first_offset = 0);

  /// Offset of `bytes` (rounded up to pages, at least one), or nullopt where no gap is large enough.
  std::optional<std::uint64_t> allocate(std::uint64_t bytes);
  /// Gives back what allocate() returned.
  void release(std::uint64_t offset);
  /// Bytes of the range at `offset`, in whole pages.
  [[nodiscard]] std::uint64_t bytes_at(std::uint64_t offset) const { return used_.at(offset); }
  /// Bytes handed out now, in whole pages.
  [[nodiscard]] std::uint64_t used_bytes() const noexcept { return used_bytes_; }

 private:
  std::uint64_t capacity_bytes_;
  std::uint64_t page_bytes_;
  std::uint64_t first_offset_;
  std::uint64_t used_bytes_ = 0;
  std::map<std::uint64_t, std::uint64_t> used_;  // offset -> bytes
};

}  // namespace tileput::domain
