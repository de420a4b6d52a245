// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Happens-before over a trace: what pipes, scalar units, fences and caches order inside a core, and how positions of
// scalar units travel between cores. What a wait is ordered after is in wait_order.cpp.

#include <algorithm>

#include "check/analysis.hpp"

namespace tileput::check {

namespace {

constexpr int kRepetitionsMax = 64;
constexpr auto kScalar = static_cast<std::size_t>(Pipe::kS);

void join(Order::Known& into, const Order::Known& from) noexcept {
  for (std::size_t i = 0; i < into.size(); ++i) {
    into[i] = std::max(into[i], from[i]);
  }
}

constexpr Address line_of(Address address) noexcept { return address & ~(kLineBytes - 1); }

/// The first fence at or after `position`; 0: none.
std::uint32_t first_at_or_after(const std::vector<std::uint32_t>& fences, std::uint32_t position) {
  const auto found = std::lower_bound(fences.begin(), fences.end(), position);
  return found == fences.end() ? 0 : *found;
}

}  // namespace

Order::Order(const Trace& trace, std::vector<int> rank_of_core, const Rules& rules)
    : trace_(trace), rank_of_core_(std::move(rank_of_core)), rules_(rules) {
  units_.resize(rank_of_core_.size());
  for (Unit& unit : units_) {
    unit.clocks.emplace_back(units_.size(), 0);
  }
  collect_changes();
}

void Order::collect_changes() {
  changes_.resize(trace_.words.size());
  std::vector<std::uint32_t> version(units_.size());
  for (std::size_t i = 0; i < trace_.events.size(); ++i) {
    const Event& event = trace_.events[i];
    const auto core = static_cast<std::size_t>(event.core);
    if (event.kind == Event::Kind::kWait || event.kind == Event::Kind::kTakePlace) {
      ++version[core];
    } else if (event.kind == Event::Kind::kModify) {
      changes_[event.word].push_back({event.core, event.position, version[core], static_cast<std::uint32_t>(i),
                                      event.signal_op, static_cast<std::int32_t>(event.value)});
    }
  }
}

void Order::settle() {
  // Each repetition takes away from the clocks of the one before, so it ends; programs whose signals have one notifier
  // each end with the second. Only where a wait is not understood (WaitSolver::join_observed) could clocks rise again.
  int repetitions = 0;
  do {
    clocks_changed_ = false;
    reset();
    for (event_ = 0; event_ < trace_.events.size(); ++event_) {
      apply(trace_.events[event_]);
    }
    if (!sees_later_changes_) {
      sees_later_changes_ = true;
      clocks_changed_ = std::any_of(changes_.begin(), changes_.end(), [](const std::vector<Change>& changes) {
        return std::any_of(changes.begin(), changes.end(),
                           [&](const Change& change) { return change.core != changes.front().core; });
      });
    }
  } while (clocks_changed_ && ++repetitions < kRepetitionsMax);
}

void Order::reset() {
  for (Unit& unit : units_) {
    std::vector<Clock> clocks = std::move(unit.clocks);
    unit = {};
    unit.clocks = std::move(clocks);
  }
  tokens_.assign(trace_.tokens, {});
  issued_.assign(trace_.ops.size(), {});
  executed_.assign(trace_.ops.size(), {});
  complete_.assign(trace_.ops.size(), 0);
  event_ = 0;
}

Order::Snapshot Order::snapshot(const Unit& unit) const {
  return {unit.known[kScalar], unit.known_global[kScalar], unit.version[kScalar], unit.position};
}

Order::View Order::view_of(OpId id) const {
  const Snapshot& at = executed_[id];
  const std::uint32_t position = trace_.ops[id].position;
  return {trace_.ops[id].core, id, at.known, at.known_global, at.version, position, position};
}

void Order::apply(const Event& event) {
  Unit& unit = units_[static_cast<std::size_t>(event.core)];
  if (event.kind != Event::Kind::kExecute) {
    unit.position = std::max(unit.position, event.position);
  }
  switch (event.kind) {
    case Event::Kind::kIssue: issued_[event.op] = snapshot(unit); break;
    case Event::Kind::kExecute: execute(event); break;
    case Event::Kind::kDrain: drain(unit, event.pipe, event.position); break;
    case Event::Kind::kFence: fence(unit, event.position); break;
    case Event::Kind::kClean: clean(unit, event); break;
    case Event::Kind::kCleanAll:
      write_back_all(unit, event.position);
      invalidate_all(unit);
      break;
    case Event::Kind::kModify: break;  // in changes_ already
    case Event::Kind::kWait: wait(event); break;
    case Event::Kind::kComplete:
      if (complete_[event.op] == 0 && (event.value != 0 || rules_.transfers_complete_in_order)) {
        complete_[event.op] = event.position;
      }
      break;
    case Event::Kind::kBoundary: boundary(unit, event); break;
    case Event::Kind::kTakePlace: {
      Clock clock = unit.clocks[unit.version[kScalar]];
      if (event.value >= 0) {
        const Unit& before = units_[static_cast<std::size_t>(event.value)];
        const Clock& theirs = before.clocks[before.version[kScalar]];
        for (std::size_t i = 0; i < clock.size(); ++i) {
          clock[i] = std::max(clock[i], theirs[i]);
        }
        clock[static_cast<std::size_t>(event.value)] = before.position;
      }
      new_version(unit, std::move(clock));
      invalidate_all(unit);  // a task starts with an empty cache
      break;
    }
  }
}

void Order::execute(const Event& event) {
  const Op& op = trace_.ops[event.op];
  Unit& unit = units_[static_cast<std::size_t>(op.core)];
  if (op.op_class == OpClass::kAsync) {  // an engine of its own: it knows what the scalar unit knew
    executed_[event.op] = issued_[event.op];
    return;
  }
  const auto pipe = static_cast<std::size_t>(op.pipe);
  if (op.pipe == Pipe::kS) {
    unit.position = std::max(unit.position, op.position);
  } else {
    join(unit.known[pipe], issued_[event.op].known);
    join(unit.known_global[pipe], issued_[event.op].known_global);
    unit.version[pipe] = std::max(unit.version[pipe], issued_[event.op].version);
  }
  if (op.op_class == OpClass::kWaitFlag) {
    const Token& token = tokens_[op.token];
    join(unit.known[pipe], token.known);
    if (op.is_internal || rules_.flags_order_global_memory || op.pipe == Pipe::kS) {
      join(unit.known_global[pipe], token.known_global);
    }
    unit.version[pipe] = std::max(unit.version[pipe], token.version);
    if (op.pipe == Pipe::kS) {
      for (std::size_t i = 0; i < unit.drains.size(); ++i) {
        if (unit.drains[i].empty() || unit.drains[i].back().count < unit.known_global[kScalar][i]) {
          unit.drains[i].push_back({unit.known_global[kScalar][i], op.position});
        }
      }
    }
  }
  unit.known[pipe][pipe] = unit.known_global[pipe][pipe] = op.index;
  if (op.op_class == OpClass::kSetFlag) {
    tokens_[op.token] = {unit.known[pipe], unit.known_global[pipe], unit.version[pipe]};
  }
  if (op.op_class == OpClass::kScalarLoad || op.op_class == OpClass::kScalarStore) {
    for (const Access& access : trace_.accesses_of(op)) {
      for (Address line = line_of(access.range.begin); line < access.range.end(); line += kLineBytes) {
        unit.line_fill.try_emplace(line, snapshot(unit));
        if (op.op_class == OpClass::kScalarStore) {
          unit.dirty[line].push_back(event.op);
        }
      }
    }
  }
  executed_[event.op] = {unit.known[pipe], unit.known_global[pipe], unit.version[pipe], op.position};
}

void Order::drain(Unit& unit, Pipe pipe, std::uint32_t position) {
  for (std::size_t i = 0; i < kPipes; ++i) {
    if (i != kScalar && (pipe == Pipe::kAll || static_cast<Pipe>(i) == pipe)) {
      join(unit.known[kScalar], unit.known[i]);
      join(unit.known_global[kScalar], unit.known_global[i]);
    }
  }
  for (std::size_t i = 0; i < kPipes; ++i) {
    const std::uint32_t count = unit.known_global[kScalar][i];
    if (count != 0 && (unit.drains[i].empty() || unit.drains[i].back().count < count)) {
      unit.drains[i].push_back({count, position});
    }
  }
}

void Order::fence(Unit& unit, std::uint32_t position) {
  for (std::size_t i = 0; i < kPipes; ++i) {
    const std::uint32_t count = unit.known_global[kScalar][i];
    if (count != 0 && (unit.publishes[i].empty() || unit.publishes[i].back().count < count)) {
      unit.publishes[i].push_back({count, position});
    }
  }
  unit.fences.push_back(position);
}

void Order::write_back_all(Unit& unit, std::uint32_t position) {
  for (const auto& [line, stores] : unit.dirty) {
    for (const OpId store : stores) {
      complete_[store] = position;
    }
  }
  unit.dirty.clear();
}

void Order::invalidate_all(Unit& unit) {
  unit.line_clean.clear();
  unit.line_fill.clear();
  unit.all_clean = snapshot(unit);
}

void Order::clean_line(Unit& unit, Address line, const Snapshot& now) {
  if (const auto found = unit.dirty.find(line); found != unit.dirty.end()) {
    for (const OpId store : found->second) {
      complete_[store] = now.position;
    }
    unit.dirty.erase(found);
  }
  unit.line_fill.erase(line);
  unit.line_clean[line] = now;
}

void Order::clean(Unit& unit, const Event& event) {
  const Snapshot now = snapshot(unit);
  for (Address line = line_of(event.range.begin); line < event.range.end(); line += kLineBytes) {
    clean_line(unit, line, now);
  }
}

void Order::boundary(Unit& unit, const Event& event) {
  drain(unit, Pipe::kAll, event.position);
  if (rules_.boundary_publishes) {
    fence(unit, event.position);
    write_back_all(unit, event.position);
  }
  invalidate_all(unit);
}

void Order::new_version(Unit& unit, Clock clock) {
  const std::uint32_t version = ++unit.version[kScalar];
  if (version == unit.clocks.size()) {
    unit.clocks.push_back(std::move(clock));
    clocks_changed_ = true;
  } else if (unit.clocks[version] != clock) {
    unit.clocks[version] = std::move(clock);
    clocks_changed_ = true;
  }
}

std::uint32_t Order::first_covering(const std::vector<Step>& steps, std::uint32_t index) {
  const auto found = std::lower_bound(steps.begin(), steps.end(), index,
                                      [](const Step& step, std::uint32_t wanted) { return step.count < wanted; });
  return found == steps.end() ? 0 : found->position;
}

std::uint32_t Order::drained_at(OpId id) const {
  const Op& op = trace_.ops[id];
  const Unit& unit = units_[static_cast<std::size_t>(op.core)];
  switch (op.op_class) {
    case OpClass::kAsync: return complete_[id];
    case OpClass::kScalarStore: return complete_[id] == 0 ? 0 : first_at_or_after(unit.fences, complete_[id]);
    default: break;
  }
  if (op.pipe == Pipe::kS) {
    return op.position;
  }
  return first_covering(unit.drains[static_cast<std::size_t>(op.pipe)], op.index);
}

std::uint32_t Order::published_at(OpId id) const {
  const Op& op = trace_.ops[id];
  const Unit& unit = units_[static_cast<std::size_t>(op.core)];
  switch (op.op_class) {
    case OpClass::kAsync:
    case OpClass::kScalarStore: return drained_at(id);
    case OpClass::kClear:
    case OpClass::kScalarWord: return first_at_or_after(unit.fences, op.position);
    default: break;
  }
  if (op.pipe == Pipe::kS) {
    return op.position;
  }
  return first_covering(unit.publishes[static_cast<std::size_t>(op.pipe)], op.index);
}

bool Order::is_before(OpId a_id, const View& b, bool needs_publishing, bool is_on_chip) const {
  const Op& a = trace_.ops[a_id];
  const Op& later = trace_.ops[b.op];
  if (a.core != b.core) {
    const std::uint32_t known = clock_of(b)[static_cast<std::size_t>(a.core)];
    if (rules_.is_coherent) {
      return a.position <= known;
    }
    const std::uint32_t from = needs_publishing && rank_of_core_[static_cast<std::size_t>(a.core)] !=
                                                       rank_of_core_[static_cast<std::size_t>(b.core)]
                                   ? published_at(a_id)
                                   : drained_at(a_id);
    return from != 0 && from <= known;
  }
  if (rules_.is_coherent) {
    return true;
  }
  const bool later_is_scalar = later.op_class != OpClass::kAsync && later.pipe == Pipe::kS;
  if (a.op_class == OpClass::kAsync) {
    return complete_[a_id] != 0 && complete_[a_id] < b.cache_position;
  }
  if (a.pipe == Pipe::kS) {
    if (later_is_scalar) {
      return true;
    }
    const std::uint32_t from = a.op_class == OpClass::kScalarStore ? drained_at(a_id) : a.position;
    return from != 0 && from < b.position;
  }
  if (a.pipe == later.pipe && later.op_class != OpClass::kAsync) {
    return true;
  }
  return (is_on_chip ? b.known : b.known_global)[static_cast<std::size_t>(a.pipe)] >= a.index;
}

Order::View Order::at_last_clean(const View& view, const Range& range) const {
  const Unit& unit = units_[static_cast<std::size_t>(view.core)];
  Snapshot oldest;
  bool first = true;
  for (Address line = line_of(range.begin); line < range.end(); line += kLineBytes) {
    const auto found = unit.line_clean.find(line);
    const Snapshot& at = found == unit.line_clean.end() ? unit.all_clean : found->second;
    if (first || at.position < oldest.position) {
      oldest = at;
      first = false;
    }
  }
  return {view.core, view.op, oldest.known, oldest.known_global, oldest.version, view.position, oldest.position};
}

Order::View Order::at_fill(const View& view, const Range& range) const {
  const Unit& unit = units_[static_cast<std::size_t>(view.core)];
  const auto found = unit.line_fill.find(line_of(range.begin));
  if (found == unit.line_fill.end()) {
    return view;
  }
  const Snapshot& at = found->second;
  return {view.core, view.op, at.known, at.known_global, at.version, view.position, at.position};
}

Order::View Order::current(const View& view) const {
  const OpClass op_class = trace_.ops[view.op].op_class;
  if (op_class != OpClass::kScalarLoad && op_class != OpClass::kScalarStore) {
    return view;
  }
  const Snapshot now = snapshot(units_[static_cast<std::size_t>(view.core)]);
  return {view.core, view.op, now.known, now.known_global, now.version, view.position, view.position};
}

std::uint32_t Order::known_of(const Change& change, int core) const {
  const auto index = static_cast<std::size_t>(core);
  return change.core == core ? change.position
                             : units_[static_cast<std::size_t>(change.core)].clocks[change.version][index];
}

std::uint64_t Order::bytes() const noexcept {
  std::uint64_t bytes = tokens_.capacity() * sizeof(Token) + complete_.capacity() * sizeof(std::uint32_t) +
                        (issued_.capacity() + executed_.capacity()) * sizeof(Snapshot);
  for (const Unit& unit : units_) {
    bytes += unit.clocks.size() * units_.size() * sizeof(std::uint32_t);
  }
  for (const std::vector<Change>& changes : changes_) {
    bytes += changes.capacity() * sizeof(Change);
  }
  return bytes;
}

}  // namespace tileput::check
