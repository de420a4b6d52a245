// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace tileput::rank {

/// The last notifies of one block of a rank, in memory that the job shares. Written by that block alone and read only
/// for reports, so everything but the count is relaxed; a reader may see a record that is just being replaced.
struct NotifyLog {
  static constexpr std::uint64_t kRecords = 64;

  struct Record {
    std::atomic<std::uint64_t> word{0};  ///< distance of the signal word from the start of heap 0
    std::atomic<std::uint64_t> site{0};  ///< program counter, in the notifier's address space
    std::atomic<std::uint64_t> what{0};  ///< the value, and above its 32 bits the comm::NotifyOp
  };

  std::atomic<std::uint64_t> count{0};  ///< of all notifies so far
  Record records[kRecords];

  void add(std::uint64_t word, const void* site, std::int32_t value, std::uint32_t op) noexcept {
    const std::uint64_t n = count.load(std::memory_order_relaxed);
    Record& record = records[n % kRecords];
    record.word.store(word, std::memory_order_relaxed);
    record.site.store(reinterpret_cast<std::uintptr_t>(site), std::memory_order_relaxed);
    record.what.store(std::uint64_t{op} << 32U | static_cast<std::uint32_t>(value), std::memory_order_relaxed);
    count.store(n + 1, std::memory_order_release);  // pairs with the load of a report
  }
};

}  // namespace tileput::rank
