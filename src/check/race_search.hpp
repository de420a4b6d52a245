// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One pass over a trace that remembers, for every byte, the accesses that a later one could conflict with.

#include <map>
#include <string>
#include <vector>

#include "check/analysis.hpp"

namespace tileput::check {

class RaceSearch {
 public:
  RaceSearch(const Machine& machine, const Trace& trace, Order& order, const Rules& rules)
      : machine_(machine), trace_(trace), order_(order), rules_(rules) {}

  [[nodiscard]] Findings find();
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  struct Seen {
    OpId op;
    std::uint32_t access;
  };
  struct Cell {
    Address end = 0;
    bool is_written = false;
    std::vector<Seen> seen;
  };
  struct Unwritten {
    OpId op;
    std::uint32_t access;
    Range range;
  };
  using Cells = std::map<Address, Cell>;

  void look_at(const Order::View& view);
  void look_at_access(const Order::View& view, std::uint32_t access);
  void look_at_cell(const Order::View& view, std::uint32_t access, const Region* region, Cell& cell);
  void look_at_lines(const Order::View& view, std::uint32_t access);
  /// The cells of `range`, made or split so that they cover exactly it.
  std::pair<Cells::iterator, Cells::iterator> cells_of(const Range& range);
  void split(Address at);
  [[nodiscard]] bool is_before(const Seen& first, const Order::View& view, const Region* region) const;
  void report(FindingKind kind, const Seen& first, const Order::View& view, std::uint32_t access);
  void report_unwritten();
  [[nodiscard]] std::string missing_edge(const Seen& first, const Order::View& view, std::uint32_t access,
                                         const Region* region) const;
  [[nodiscard]] std::string missing_inside(const Seen& first, const Order::View& view, bool is_on_chip) const;
  [[nodiscard]] std::string missing_between(const Seen& first, const Order::View& view) const;
  [[nodiscard]] std::string name_of(OpId op) const;
  [[nodiscard]] ReportedAccess describe(OpId op, std::uint32_t access) const;

  const Machine& machine_;
  const Trace& trace_;
  Order& order_;
  Rules rules_;
  Cells cells_;
  std::map<Address, std::vector<Seen>> lines_;  ///< writes to lines that somebody writes as a whole
  std::vector<Unwritten> unwritten_;
  std::map<OpId, std::vector<Range>> racy_;  ///< reads with what is unordered with them
  std::uint64_t bytes_ = 0;
  Findings findings_;
};

}  // namespace tileput::check
