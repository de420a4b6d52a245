// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "machine/on_chip.hpp"

#include <sys/mman.h>

#include <numeric>

#include "base/system.hpp"

namespace tileput::machine {

namespace {

std::uint64_t mapping_bytes() {
  const std::uint64_t guard = base::page_bytes();
  return std::accumulate(std::begin(kOnChipBytes), std::end(kOnChipBytes), guard,
                         [guard](std::uint64_t sum, std::uint64_t bytes) { return sum + bytes + guard; });
}

}  // namespace

OnChipMemory::OnChipMemory() {
  void* const memory = mmap(nullptr, mapping_bytes(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    base::throw_errno("mmap of on-chip memory", "raise the limit of address space (ulimit -v)");
  }
  memory_ = static_cast<std::byte*>(memory);
  std::byte* next = memory_ + base::page_bytes();
  for (int space = 0; space < kOnChipSpaces; ++space) {
    spaces_[space] = next;
    if (mprotect(next, kOnChipBytes[space], PROT_READ | PROT_WRITE) != 0) {
      munmap(memory_, mapping_bytes());
      base::throw_errno("mprotect of on-chip memory", "raise vm.max_map_count");
    }
    next += kOnChipBytes[space] + base::page_bytes();
  }
}

OnChipMemory::~OnChipMemory() { munmap(memory_, mapping_bytes()); }

void OnChipMemory::attach(Core& core) const noexcept {
  for (int space = 0; space < kOnChipSpaces; ++space) {
    core.on_chip[space] = {spaces_[space], kOnChipBytes[space]};
  }
}

}  // namespace tileput::machine
