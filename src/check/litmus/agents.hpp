// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the lines of one variant declare, and which statements each core or task runs.

#include <map>
#include <string>
#include <vector>

#include "check/litmus/listing.hpp"
#include "check/machine.hpp"

namespace tileput::check::litmus {

inline constexpr int kRanksMax = 64;
inline constexpr std::int64_t kCellsMax = 1 << 20;  ///< of one region
inline constexpr int kCellBytes = 4;

struct DeclaredRegion {
  std::string name;
  Memory memory = Memory::kWindow;
  std::int64_t cells = 0;
  bool initialised = true;
  int behind = -1;  ///< the region it lies directly behind; -1: on a line of its own
  int line = 0;
};

struct Declarations {
  int ranks = 0;
  std::vector<DeclaredRegion> regions;
  std::vector<const Initial*> initials;  ///< of the listing
  int places = 0;                        ///< 0: no limit
  bool in_order = false;

  /// -1: there is none.
  [[nodiscard]] int find(const std::string& name) const noexcept;
};

struct PlacedStatement {
  Position position;
  const Statement* statement = nullptr;  ///< of the listing
};

/// A core or a task of one rank.
struct Agent {
  CoreSpec spec;
  std::vector<PlacedStatement> statements;
};

Declarations declarations_of(const Listing& listing, Variant variant);
/// By rank, and within a rank in the order of their first blocks.
std::vector<Agent> agents_of(const Listing& listing, Variant variant, const Declarations& declarations);

}  // namespace tileput::check::litmus
