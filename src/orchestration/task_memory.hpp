// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tileput/machine/core.hpp"
#include "tileput/machine/known_memory.hpp"

namespace tileput::orchestration {

/// What the instructions of one task may address: the windows of all domains that its rank is in, and its tensors.
/// Attached to a core as long as it lives.
class TaskMemory final : public machine::KnownMemory {
 public:
  explicit TaskMemory(machine::Core& core);
  ~TaskMemory() override;

  /// The window of rank `index` in a domain; with domain 0, tensor argument `index`. Empty ranges are left out.
  void add(const void* begin, std::uint64_t bytes, std::uint64_t index, std::uint64_t domain = 0);

  [[nodiscard]] std::optional<machine::KnownRange> find(std::uintptr_t address) const override;
  [[nodiscard]] std::string describe(std::uintptr_t address) const override;

 private:
  struct Named {
    machine::KnownRange range;
    std::uint64_t index;
    std::uint64_t domain;
    [[nodiscard]] std::string name() const;
  };

  machine::Core& core_;
  std::vector<Named> ranges_;
  std::vector<machine::KnownRange> found_;
};

}  // namespace tileput::orchestration
