// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "domain/heaps.hpp"
#include "domain/ranges.hpp"

namespace tileput::orchestration {

/// The worker's heap: memory for host tensors, shared with all ranks. Ranks open a range when a task first names it.
class SharedStore {
 public:
  struct Block {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;  ///< as asked for
  };

  explicit SharedStore(domain::Heaps& heaps);

  /// Zeroed memory, accessible in this process; at most `limit_bytes`. Throws Error kOutOfMemory with the numbers.
  Block allocate(std::uint64_t bytes, std::optional<std::uint64_t> limit_bytes);
  /// The ranks must have closed it.
  void release(const Block& block);

  /// The block that holds [address, address + bytes), if one does.
  [[nodiscard]] std::optional<Block> find(const void* address, std::uint64_t bytes) const;
  [[nodiscard]] std::byte* at(std::uint64_t offset) const noexcept { return heaps_.at({heap_, offset}); }
  [[nodiscard]] int heap() const noexcept { return heap_; }
  [[nodiscard]] std::uint64_t used_bytes() const noexcept { return ranges_.used_bytes(); }

 private:
  domain::Heaps& heaps_;
  int heap_;
  domain::Ranges ranges_;
  std::map<std::uint64_t, Block> blocks_;
};

}  // namespace tileput::orchestration
