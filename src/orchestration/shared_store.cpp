// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/shared_store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/system.hpp"
#include "tileput/error.hpp"

namespace tileput::orchestration {

SharedStore::SharedStore(domain::Heaps& heaps)
    : heaps_(heaps), heap_(heaps.count() - 1), ranges_(heaps.stride_bytes(), base::page_bytes()) {}

SharedStore::Block SharedStore::allocate(std::uint64_t bytes, std::optional<std::uint64_t> limit_bytes) {
  const domain::MemoryClaim claim(bytes, "a shared tensor", limit_bytes);
  const std::optional<std::uint64_t> offset = ranges_.allocate(bytes);
  if (!offset) {
    throw Error(ErrorCode::kOutOfMemory,
                fmt::format("a tensor of {} finds no room in the {} of address space of the worker",
                            base::format_bytes(bytes), base::format_bytes(heaps_.stride_bytes())),
                "raise WorkerOptions::heap_bytes");
  }
  const Block block{*offset, std::max<std::uint64_t>(bytes, 1)};
  try {
    heaps_.reserve({heap_, block.offset}, block.bytes);
    heaps_.open({heap_, block.offset}, block.bytes);
  } catch (...) {
    heaps_.discard({heap_, block.offset}, block.bytes);
    ranges_.release(block.offset);
    throw;
  }
  blocks_.emplace(block.offset, block);
  return block;
}

void SharedStore::release(const Block& block) {
  heaps_.close({heap_, block.offset});
  heaps_.discard({heap_, block.offset}, block.bytes);
  ranges_.release(block.offset);
  blocks_.erase(block.offset);
}

std::optional<SharedStore::Block> SharedStore::find(const void* address, std::uint64_t bytes) const {
  const std::optional<domain::HeapAddress> place = heaps_.locate(address);
  if (!place || place->heap != heap_) {
    return std::nullopt;
  }
  auto block = blocks_.upper_bound(place->offset);
  if (block == blocks_.begin()) {
    return std::nullopt;
  }
  --block;
  const std::uint64_t within = place->offset - block->first;
  if (within > block->second.bytes || bytes > block->second.bytes - within) {
    return std::nullopt;
  }
  return block->second;
}

}  // namespace tileput::orchestration
