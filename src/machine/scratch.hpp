// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Memory that an instruction uses while it runs.

#include <cstddef>
#include <memory>

namespace tileput::machine {

/// Grows to the largest request and is kept: as a thread_local, an allocation happens once per thread and size.
class Scratch {
 public:
  /// At least `bytes` bytes, aligned for any element; what they held before is lost.
  std::byte* get(std::size_t bytes) {
    if (bytes > capacity_) {
      storage_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
      capacity_ = bytes;
    }
    return storage_.get();
  }

 private:
  std::unique_ptr<std::byte[]> storage_;
  std::size_t capacity_ = 0;
};

}  // namespace tileput::machine
