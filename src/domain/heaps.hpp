// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// All heaps of a job as one process maps them.
///
/// A heap is a sparse memfd; heap h of a job lies at base + (h << shift), so address -> heap is a shift. Heaps
/// 0..ranks-1 belong to the ranks, heap `ranks` to the worker (host tensors). Everything is mapped without access;
/// open() makes one range accessible in this process, so that an address exists for a process only between the
/// allocation barrier and the release of its window, and what lies between windows faults.

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/memory.hpp"

namespace tileput::domain {

/// A place in the memory of a job that means the same in every process of it.
struct HeapAddress {
  std::int32_t heap = -1;
  std::uint64_t offset = 0;
};

class Heaps {
 public:
  /// Address space per heap for this machine, a power of two: room for all of its memory twice, less under sanitizers.
  static std::uint64_t default_stride_bytes(int heaps);
  /// Creates one heap of `stride_bytes` (sparse: it takes no memory).
  static base::UniqueFd create(std::uint64_t stride_bytes);

  Heaps(std::vector<base::UniqueFd> fds, std::uint64_t stride_bytes);
  ~Heaps();
  Heaps(const Heaps&) = delete;
  Heaps& operator=(const Heaps&) = delete;

  [[nodiscard]] int count() const noexcept { return static_cast<int>(fds_.size()); }
  [[nodiscard]] std::uint64_t stride_bytes() const noexcept { return stride_bytes_; }
  [[nodiscard]] std::uint32_t shift() const noexcept { return shift_; }
  [[nodiscard]] std::byte* base() const noexcept { return base_; }
  [[nodiscard]] int fd(int heap) const noexcept { return fds_[static_cast<std::size_t>(heap)].get(); }

  [[nodiscard]] std::byte* at(HeapAddress place) const noexcept {
    return base_ + (static_cast<std::uint64_t>(place.heap) << shift_) + place.offset;
  }
  [[nodiscard]] std::optional<HeapAddress> locate(const void* address) const noexcept;

  /// Makes [place, place + bytes) readable and writable in this process. Calls nest: the last close() ends access.
  void open(HeapAddress place, std::uint64_t bytes);
  void close(HeapAddress place) noexcept;

  /// Gives the range zeroed memory. Called by its owner, before any other process may open it; the memory is taken in
  /// steps, each compared with the budget again. On Error kOutOfMemory the range holds nothing.
  void reserve(HeapAddress place, std::uint64_t bytes) const;
  /// Takes the memory back; whatever was written is gone. Should that fail, reserve() tries again and says so.
  void discard(HeapAddress place, std::uint64_t bytes) const noexcept;

 private:
  struct Opened {
    std::uint64_t bytes;
    int count;
  };

  /// Makes the range a hole, which reads as zeros; false: errno says why it is none.
  bool punch(HeapAddress place, std::uint64_t bytes) const noexcept;

  std::vector<base::UniqueFd> fds_;
  std::uint64_t stride_bytes_;
  std::uint32_t shift_;
  std::byte* base_ = nullptr;
  std::mutex mutex_;  // ranks that are threads share one Heaps
  std::map<std::byte*, Opened> opened_;
};

/// Refuses `bytes` that the budget does not have, with all numbers. Allocates nothing. Returns what it compared with.
base::MemoryBudget require_memory(std::uint64_t bytes, const char* what, std::optional<std::uint64_t> limit_bytes);

/// Room for what is allocated while this lives: no other job of the machine is told yes for the same bytes. Small
/// requests are answered from the last look at the budget and keep nobody waiting; see base::SmallRequests.
class MemoryClaim {
 public:
  /// Errors: as require_memory().
  MemoryClaim(std::uint64_t bytes, const char* what, std::optional<std::uint64_t> limit_bytes);

 private:
  std::optional<base::NodeMemoryLock> lock_;
};

}  // namespace tileput::domain
