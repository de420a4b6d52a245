// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "check/explore.hpp"

namespace tileput::check {
namespace {

bool contains(const std::vector<int>& sorted, int value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

void insert(std::vector<int>& sorted, int value) {
  const auto place = std::lower_bound(sorted.begin(), sorted.end(), value);
  if (place == sorted.end() || *place != value) {
    sorted.insert(place, value);
  }
}

// By actor: the number of steps of the run, counted from its start, up to and with the actor's last one that happens
// before. Actors beyond the end have none.
class Clock {
 public:
  [[nodiscard]] std::size_t of(int actor) const {
    return static_cast<std::size_t>(actor) < steps_.size() ? steps_[static_cast<std::size_t>(actor)] : 0;
  }
  void set(int actor, std::size_t steps) {
    steps_.resize(std::max(steps_.size(), static_cast<std::size_t>(actor) + 1));
    steps_[static_cast<std::size_t>(actor)] = steps;
  }
  void join(const Clock& other) {
    steps_.resize(std::max(steps_.size(), other.steps_.size()));
    for (std::size_t i = 0; i < other.steps_.size(); ++i) {
      steps_[i] = std::max(steps_[i], other.steps_[i]);
    }
  }

 private:
  std::vector<std::size_t> steps_;
};

bool are_equal(const Touches& a, const Touches& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Touch& x, const Touch& y) { return x.kind == y.kind && x.range == y.range; });
}

// Whether a step that touches `touches` can change the answer to the condition of one that touches `waiting`.
bool may_change(const Touches& touches, const Touches& waiting) {
  return std::any_of(touches.begin(), touches.end(), [&waiting](const Touch& touch) {
    return touch.kind != Touch::Kind::kRead && touch.kind != Touch::Kind::kAwait &&
           std::any_of(waiting.begin(), waiting.end(),
                       [&touch](const Touch& other) { return other.range.overlaps(touch.range); });
  });
}

// Dynamic partial order reduction with source sets and sleep sets (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014, after
// Flanagan and Godefroid, POPL 2005), by running again from the start. Runs that differ only in the order of
// independent steps are one Mazurkiewicz trace; each trace is run at least once.
//
// Of each step e of the run at hand a node says what else is to be tried in its place (`backtrack`). When an actor
// takes a step x that depends on e, and nothing else orders the two, x is to come before e in another run. What has
// happened since e and does not need e is v; v can happen without e. An initial of v is an actor whose first step in v
// needs no other step of v.
//
// - x takes place whatever happened: one of the initials of v, x is enough in the place of e.
// - x waits for a condition: another run may let it go ahead after only a part of v, so all initials are tried that
// lead
//   to a step x depends on, and x itself if it could run. If x was about to run only after steps of v, each run with x
//   before e has them: one of the initials that lead there is enough. If nothing in v touches what x waits for, and x
//   could not run before e, there is nothing to try.
//
// A kAwait commutes with the additions that make it possible. They come before it only as far as it needs them: a step
// y does when what is left without y and all that needs y is not enough.
//
// Steps that never took place because their condition did not hold are treated like those that did.
class SystematicExplorer final : public Explorer {
 public:
  explicit SystematicExplorer(std::uint64_t schedules) : schedules_(schedules) {}

  [[nodiscard]] bool more() const override { return !exhausted_ && (schedules_ == 0 || runs_ < schedules_); }
  [[nodiscard]] std::uint64_t seed() const override { return runs_ == 0 ? 0 : runs_ - 1; }
  [[nodiscard]] std::string replay_options() const override {
    return fmt::format("--replay {}", fmt::join(choices_, "."));
  }
  [[nodiscard]] bool is_complete() const override { return exhausted_ && !cut_short_; }

  void begin_run() override;
  int choose(const Actors& actors) override;
  void end_run(const Actors& actors) override;

 private:
  struct Node {
    int chosen = -1;
    Touches touches;           // of the chosen step
    Clock clock;               // of the chosen step
    std::vector<int> enabled;  // before it; all lists ascend
    std::vector<int> sleep;    // what runs elsewhere have begun with here, in effect
    std::vector<int> backtrack;
    std::vector<int> done;  // chosen at any time
  };
  struct Pending {
    bool parked = false;
    bool enabled = false;
    bool conditional = false;
    Touches touches;
    std::size_t parked_at = 0;
    Clock clock;  // of what happens before the actor's next step, whatever that touches
  };

  struct Initial {
    int actor = -1;
    std::size_t step = 0;  // its first after the one that is to be reversed
  };

  // Who uses an awaited word, in the run at hand.
  struct Word {
    int adder = -1;
    bool is_awaited = false;
    bool is_monotone = true;  // one actor adds, and never less than 0
  };

  void observe(const Actors& actors);
  void note_words(int actor, const Touches& touches);
  void observe_actor(int actor, const Actors& actors, bool enabled);
  void take_step(Node& node);
  void order_after_needed(Pending& pending, const Touch& await) const;
  void reverse(std::size_t earlier, int actor);
  void reverse_conditional(int actor);
  [[nodiscard]] std::vector<Initial> initials_after(std::size_t earlier) const;
  [[nodiscard]] std::vector<int> next_sleep() const;

  std::uint64_t schedules_;
  std::uint64_t runs_ = 0;
  bool exhausted_ = false;
  bool cut_short_ = false;
  bool given_up_ = false;
  bool awaits_as_reads_ = false;
  bool starts_again_ = false;
  std::map<Address, Word> words_;
  std::vector<Node> nodes_;       // of the run at hand; between runs, of the part that the next one repeats
  std::size_t depth_ = 0;         // steps the run at hand has taken
  std::vector<Pending> pending_;  // by actor
  std::vector<int> choices_;
};

void SystematicExplorer::begin_run() {
  runs_ += 1;
  depth_ = 0;
  given_up_ = false;
  words_.clear();
  pending_.clear();
  choices_.clear();
}

int SystematicExplorer::choose(const Actors& actors) {
  observe(actors);
  if (starts_again_) {
    given_up_ = true;
    return -1;
  }
  if (depth_ == nodes_.size()) {
    Node node;
    node.sleep = depth_ == 0 ? std::vector<int>{} : next_sleep();
    node.enabled.assign(actors.enabled().begin(), actors.enabled().end());
    const auto awake = std::find_if(node.enabled.begin(), node.enabled.end(),
                                    [&node](int actor) { return !contains(node.sleep, actor); });
    if (awake == node.enabled.end()) {
      given_up_ = true;
      return -1;
    }
    node.chosen = *awake;
    node.backtrack = {node.chosen};
    node.done = {node.chosen};
    nodes_.push_back(std::move(node));
  }
  Node& node = nodes_[depth_];
  node.touches = pending_[static_cast<std::size_t>(node.chosen)].touches;
  take_step(node);
  depth_ += 1;
  choices_.push_back(node.chosen);
  return node.chosen;
}

void SystematicExplorer::take_step(Node& node) {
  const int actor = node.chosen;
  Pending& pending = pending_[static_cast<std::size_t>(actor)];
  if (pending.conditional) {
    reverse_conditional(actor);
  }
  for (std::size_t i = depth_; i-- > 0;) {
    const Node& earlier = nodes_[i];
    if (pending.clock.of(earlier.chosen) <= i && are_dependent(earlier.touches, node.touches)) {
      if (!pending.conditional) {
        reverse(i, actor);
      }
      pending.clock.join(earlier.clock);
    }
  }
  for (const Touch& touch : node.touches) {
    if (touch.kind == Touch::Kind::kAwait) {
      order_after_needed(pending, touch);
    }
  }
  pending.clock.set(actor, depth_ + 1);
  pending.parked = false;
  node.clock = pending.clock;
}

// Adds to the clock of a step that is about to take place what its `await` needs. Writes of the word are in the clock,
// and with them the additions before them.
void SystematicExplorer::order_after_needed(Pending& pending, const Touch& await) const {
  std::int64_t value = await.seen;
  struct Addition {
    const Clock& clock;
    std::int64_t amount;
  };
  std::vector<Addition> additions;
  for (std::size_t i = 0; i < depth_; ++i) {
    for (const Touch& touch : nodes_[i].touches) {
      if (!touch.range.overlaps(await.range)) {
        continue;
      }
      if (touch.kind == Touch::Kind::kWrite) {
        additions.clear();
        value = i >= pending.parked_at ? touch.amount : value;
      } else if (touch.kind == Touch::Kind::kAdd) {
        additions.push_back({nodes_[i].clock, touch.amount});
        value += i >= pending.parked_at ? touch.amount : 0;
      }
    }
  }
  for (std::size_t i = depth_; i-- > 0;) {
    const Node& node = nodes_[i];
    if (pending.clock.of(node.chosen) > i) {
      continue;
    }
    std::int64_t without = value;
    for (const Addition& addition : additions) {
      without -= addition.clock.of(node.chosen) > i ? addition.amount : 0;
    }
    if (without < await.amount) {
      pending.clock.join(node.clock);
    }
  }
}

// Those asleep at the last step, or begun with there before, whose step commutes with the one taken instead.
std::vector<int> SystematicExplorer::next_sleep() const {
  const Node& last = nodes_[depth_ - 1];
  std::vector<int> sleep;
  const auto keep = [&](int actor) {
    const Pending& pending = pending_[static_cast<std::size_t>(actor)];
    if (actor != last.chosen && pending.parked && !are_dependent(pending.touches, last.touches)) {
      insert(sleep, actor);
    }
  };
  std::for_each(last.sleep.begin(), last.sleep.end(), keep);
  std::for_each(last.done.begin(), last.done.end(), keep);
  return sleep;
}

// What the last step, or the world outside, has changed.
void SystematicExplorer::observe(const Actors& actors) {
  const auto enabled = actors.enabled();
  auto next_enabled = enabled.begin();
  for (const int actor : actors.parked()) {
    if (static_cast<std::size_t>(actor) >= pending_.size()) {
      pending_.resize(static_cast<std::size_t>(actor) + 1);
    }
    const bool is_enabled = next_enabled != enabled.end() && *next_enabled == actor;
    next_enabled += is_enabled ? 1 : 0;
    observe_actor(actor, actors, is_enabled);
  }
}

void SystematicExplorer::observe_actor(int actor, const Actors& actors, bool enabled) {
  Pending& pending = pending_[static_cast<std::size_t>(actor)];
  Touches touches = actors.step_of(actor);
  for (Touch& touch : touches) {
    if (awaits_as_reads_ && touch.kind == Touch::Kind::kAwait) {
      touch.kind = Touch::Kind::kRead;
    }
  }
  const bool is_new = !pending.parked || !are_equal(pending.touches, touches);
  const bool became_enabled = enabled && !pending.enabled;
  if (is_new) {
    note_words(actor, touches);
    pending.touches = touches;
    pending.parked = true;
    pending.parked_at = depth_;
  }
  pending.enabled = enabled;
  pending.conditional = actors.is_conditional(actor);
  if (depth_ > 0) {
    const Node& last = nodes_[depth_ - 1];
    if (last.chosen != actor && (is_new || (became_enabled && !may_change(last.touches, touches)))) {
      // Another actor made this step possible in a way that touches do not tell: it always comes first.
      pending.clock.join(last.clock);
    }
  }
}

void SystematicExplorer::note_words(int actor, const Touches& touches) {
  for (const Touch& touch : touches) {
    if (touch.kind == Touch::Kind::kAwait) {
      words_[touch.range.begin].is_awaited = true;
    } else if (touch.kind == Touch::Kind::kAdd) {
      Word& word = words_[touch.range.begin];
      word.is_monotone = word.is_monotone && touch.amount >= 0 && (word.adder < 0 || word.adder == actor);
      word.adder = actor;
    } else {
      continue;
    }
    const Word& word = words_[touch.range.begin];
    starts_again_ = starts_again_ || (word.is_awaited && !word.is_monotone);
  }
}

// The initials of the steps since `earlier` that do not need it.
std::vector<SystematicExplorer::Initial> SystematicExplorer::initials_after(std::size_t earlier) const {
  const int without = nodes_[earlier].chosen;
  std::vector<Initial> firsts;  // of each actor in these steps
  std::vector<Initial> initials;
  for (std::size_t j = earlier + 1; j < depth_; ++j) {
    const Node& node = nodes_[j];
    if (node.clock.of(without) > earlier || std::any_of(firsts.begin(), firsts.end(), [&node](const Initial& first) {
          return first.actor == node.chosen;
        })) {
      continue;
    }
    if (std::none_of(firsts.begin(), firsts.end(),
                     [&node](const Initial& first) { return node.clock.of(first.actor) > first.step; })) {
      initials.push_back({node.chosen, j});
    }
    firsts.push_back({node.chosen, j});
  }
  return initials;
}

// `actor` is about to take an unconditional step, which is to come before step `earlier` in some run. Its clock has
// what happens before it otherwise.
void SystematicExplorer::reverse(std::size_t earlier, int actor) {
  Node& node = nodes_[earlier];
  const Pending& pending = pending_[static_cast<std::size_t>(actor)];
  const std::vector<Initial> initials = initials_after(earlier);
  bool is_initial = true;
  int candidate = -1;
  for (const Initial& initial : initials) {
    if (contains(node.backtrack, initial.actor)) {
      return;
    }
    candidate = candidate < 0 ? initial.actor : candidate;
  }
  for (std::size_t j = earlier + 1; j < depth_ && is_initial; ++j) {
    const bool needs_earlier = nodes_[j].clock.of(node.chosen) > earlier;
    is_initial = needs_earlier || (nodes_[j].chosen != actor && pending.clock.of(nodes_[j].chosen) <= j &&
                                   !are_dependent(nodes_[j].touches, pending.touches));
  }
  insert(node.backtrack, is_initial ? actor : candidate);
}

// `actor` is about to take a step that depends on a condition, or would be if that held.
void SystematicExplorer::reverse_conditional(int actor) {
  const Pending& pending = pending_[static_cast<std::size_t>(actor)];
  for (std::size_t i = depth_; i-- > 0;) {
    Node& node = nodes_[i];
    if (pending.clock.of(node.chosen) > i || !are_dependent(node.touches, pending.touches)) {
      continue;
    }
    const auto needed = [&](std::size_t j) { return pending.clock.of(nodes_[j].chosen) > j; };
    const auto touching = [&](std::size_t j) {
      return are_dependent(nodes_[j].touches, pending.touches) || may_change(nodes_[j].touches, pending.touches);
    };
    const auto leads_to = [&](const Initial& initial, const auto& target) {
      for (std::size_t j = initial.step; j < depth_; ++j) {
        if (nodes_[j].clock.of(node.chosen) <= i && nodes_[j].clock.of(initial.actor) > initial.step && target(j)) {
          return true;
        }
      }
      return false;
    };
    std::vector<int> leading_to_needed;
    std::vector<int> leading_to_touching;
    for (const Initial& initial : initials_after(i)) {
      if (leads_to(initial, needed)) {
        insert(leading_to_needed, initial.actor);
      } else if (leads_to(initial, touching)) {
        insert(leading_to_touching, initial.actor);
      }
    }
    if (!leading_to_needed.empty()) {
      if (std::none_of(leading_to_needed.begin(), leading_to_needed.end(),
                       [&node](int other) { return contains(node.backtrack, other); })) {
        insert(node.backtrack, leading_to_needed.front());
      }
      continue;
    }
    if (contains(node.enabled, actor)) {
      insert(node.backtrack, actor);
    }
    for (const int other : leading_to_touching) {
      insert(node.backtrack, other);
    }
  }
}

void SystematicExplorer::end_run(const Actors& actors) {
  observe(actors);
  if (starts_again_) {
    starts_again_ = false;
    awaits_as_reads_ = true;
    nodes_.clear();
    return;
  }
  if (!given_up_ && !actors.enabled().empty()) {
    cut_short_ = true;
  }
  for (const int actor : actors.parked()) {
    if (!pending_[static_cast<std::size_t>(actor)].enabled) {
      reverse_conditional(actor);
    }
  }
  nodes_.resize(depth_);
  while (!nodes_.empty()) {
    Node& node = nodes_.back();
    const auto untried = std::find_if(node.backtrack.begin(), node.backtrack.end(), [&node](int actor) {
      return !contains(node.done, actor) && !contains(node.sleep, actor);
    });
    if (untried != node.backtrack.end()) {
      node.chosen = *untried;
      insert(node.done, *untried);
      return;
    }
    nodes_.pop_back();
  }
  exhausted_ = true;
}

}  // namespace

std::unique_ptr<Explorer> make_systematic_explorer(std::uint64_t schedules) {
  return std::make_unique<SystematicExplorer>(schedules);
}

}  // namespace tileput::check
