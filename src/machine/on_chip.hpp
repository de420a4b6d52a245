// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "tileput/machine/core.hpp"

namespace tileput::machine {

/// The on-chip memories of one core: one mapping, the spaces apart by unmapped pages. Pages are taken when touched.
class OnChipMemory {
 public:
  OnChipMemory();
  ~OnChipMemory();
  OnChipMemory(const OnChipMemory&) = delete;
  OnChipMemory& operator=(const OnChipMemory&) = delete;

  /// Points the core's spaces at this memory.
  void attach(Core& core) const noexcept;

 private:
  std::byte* memory_ = nullptr;
  std::byte* spaces_[kOnChipSpaces] = {};
};

}  // namespace tileput::machine
