// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "domain/ranges.hpp"

#include <algorithm>

#include "base/system.hpp"

namespace tileput::domain {

Ranges::Ranges(std::uint64_t capacity_bytes, std::uint64_t page_bytes, std::uint64_t first_offset)
    : capacity_bytes_(capacity_bytes), page_bytes_(page_bytes), first_offset_(first_offset) {}

std::optional<std::uint64_t> Ranges::allocate(std::uint64_t bytes) {
  if (bytes > capacity_bytes_) {
    return std::nullopt;
  }
  const std::uint64_t pages = base::round_up(std::max<std::uint64_t>(bytes, 1), page_bytes_);
  std::uint64_t offset = first_offset_;
  for (auto next = used_.begin();; ++next) {
    const std::uint64_t end = next == used_.end() ? capacity_bytes_ : next->first;
    if (end > offset && end - offset > pages && end - offset - pages >= page_bytes_) {  // the guard page behind it
      used_.emplace_hint(next, offset, pages);
      used_bytes_ += pages;
      return offset;
    }
    if (next == used_.end()) {
      return std::nullopt;
    }
    offset = next->first + next->second + page_bytes_;
  }
}

void Ranges::release(std::uint64_t offset) {
  const auto range = used_.find(offset);
  if (range != used_.end()) {
    used_bytes_ -= range->second;
    used_.erase(range);
  }
}

}  // namespace tileput::domain
