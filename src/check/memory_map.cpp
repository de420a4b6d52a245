// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/memory_map.hpp"

#include <utility>

namespace tileput::check {

int MemoryMap::add(Region region) {
  const int index = size();
  if (region.range.bytes > 0) {  // an empty one has no end of its own, and holds no address
    by_end_[region.range.end()] = index;
  }
  regions_.push_back(std::move(region));
  return index;
}

void MemoryMap::move(int index, Address begin) {
  Region& region = regions_[static_cast<std::size_t>(index)];
  if (region.range.bytes > 0) {
    by_end_.erase(region.range.end());
    by_end_[begin + region.range.bytes] = index;
  }
  region.range.begin = begin;
}

const Region* MemoryMap::find(Address address) const noexcept {
  const auto next = by_end_.upper_bound(address);
  if (next == by_end_.end()) {
    return nullptr;
  }
  const Region& region = at(next->second);
  return region.range.begin <= address ? &region : nullptr;
}

}  // namespace tileput::check
