// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/race_search.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tileput::check {

namespace {

constexpr Address line_of(Address address) noexcept { return address & ~(kLineBytes - 1); }

constexpr bool is_cached(const Op& op) noexcept {
  return op.op_class == OpClass::kScalarLoad || op.op_class == OpClass::kScalarStore;
}

constexpr bool conflict(AccessKind a, AccessKind b) noexcept {
  const bool both_read = a == AccessKind::kRead && b == AccessKind::kRead;
  const bool both_atomic = a == AccessKind::kAtomic && b == AccessKind::kAtomic;
  return !both_read && !both_atomic;
}

constexpr FindingKind kind_of(AccessKind a, AccessKind b) noexcept {
  if (a == AccessKind::kRead || b == AccessKind::kRead) {
    return FindingKind::kReadWrite;
  }
  return a == AccessKind::kAtomic || b == AccessKind::kAtomic ? FindingKind::kMixed : FindingKind::kWriteWrite;
}

}  // namespace

Findings RaceSearch::find() {
  if (!rules_.is_coherent) {
    for (const Op& op : trace_.ops) {
      if (op.touches_line) {
        for (const Access& access : trace_.accesses_of(op)) {
          for (Address line = line_of(access.range.begin); line < access.range.end(); line += kLineBytes) {
            lines_.try_emplace(line);
          }
        }
      }
    }
  }
  order_.settle();
  order_.for_each([this](const Order::View& view) { look_at(view); });
  report_unwritten();
  for (const auto& [address, cell] : cells_) {
    bytes_ += sizeof(Cells::value_type) + cell.seen.capacity() * sizeof(Seen);
  }
  return std::move(findings_);
}

void RaceSearch::look_at(const Order::View& view) {
  const Op& op = trace_.ops[view.op];
  for (std::uint32_t i = op.first_access; i < op.first_access + op.access_count; ++i) {
    const Access& access = trace_.accesses[i];
    if (access.range.bytes == 0) {
      continue;
    }
    const bool is_cached = op.op_class == OpClass::kScalarLoad && !rules_.is_coherent;
    look_at_access(is_cached ? order_.at_last_clean(view, access.range) : view, i);
    if (access.kind != AccessKind::kRead && !lines_.empty()) {
      look_at_lines(view, i);
    }
  }
}

void RaceSearch::split(Address at) {
  auto found = cells_.upper_bound(at);
  if (found == cells_.begin()) {
    return;
  }
  --found;
  if (found->first < at && at < found->second.end) {
    Cell behind = found->second;
    found->second.end = at;
    cells_.emplace(at, std::move(behind));
  }
}

std::pair<RaceSearch::Cells::iterator, RaceSearch::Cells::iterator> RaceSearch::cells_of(const Range& range) {
  split(range.begin);
  split(range.end());
  auto next = cells_.lower_bound(range.begin);
  for (Address at = range.begin; at < range.end();) {
    if (next == cells_.end() || next->first > at) {
      const Address end = next == cells_.end() ? range.end() : std::min(next->first, range.end());
      next = cells_.emplace_hint(next, at, Cell{end, false, {}});
    }
    at = next->second.end;
    ++next;
  }
  return {cells_.lower_bound(range.begin), next};
}

void RaceSearch::look_at_access(const Order::View& view, std::uint32_t access) {
  const Access& at = trace_.accesses[access];
  const Region* const region = machine_.region_at(at.range.begin);
  const auto [first, last] = cells_of(at.range);
  for (auto cell = first; cell != last; ++cell) {
    if (at.kind != AccessKind::kWrite && region != nullptr && !region->initialised && !cell->second.is_written) {
      unwritten_.push_back({view.op, access, {cell->first, cell->second.end - cell->first}});
    }
    look_at_cell(view, access, region, cell->second);
  }
}

bool RaceSearch::is_before(const Seen& first, const Order::View& view, const Region* region) const {
  const bool has_effect = trace_.accesses[first.access].kind != AccessKind::kRead;
  return order_.is_before(first.op, view, has_effect, region != nullptr && region->memory == Memory::kOnChip);
}

void RaceSearch::look_at_cell(const Order::View& view, std::uint32_t access, const Region* region, Cell& cell) {
  const AccessKind kind = trace_.accesses[access].kind;
  const Op& op = trace_.ops[view.op];
  std::erase_if(cell.seen, [&](const Seen& seen) {
    if (seen.op == view.op) {  // the sides of one operation
      return seen.access == access;
    }
    const AccessKind before = trace_.accesses[seen.access].kind;
    const Op& earlier = trace_.ops[seen.op];
    const bool is_ordered = is_before(seen, view, region);
    if (!is_ordered && conflict(before, kind)) {
      report(kind_of(before, kind), seen, view, access);
    }
    // What is not ordered after the earlier access is not ordered after this one either, and makes the same finding.
    // For a write that needs the publishing of both: an earlier one of another pipe may still be on its way.
    const bool is_of_the_same_unit =
        earlier.core == op.core && earlier.pipe == op.pipe && earlier.op_class == op.op_class;
    const std::uint32_t published = kind == AccessKind::kWrite ? order_.published_at(seen.op) : 0;
    const bool is_published = published != 0 && (earlier.core != op.core || published < view.position);
    const bool stands_for_it = kind == before && (is_of_the_same_unit || is_published);
    return is_ordered && stands_for_it;
  });
  cell.seen.push_back({view.op, access});
  cell.is_written = cell.is_written || kind == AccessKind::kWrite;
}

void RaceSearch::look_at_lines(const Order::View& view, std::uint32_t access) {
  const Op& op = trace_.ops[view.op];
  const Range& range = trace_.accesses[access].range;
  for (auto line = lines_.lower_bound(line_of(range.begin)); line != lines_.end() && line->first < range.end();
       ++line) {
    const bool fills = op.op_class == OpClass::kScalarStore;
    const Order::View at = fills ? order_.at_fill(view, {line->first, kLineBytes}) : view;
    bool is_known = false;
    for (const Seen& seen : line->second) {
      const Op& earlier = trace_.ops[seen.op];
      const Range& other = trace_.accesses[seen.access].range;
      if ((op.touches_line || earlier.touches_line) && !range.overlaps(other) &&
          !order_.is_before(seen.op, at, true, false)) {
        report(FindingKind::kLine, seen, at, access);
      }
    }
    for (Seen& seen : line->second) {
      const Op& earlier = trace_.ops[seen.op];
      if (earlier.core == op.core && earlier.pipe == op.pipe && earlier.op_class == op.op_class &&
          earlier.touches_line == op.touches_line && trace_.accesses[seen.access].range == range &&
          op.op_class != OpClass::kAsync) {
        seen = {view.op, access};  // whoever follows this one follows that one
        is_known = true;
      }
    }
    if (!is_known) {
      line->second.push_back({view.op, access});
    }
  }
}

void RaceSearch::report_unwritten() {
  for (const Unwritten& read : unwritten_) {
    const auto racy = racy_.find(read.op);
    if (racy == racy_.end() || std::none_of(racy->second.begin(), racy->second.end(),
                                            [&](const Range& range) { return range.overlaps(read.range); })) {
      Finding finding;
      finding.kind = FindingKind::kUninit;
      finding.region = machine_.region_at(read.range.begin)->name;
      finding.accesses.push_back(describe(read.op, read.access));
      finding.missing_edge = fmt::format("nobody has written {}: write it first, or read only what is written",
                                         machine_.text_of(read.range, finding.accesses.front().rank));
      findings_.add(std::move(finding));
    }
  }
}

std::string RaceSearch::name_of(OpId id) const {
  const Op& op = trace_.ops[id];
  return fmt::format("{}{}{}", op.source.instruction, op.source.place == 0 ? "" : " ", machine_.place_of(op.source));
}

ReportedAccess RaceSearch::describe(OpId id, std::uint32_t access) const {
  const Op& op = trace_.ops[id];
  const Access& at = trace_.accesses[access];
  const CoreSpec& spec = machine_.core(op.core).spec();
  const char* const verb = at.kind == AccessKind::kRead    ? "reads"
                           : at.kind == AccessKind::kWrite ? "writes"
                                                           : "adds to";
  return {.rank = spec.rank,
          .core = op.core,
          .core_name = spec.name,
          .pipe = op.pipe,
          .is_async = op.op_class == OpClass::kAsync,
          .source = op.source,
          .place = machine_.place_of(op.source),
          .access = fmt::format("{} {}", verb, machine_.text_of(at.range, spec.rank))};
}

void RaceSearch::report(FindingKind kind, const Seen& first, const Order::View& view, std::uint32_t access) {
  const Range& first_range = trace_.accesses[first.access].range;
  const Range& range = trace_.accesses[access].range;
  const Region* const region = machine_.region_at(range.begin);
  if (kind == FindingKind::kReadWrite) {
    racy_[first.op].push_back(range);
    racy_[view.op].push_back(first_range);
  }
  Finding finding;
  finding.kind = kind;
  finding.region = machine_.region_name(std::min(range.begin, first_range.begin));
  finding.other_region = machine_.region_name(std::max(range.begin, first_range.begin));
  if (finding.other_region == finding.region) {
    finding.other_region.clear();
  }
  finding.accesses = {describe(first.op, first.access), describe(view.op, access)};
  finding.missing_edge = missing_edge(first, view, access, region);
  findings_.add(std::move(finding));
}

std::string RaceSearch::missing_edge(const Seen& first, const Order::View& view, std::uint32_t access,
                                     const Region* region) const {
  const Op& a = trace_.ops[first.op];
  const Op& b = trace_.ops[view.op];
  const Order::View first_view = order_.view_of(first.op);
  if (a.core == b.core) {
    // The order of the kernel's text, whichever pipe was quicker.
    const bool is_on_chip = region != nullptr && region->memory == Memory::kOnChip;
    return b.position < a.position ? missing_inside({view.op, access}, first_view, is_on_chip)
                                   : missing_inside(first, view, is_on_chip);
  }
  // Where the core of the first access has been told of the second one's, that is the order that was meant.
  const bool is_told = order_.clock_of(first_view)[static_cast<std::size_t>(b.core)] >= b.position;
  return is_told ? missing_between({view.op, access}, first_view) : missing_between(first, view);
}

std::string RaceSearch::missing_inside(const Seen& first, const Order::View& view, bool is_on_chip) const {
  const Op& a = trace_.ops[first.op];
  const Op& b = trace_.ops[view.op];
  const std::string between = fmt::format("between {} and {}", name_of(first.op), name_of(view.op));
  if (a.op_class == OpClass::kAsync) {
    return fmt::format("a wait for the event of {}, before {}", name_of(first.op), name_of(view.op));
  }
  if (a.op_class == OpClass::kScalarStore) {
    return fmt::format("dcci of the line, then dsb(DSB_DDR), {}", between);
  }
  if (is_cached(b) && order_.is_before(first.op, order_.current(view), true, is_on_chip)) {
    return fmt::format("dcci of the line {}", between);
  }
  if (b.op_class == OpClass::kAsync || b.pipe == Pipe::kS) {
    return fmt::format("pipe_barrier(PIPE_{}) {}", check::name_of(a.pipe), between);
  }
  if (!rules_.flags_order_global_memory && !is_on_chip) {
    return fmt::format("pipe_barrier(PIPE_{}) {}: an event alone may not order a round trip through global memory",
                       check::name_of(a.pipe), between);
  }
  return fmt::format("set_flag(PIPE_{0}, PIPE_{1}, id) and wait_flag(PIPE_{0}, PIPE_{1}, id) {2}",
                     check::name_of(a.pipe), check::name_of(b.pipe), between);
}

std::string RaceSearch::missing_between(const Seen& first, const Order::View& view) const {
  const Op& a = trace_.ops[first.op];
  const Op& b = trace_.ops[view.op];
  const std::string& a_core = machine_.core(a.core).spec().name;
  const std::string& b_core = machine_.core(b.core).spec().name;
  const bool has_effect = trace_.accesses[first.access].kind != AccessKind::kRead;
  if (is_cached(b) && order_.is_before(first.op, order_.current(view), has_effect, false)) {
    return fmt::format("dcci of the line before {}, after what tells {} of {}", name_of(view.op), b_core,
                       name_of(first.op));
  }
  const std::uint32_t known = order_.clock_of(order_.current(view))[static_cast<std::size_t>(a.core)];
  if (known < a.position) {
    return fmt::format("a TNOTIFY of {} after {} that a TWAIT of {} needs, before {}", a_core, name_of(first.op),
                       b_core, name_of(view.op));
  }
  const std::string before = fmt::format("between {} and the TNOTIFY that {} waits for", name_of(first.op), b_core);
  if (a.op_class == OpClass::kAsync) {
    return fmt::format("a wait for its event {}", before);
  }
  const std::uint32_t drained = order_.drained_at(first.op);
  if (drained != 0 && drained <= known) {
    return fmt::format("dsb(DSB_DDR) {}", before);
  }
  if (a.op_class == OpClass::kScalarStore) {
    return fmt::format("dcci of the line, then dsb(DSB_DDR), {}", before);
  }
  const bool crosses = machine_.core(a.core).spec().rank != machine_.core(b.core).spec().rank;
  return fmt::format("pipe_barrier(PIPE_{}){} {}", check::name_of(a.pipe),
                     has_effect && crosses ? ", then dsb(DSB_DDR)," : "", before);
}

}  // namespace tileput::check
