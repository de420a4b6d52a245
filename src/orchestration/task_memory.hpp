// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestration/block_team.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/known_memory.hpp"

namespace tileput::orchestration {

/// What the instructions of one task may address: the windows of all domains that its rank is in, and its tensors.
/// Attached to the cores of a team as long as it lives.
class TaskMemory final : public machine::KnownMemory {
 public:
  /// `observe`: the cores count what they do.
  TaskMemory(BlockTeam& team, bool observe);
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

  BlockTeam& team_;
  std::vector<Named> ranges_;  // complete before a kernel runs
};

}  // namespace tileput::orchestration
