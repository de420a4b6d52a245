// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "domain/heaps.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "base/sanitizer.hpp"
#include "base/system.hpp"
#include "tileput/error.hpp"

#if TILEPUT_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace tileput::domain {

namespace {

constexpr std::uint64_t kReserveStepBytes = 64U << 20U;

// ThreadSanitizer refuses 1 TiB.
constexpr std::uint64_t kAddressSpaceBytes =
    base::kThreadSanitizer ? std::uint64_t{512} << 30U : std::uint64_t{16} << 40U;

/// Under AddressSanitizer the rest of a window's last page is poisoned, so that an overflow is reported with its line;
/// without, the guard page behind it faults.
void poison_slack([[maybe_unused]] std::byte* end, [[maybe_unused]] std::uint64_t bytes, [[maybe_unused]] bool on) {
#if TILEPUT_ASAN
  if (on) {
    __asan_poison_memory_region(end, bytes);
  } else {
    __asan_unpoison_memory_region(end, bytes);
  }
#endif
}

}  // namespace

base::MemoryBudget require_memory(std::uint64_t bytes, const char* what, std::optional<std::uint64_t> limit_bytes) {
  const base::MemoryBudget budget = base::memory_budget(limit_bytes);
  if (bytes > budget.usable_bytes()) {
    throw Error(
        ErrorCode::kOutOfMemory,
        fmt::format("{} of {} ({} bytes) does not fit into the {} that may be used ({})", what,
                    base::format_bytes(bytes), bytes, base::format_bytes(budget.usable_bytes()), budget.describe()),
        "use fewer ranks or smaller buffers, or raise the memory limit");
  }
  return budget;
}

MemoryClaim::MemoryClaim(std::uint64_t bytes, const char* what, std::optional<std::uint64_t> limit_bytes) {
  static base::SmallRequests small;
  if (bytes > limit_bytes.value_or(bytes) || !small.take(bytes)) {
    lock_.emplace();
    small.looked(require_memory(bytes, what, limit_bytes));
  }
}

std::uint64_t Heaps::default_stride_bytes(int heaps) {
  const std::uint64_t wanted = std::bit_ceil(std::max<std::uint64_t>(base::total_memory_bytes(), 1U << 30U)) * 2;
  const std::uint64_t share = std::bit_floor(kAddressSpaceBytes / static_cast<std::uint64_t>(std::max(1, heaps)));
  return std::min(wanted, share);
}

base::UniqueFd Heaps::create(std::uint64_t stride_bytes) {
  base::UniqueFd fd(memfd_create("tileput-heap", MFD_CLOEXEC));
  if (!fd) {
    base::throw_errno("memfd_create", "raise the limit of open files (ulimit -n)");
  }
  if (ftruncate(fd.get(), static_cast<off_t>(stride_bytes)) != 0) {
    base::throw_errno(fmt::format("ftruncate of a heap to {}", base::format_bytes(stride_bytes)),
                      "use a smaller heap size or raise the limit of file sizes (ulimit -f)");
  }
  return fd;
}

Heaps::Heaps(std::vector<base::UniqueFd> fds, std::uint64_t stride_bytes)
    : fds_(std::move(fds)),
      stride_bytes_(stride_bytes),
      shift_(static_cast<std::uint32_t>(std::countr_zero(stride_bytes))) {
  const std::uint64_t total = stride_bytes_ * fds_.size();
  // Aligned to the stride only by luck; the shift works on the difference to base_.
  void* const reserved = mmap(nullptr, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) {
    base::throw_errno(fmt::format("reserving {} of address space", base::format_bytes(total)),
                      "use a smaller heap size or raise the limit of address space (ulimit -v)");
  }
  base_ = static_cast<std::byte*>(reserved);
  for (std::size_t heap = 0; heap < fds_.size(); ++heap) {
    if (mmap(base_ + heap * stride_bytes_, stride_bytes_, PROT_NONE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE,
             fds_[heap].get(), 0) == MAP_FAILED) {
      const int error = errno;
      munmap(base_, total);
      errno = error;
      base::throw_errno("mmap of a heap", "use a smaller heap size");
    }
  }
  madvise(base_, total, MADV_DONTDUMP);  // a core dump would fault in, and so allocate, every hole of every heap
}

Heaps::~Heaps() { munmap(base_, stride_bytes_ * fds_.size()); }

std::optional<HeapAddress> Heaps::locate(const void* address) const noexcept {
  const std::uint64_t distance = reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(base_);
  if (distance >= stride_bytes_ * fds_.size()) {
    return std::nullopt;
  }
  return HeapAddress{static_cast<std::int32_t>(distance >> shift_), distance & (stride_bytes_ - 1)};
}

void Heaps::open(HeapAddress place, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  std::byte* const start = at(place);
  const auto [entry, fresh] = opened_.try_emplace(start, Opened{bytes, 0});
  const std::uint64_t before = fresh ? 0 : entry->second.bytes;
  if (bytes > before) {  // also where ranks that are threads still have a smaller range open
    const std::uint64_t pages = base::round_up(bytes, base::page_bytes());
    if (mprotect(start, pages, PROT_READ | PROT_WRITE) != 0) {
      if (fresh) {
        opened_.erase(entry);
      }
      base::throw_errno("mprotect of a window", "raise vm.max_map_count, or use fewer ranks and domains");
    }
    poison_slack(start + before, base::round_up(before, base::page_bytes()) - before, false);
    poison_slack(start + bytes, pages - bytes, true);
    entry->second.bytes = bytes;
  }
  ++entry->second.count;
}

void Heaps::close(HeapAddress place) noexcept {
  const std::lock_guard lock(mutex_);
  const auto entry = opened_.find(at(place));
  if (entry != opened_.end() && --entry->second.count == 0) {
    const std::uint64_t pages = base::round_up(entry->second.bytes, base::page_bytes());
    poison_slack(entry->first + entry->second.bytes, pages - entry->second.bytes, false);
    mprotect(entry->first, pages, PROT_NONE);
    // The data stays where it is. This process forgets its pages, so that who gives the memory back interrupts nobody.
    madvise(entry->first, pages, MADV_DONTNEED);
    opened_.erase(entry);
  }
}

void Heaps::reserve(HeapAddress place, std::uint64_t bytes) const {
  if (!punch(place, bytes)) {  // what a former life wrote would still be there
    base::throw_errno("fallocate to clear window memory", "free some memory");
  }
  const std::uint64_t pages = base::round_up(bytes, base::page_bytes());
  for (std::uint64_t done = 0; done < pages;) {
    const std::uint64_t step = std::min(kReserveStepBytes, pages - done);
    try {
      if (pages > kReserveStepBytes) {  // who asked has compared the request as a whole; others may have been faster
        require_memory(step, "the next step of a reservation", std::nullopt);
      }
      if (fallocate(fd(place.heap), 0, static_cast<off_t>(place.offset + done), static_cast<off_t>(step)) != 0) {
        if (errno == EINTR) {
          continue;
        }
        base::throw_errno("fallocate of window memory", "use fewer ranks or smaller buffers");
      }
    } catch (...) {
      punch(place, bytes);
      throw;
    }
    done += step;
  }
}

void Heaps::discard(HeapAddress place, std::uint64_t bytes) const noexcept { punch(place, bytes); }

bool Heaps::punch(HeapAddress place, std::uint64_t bytes) const noexcept {
  int result = 0;
  do {
    result = fallocate(fd(place.heap), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(place.offset),
                       static_cast<off_t>(base::round_up(bytes, base::page_bytes())));
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

}  // namespace tileput::domain
