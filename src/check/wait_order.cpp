// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What a wait is ordered after.
//
// A wait W of word w is satisfied by some of the changes of w, in some order. The changes that are ordered before W
// have all taken place (B); those ordered after W have not; of the others (C) any set that is closed under
// happens-before may have. W is ordered after position p of core k if and only if no such set satisfies W in which
// every change knows less than p of k: for each k that is the least p such that the changes of C that know at most p
// of k can satisfy W. Sets that know at most p are closed, because a change knows what earlier ones knew.

#include <algorithm>
#include <optional>
#include <set>

#include "check/analysis.hpp"

namespace tileput::check {

class Order::WaitSolver {
 public:
  WaitSolver(const Order& order, const Event& event, const Wait& wait, std::uint32_t word, const Clock& clock)
      : order_(order), event_(event), wait_(wait), initial_(order.trace_.words[word].initial), clock_(clock) {
    for (const Change& change : order.changes_[word]) {
      sort_in(change);
    }
  }

  /// Raises `clock` to what the wait is ordered after.
  void solve(Clock& clock) const {
    if (open_.empty()) {
      return;
    }
    if (order_.rules_.waits_follow_the_run) {
      join_first_enough(clock);
    } else if (is_chain()) {
      solve_chain(clock);
    } else if (only_additions_count()) {
      solve_thresholds(clock, [this](const std::vector<const Change*>& some) { return additions_satisfy(some); });
    } else {
      solve_thresholds(clock, [this](const std::vector<const Change*>& some) { return search(some); });
      if (exhausted_) {
        join_observed(clock);
      }
    }
  }

 private:
  void sort_in(const Change& change) {
    const bool is_later = change.event > order_.event_;
    const bool is_own = change.core == event_.core;
    if (is_own ? !is_later : change.position <= clock_[static_cast<std::size_t>(change.core)]) {
      before_.push_back(&change);
      return;
    }
    const bool may_be_earlier = order_.sees_later_changes_ && order_.known_of(change, event_.core) < event_.position;
    if (!is_own && (!is_later || may_be_earlier)) {
      open_.push_back(&change);
    }
  }

  [[nodiscard]] static std::int32_t applied(std::int32_t value, const Change& change) noexcept {
    const auto base = change.op == SignalOp::kAdd ? static_cast<std::uint32_t>(value) : 0U;
    return static_cast<std::int32_t>(base + static_cast<std::uint32_t>(change.value));
  }
  [[nodiscard]] bool is_satisfied(std::int32_t value) const noexcept {
    return holds(value, wait_.compare, wait_.value);
  }
  [[nodiscard]] std::int32_t base() const noexcept {
    std::int32_t value = initial_;
    for (const Change* change : before_) {
      value = applied(value, *change);
    }
    return value;
  }

  /// One core makes all open changes, and they come after all the others: one order is possible.
  [[nodiscard]] bool is_chain() const {
    const Change& first = *open_.front();
    return std::all_of(open_.begin(), open_.end(), [&](const Change* c) { return c->core == first.core; }) &&
           std::all_of(before_.begin(), before_.end(), [&](const Change* change) {
             return change->position <= order_.known_of(first, change->core) ||
                    (change->op == SignalOp::kAdd &&
                     std::all_of(open_.begin(), open_.end(), [](const Change* c) { return c->op == SignalOp::kAdd; }));
           });
  }

  void solve_chain(Clock& clock) const {
    std::int32_t value = base();
    if (is_satisfied(value)) {
      return;
    }
    for (const Change* change : open_) {
      value = applied(value, *change);
      if (is_satisfied(value)) {
        join(clock, *change);
        return;
      }
    }
    join_observed(clock);
  }

  /// Only the sum decides, and more never harms: GE and GT of positive additions, or EQ of additions of 1.
  [[nodiscard]] bool only_additions_count() const {
    const auto is_add = [](const Change* change) { return change->op == SignalOp::kAdd; };
    if (!std::all_of(before_.begin(), before_.end(), is_add) || !std::all_of(open_.begin(), open_.end(), is_add)) {
      return false;
    }
    if (wait_.compare == Compare::kGe || wait_.compare == Compare::kGt) {
      return std::all_of(open_.begin(), open_.end(), [](const Change* change) { return change->value >= 0; });
    }
    return wait_.compare == Compare::kEq &&
           std::all_of(open_.begin(), open_.end(), [](const Change* change) { return change->value == 1; });
  }

  [[nodiscard]] bool additions_satisfy(const std::vector<const Change*>& some) const {
    std::int64_t sum = base();
    const bool is_enough = wait_.compare == Compare::kEq && sum > wait_.value;
    for (const Change* change : some) {
      sum += change->value;
    }
    return !is_enough && (wait_.compare == Compare::kGt ? sum > wait_.value : sum >= wait_.value);
  }

  template <class CanSatisfy>
  void solve_thresholds(Clock& clock, CanSatisfy&& can_satisfy) const {
    if (can_satisfy({})) {
      return;
    }
    if (!can_satisfy(open_)) {  // something changed the word that is no notify: take what happened
      join_observed(clock);
      return;
    }
    std::vector<std::pair<std::uint32_t, const Change*>> by_knowledge(open_.size());
    for (std::size_t core = 0; core < clock.size(); ++core) {
      if (static_cast<int>(core) == event_.core) {
        continue;
      }
      for (std::size_t i = 0; i < open_.size(); ++i) {
        by_knowledge[i] = {order_.known_of(*open_[i], static_cast<int>(core)), open_[i]};
      }
      std::stable_sort(by_knowledge.begin(), by_knowledge.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      if (by_knowledge.back().first > clock[core]) {
        clock[core] = std::max(clock[core], least(by_knowledge, can_satisfy));
      }
    }
  }

  /// The least knowledge with which the changes that have no more of it can satisfy the wait.
  template <class CanSatisfy>
  static std::uint32_t least(const std::vector<std::pair<std::uint32_t, const Change*>>& by_knowledge,
                             CanSatisfy&& can_satisfy) {
    std::size_t low = 0;                     // that many are not enough
    std::size_t high = by_knowledge.size();  // that many are
    std::vector<const Change*> some;
    while (high - low > 1) {
      const std::size_t middle = low + (high - low) / 2;
      some.clear();
      for (std::size_t i = 0; i < middle; ++i) {
        some.push_back(by_knowledge[i].second);
      }
      (can_satisfy(some) ? high : low) = middle;
    }
    return by_knowledge[high - 1].first;
  }

  /// Whether B and some of `some`, in an order that happens-before allows, make the word satisfy the wait. True when
  /// there are too many orders; then `exhausted_`.
  [[nodiscard]] bool search(const std::vector<const Change*>& some) const {
    if (exhausted_) {
      return true;
    }
    std::vector<std::vector<const Change*>> chains(order_.units_.size());
    for (const std::vector<const Change*>* part : {&before_, &some}) {
      for (const Change* change : *part) {
        chains[static_cast<std::size_t>(change->core)].push_back(change);
      }
    }
    std::erase_if(chains, [](const auto& chain) { return chain.empty(); });
    for (auto& chain : chains) {
      std::sort(chain.begin(), chain.end(), [](const Change* a, const Change* b) { return a->event < b->event; });
    }
    std::set<std::vector<std::int64_t>> seen;
    std::vector<std::vector<std::int64_t>> open{std::vector<std::int64_t>(chains.size() + 1)};
    open.front().back() = initial_;
    const std::set<const Change*> required(before_.begin(), before_.end());
    while (!open.empty()) {
      const std::vector<std::int64_t> state = std::move(open.back());
      open.pop_back();
      if (!seen.insert(state).second) {
        continue;
      }
      if (++states_ > kStatesMax) {
        exhausted_ = true;
        return true;
      }
      if (is_satisfied(static_cast<std::int32_t>(state.back())) && has_all(chains, state, required)) {
        return true;
      }
      for (std::size_t i = 0; i < chains.size(); ++i) {
        const auto next = static_cast<std::size_t>(state[i]);
        if (next < chains[i].size() && may_come(chains, state, *chains[i][next])) {
          std::vector<std::int64_t> after = state;
          ++after[i];
          after.back() = applied(static_cast<std::int32_t>(state.back()), *chains[i][next]);
          open.push_back(std::move(after));
        }
      }
    }
    return false;
  }

  [[nodiscard]] static bool has_all(const std::vector<std::vector<const Change*>>& chains,
                                    const std::vector<std::int64_t>& state, const std::set<const Change*>& required) {
    for (std::size_t i = 0; i < chains.size(); ++i) {
      for (auto n = static_cast<std::size_t>(state[i]); n < chains[i].size(); ++n) {
        if (required.contains(chains[i][n])) {
          return false;
        }
      }
    }
    return true;
  }

  [[nodiscard]] bool is_before(const Change& change) const {
    return std::find(before_.begin(), before_.end(), &change) != before_.end();
  }

  [[nodiscard]] bool may_come(const std::vector<std::vector<const Change*>>& chains,
                              const std::vector<std::int64_t>& state, const Change& change) const {
    for (std::size_t i = 0; i < chains.size(); ++i) {
      const auto next = static_cast<std::size_t>(state[i]);
      if (next == chains[i].size() || chains[i][next] == &change) {
        continue;
      }
      const Change& other = *chains[i][next];
      // Earlier waits of the core may have depended on the order that the changes before this one had in the run.
      const bool both_before = is_before(change) && is_before(other) && other.event < change.event;
      if (both_before || other.position <= order_.known_of(change, other.core)) {
        return false;
      }
    }
    return true;
  }

  /// The changes up to the first value that satisfied the wait in this trace.
  void join_first_enough(Clock& clock) const {
    std::vector<const Change*> all = before_;
    all.insert(all.end(), open_.begin(), open_.end());
    std::sort(all.begin(), all.end(), [](const Change* a, const Change* b) { return a->event < b->event; });
    const std::uint32_t last_before = before_.empty() ? 0 : before_.back()->event;
    std::int32_t value = initial_;
    bool is_enough = before_.empty() && is_satisfied(value);
    for (const Change* change : all) {
      if (is_enough || change->event > order_.event_) {
        break;
      }
      join(clock, *change);
      value = applied(value, *change);
      is_enough = change->event >= last_before && is_satisfied(value);
    }
  }

  /// What satisfied the wait in this trace.
  void join_observed(Clock& clock) const {
    for (const Change* change : open_) {
      if (change->event < order_.event_) {
        join(clock, *change);
      }
    }
  }

  void join(Clock& clock, const Change& change) const {
    for (std::size_t core = 0; core < clock.size(); ++core) {
      if (static_cast<int>(core) != event_.core) {
        clock[core] = std::max(clock[core], order_.known_of(change, static_cast<int>(core)));
      }
    }
  }

  static constexpr std::size_t kStatesMax = 20'000;

  const Order& order_;
  const Event& event_;
  const Wait& wait_;
  std::int32_t initial_;
  const Clock& clock_;
  std::vector<const Change*> before_;
  std::vector<const Change*> open_;
  mutable std::size_t states_ = 0;  ///< of all searches for this wait
  mutable bool exhausted_ = false;
};

void Order::wait(const Event& event) {
  Unit& unit = units_[static_cast<std::size_t>(event.core)];
  const Wait& wait = trace_.waits[event.op];
  Clock clock = unit.clocks[unit.version[static_cast<std::size_t>(Pipe::kS)]];
  const Clock before = clock;
  for (const std::uint32_t word : wait.words) {
    WaitSolver(*this, event, wait, word, before).solve(clock);
  }
  new_version(unit, std::move(clock));
}

}  // namespace tileput::check
