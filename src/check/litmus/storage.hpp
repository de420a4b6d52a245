// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The memory of a program: int32 cells, every region of every rank on lines of its own. Tiles have addresses behind it
/// and no memory: nobody computes with what is in them.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "check/litmus/agents.hpp"
#include "check/memory_map.hpp"
#include "check/model.hpp"

namespace tileput::check::litmus {

class Storage {
 public:
  explicit Storage(const Declarations& declarations);

  /// A tile of an agent has room for its largest use.
  void reserve_tile(int agent, const std::string& name, std::int64_t cells);
  /// Gives every region and tile its place; nothing is reserved after it.
  void allocate();

  [[nodiscard]] Range region(int rank, int region) const;
  [[nodiscard]] Range tile(int agent, const std::string& name) const;

  /// Cells of `range` start at `value`.
  void set_initial(const Range& range, std::int32_t value);
  /// As before a run.
  void reset();
  /// Data that nobody can compute with has been written to the cells of `range`.
  void mark_written(const Range& range) { mark(range, 1); }
  void mark_cleared(const Range& range) { mark(range, 0); }
  /// Whether every cell of `range` has something in it: data, or a value other than 0.
  [[nodiscard]] bool is_written(const Range& range) const;

  void map(MemoryMap& memory, const std::vector<Agent>& agents) const;

 private:
  static constexpr std::int64_t kCellsOfLine = 16;
  struct alignas(kLineBytes) Line {
    std::array<std::int32_t, kCellsOfLine> cells{};
  };
  struct Tile {
    std::int64_t cells = 1;
    std::int64_t offset = 0;
  };
  void mark(const Range& range, std::uint8_t value);
  [[nodiscard]] Range range_at(std::int64_t offset, std::int64_t cells) const;
  [[nodiscard]] std::size_t cell_of(Address address) const;

  const Declarations& declarations_;
  std::vector<std::int64_t> offsets_;  ///< in cells, of a region in the memory of its rank
  std::int64_t rank_cells_ = 0;
  std::map<std::pair<int, std::string>, Tile> tiles_;
  std::vector<Line> lines_;
  std::vector<Line> initial_;
  std::vector<std::uint8_t> written_;
};

}  // namespace tileput::check::litmus
