// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "check/model.hpp"

namespace tileput::check {

enum class Memory : std::uint8_t {
  kWindow,   ///< peers may address it
  kPrivate,  ///< global memory of one rank
  kOnChip,   ///< of one core
};

/// A piece of memory with a name.
struct Region {
  std::string name;  ///< the same on every rank
  Range range;
  Memory memory = Memory::kWindow;
  int rank = 0;
  std::uint32_t cell_bytes = 1;  ///< what reports count in
  bool initialised = true;       ///< reading what nobody wrote is fine
};

/// Which region an address belongs to. Regions do not overlap.
class MemoryMap {
 public:
  int add(Region region);
  /// The same region at another place, where no region is.
  void move(int index, Address begin);
  /// The region that holds `address`, or null.
  [[nodiscard]] const Region* find(Address address) const noexcept;
  [[nodiscard]] const Region& at(int index) const noexcept { return regions_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] int index_of(const Region& region) const noexcept {
    return static_cast<int>(&region - regions_.data());
  }
  [[nodiscard]] int size() const noexcept { return static_cast<int>(regions_.size()); }

 private:
  std::vector<Region> regions_;
  std::map<Address, int> by_end_;
};

}  // namespace tileput::check
