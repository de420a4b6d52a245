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

/// What the instructions of one task may address: the windows of all domains that its rank is in, its tensors, and what
/// the runtime has allocated for it.
/// Attached to the cores of a team as long as it lives.
class TaskMemory final : public machine::KnownMemory {
 public:
  /// `observe`: the cores count what they do.
  TaskMemory(BlockTeam& team, bool observe);
  ~TaskMemory() override;

  /// The window of rank `index` in a domain; with domain 0, tensor argument `index`. Empty ranges are left out.
  void add(const void* begin, std::uint64_t bytes, std::uint64_t index, std::uint64_t domain = 0);

  /// Runtime-allocated output `index` of core task `task`; only while no block runs.
  void add_output(const void* begin, std::uint64_t bytes, std::uint64_t index, std::uint64_t task);
  void remove_output(const void* begin);

  [[nodiscard]] std::optional<machine::KnownRange> find(std::uintptr_t address) const override;
  [[nodiscard]] std::string describe(std::uintptr_t address) const override;

 private:
  enum class Kind : std::uint8_t { kArgument, kWindow, kOutput };
  struct Named {
    machine::KnownRange range;
    Kind kind;
    std::uint64_t index;
    std::uint64_t of;  ///< domain of a window, task of an output
    [[nodiscard]] std::string name() const;
  };

  BlockTeam& team_;
  bool observe_;
  std::vector<Named> ranges_;  // as it is while blocks run
};

}  // namespace tileput::orchestration
