// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/litmus/storage.hpp"

#include <algorithm>

namespace tileput::check::litmus {

namespace {

constexpr std::int64_t rounded_up(std::int64_t cells, std::int64_t to) { return (cells + to - 1) / to * to; }

}  // namespace

Storage::Storage(const Declarations& declarations) : declarations_(declarations) {
  const auto& regions = declarations.regions;
  offsets_.resize(regions.size());
  for (std::size_t first = 0; first < regions.size(); ++first) {
    if (regions[first].behind >= 0) {
      continue;
    }
    std::int64_t next = rank_cells_;
    for (int at = static_cast<int>(first); at >= 0;) {
      const auto index = static_cast<std::size_t>(at);
      offsets_[index] = next;
      next += regions[index].cells;
      const auto behind = std::find_if(regions.begin(), regions.end(),
                                       [&](const DeclaredRegion& region) { return region.behind == at; });
      at = behind == regions.end() ? -1 : static_cast<int>(behind - regions.begin());
    }
    rank_cells_ = rounded_up(next, kCellsOfLine);
  }
}

void Storage::reserve_tile(int agent, const std::string& name, std::int64_t cells) {
  Tile& tile = tiles_[{agent, name}];
  tile.cells = std::max(tile.cells, cells);
}

void Storage::allocate() {
  std::int64_t next = rank_cells_ * declarations_.ranks;
  lines_.resize(static_cast<std::size_t>(next / kCellsOfLine));
  initial_.resize(lines_.size());
  written_.resize(static_cast<std::size_t>(next));
  for (auto& [key, tile] : tiles_) {
    tile.offset = next;
    next += rounded_up(tile.cells, kCellsOfLine);
  }
}

Range Storage::range_at(std::int64_t offset, std::int64_t cells) const {
  return {reinterpret_cast<Address>(lines_.data()) + static_cast<Address>(offset * kCellBytes),
          static_cast<std::uint64_t>(cells * kCellBytes)};
}

Range Storage::region(int rank, int region) const {
  const auto index = static_cast<std::size_t>(region);
  return range_at(rank * rank_cells_ + offsets_[index], declarations_.regions[index].cells);
}

Range Storage::tile(int agent, const std::string& name) const {
  const Tile& tile = tiles_.at({agent, name});
  return range_at(tile.offset, tile.cells);
}

std::size_t Storage::cell_of(Address address) const {
  return (address - reinterpret_cast<Address>(lines_.data())) / kCellBytes;
}

void Storage::set_initial(const Range& range, std::int32_t value) {
  for (std::size_t i = cell_of(range.begin); i < cell_of(range.end()); ++i) {
    initial_[i / kCellsOfLine].cells[i % kCellsOfLine] = value;
  }
}

void Storage::reset() {
  std::copy(initial_.begin(), initial_.end(), lines_.begin());
  std::fill(written_.begin(), written_.end(), 0);
}

void Storage::mark(const Range& range, std::uint8_t value) {
  const auto first = written_.begin() + static_cast<std::ptrdiff_t>(cell_of(range.begin));
  std::fill(first, first + static_cast<std::ptrdiff_t>(range.bytes / kCellBytes), value);
}

bool Storage::is_written(const Range& range) const {
  for (std::size_t i = cell_of(range.begin); i < cell_of(range.end()); ++i) {
    if (written_[i] == 0 && lines_[i / kCellsOfLine].cells[i % kCellsOfLine] == 0) {
      return false;
    }
  }
  return true;
}

void Storage::map(MemoryMap& memory, const std::vector<Agent>& agents) const {
  for (int rank = 0; rank < declarations_.ranks; ++rank) {
    for (std::size_t i = 0; i < declarations_.regions.size(); ++i) {
      const DeclaredRegion& region = declarations_.regions[i];
      memory.add(
          {region.name, this->region(rank, static_cast<int>(i)), region.memory, rank, kCellBytes, region.initialised});
    }
  }
  for (const auto& [key, tile] : tiles_) {
    const int rank = agents[static_cast<std::size_t>(key.first)].spec.rank;
    memory.add({key.second, range_at(tile.offset, tile.cells), Memory::kOnChip, rank, kCellBytes, true});
  }
}

}  // namespace tileput::check::litmus
