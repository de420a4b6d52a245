// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
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

// Dynamic partial order reduction (Flanagan and Godefroid, POPL 2005) with sleep sets (Godefroid 1996), by running
// again from the start. Runs that differ only in the order of independent steps are one Mazurkiewicz trace; each trace
// is run at least once.
//
// Of each step of the run at hand a node says what else is to be tried in its place (`backtrack`). Whenever an actor is
// about to take a step that depends on an earlier one of another actor, and nothing orders the two, the actor, or one
// that leads to it, is added at the earlier step; so the step is tried before it. An actor that waits for a condition
// is treated alike, whether it will run or not: what it reads may have been different before. Where it could not run
// either, all are added.
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
    Touches touches;
    Clock clock;  // of what happens before the actor's next step, whatever that touches
  };

  void observe(const Actors& actors);
  void observe_actor(int actor, const Touches& touches, bool enabled);
  void add_race(std::size_t earlier, int actor);
  void take_step(Node& node, const Actors& actors);
  [[nodiscard]] std::vector<int> next_sleep() const;

  std::uint64_t schedules_;
  std::uint64_t runs_ = 0;
  bool exhausted_ = false;
  bool cut_short_ = false;
  bool given_up_ = false;
  std::vector<Node> nodes_;       // of the run at hand; between runs, of the part that the next one repeats
  std::size_t depth_ = 0;         // steps the run at hand has taken
  std::vector<Pending> pending_;  // by actor
  std::vector<int> choices_;
};

void SystematicExplorer::begin_run() {
  runs_ += 1;
  depth_ = 0;
  given_up_ = false;
  pending_.clear();
  choices_.clear();
}

int SystematicExplorer::choose(const Actors& actors) {
  observe(actors);
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
  take_step(node, actors);
  depth_ += 1;
  choices_.push_back(node.chosen);
  return node.chosen;
}

void SystematicExplorer::take_step(Node& node, const Actors& actors) {
  node.touches = actors.step_of(node.chosen);
  Pending& pending = pending_[static_cast<std::size_t>(node.chosen)];
  for (std::size_t i = depth_; i-- > 0;) {
    const Node& earlier = nodes_[i];
    if (pending.clock.of(earlier.chosen) <= i && are_dependent(earlier.touches, node.touches)) {
      pending.clock.join(earlier.clock);
    }
  }
  pending.clock.set(node.chosen, depth_ + 1);
  pending.parked = false;
  node.clock = pending.clock;
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
    observe_actor(actor, actors.step_of(actor), is_enabled);
  }
}

void SystematicExplorer::observe_actor(int actor, const Touches& touches, bool enabled) {
  Pending& pending = pending_[static_cast<std::size_t>(actor)];
  const bool is_new = !pending.parked || !are_equal(pending.touches, touches);
  const bool became_enabled = enabled && !pending.enabled;
  if (is_new) {
    pending.touches = touches;
    pending.parked = true;
  }
  pending.enabled = enabled;
  if (depth_ == 0) {
    return;
  }
  const Node& last = nodes_[depth_ - 1];
  const bool depends = are_dependent(last.touches, touches);
  if (last.chosen != actor && (is_new || (became_enabled && !depends))) {
    // Another actor made this step possible in a way that touches do not tell: it always comes first.
    pending.clock.join(last.clock);
  }
  for (std::size_t i = depth_; i-- > (is_new ? 0 : depth_ - 1);) {
    if (nodes_[i].chosen != actor && pending.clock.of(nodes_[i].chosen) <= i &&
        are_dependent(nodes_[i].touches, touches)) {
      add_race(i, actor);
      break;
    }
  }
}

// Sees to it that `actor` gets a chance to take its next step before step `earlier`.
void SystematicExplorer::add_race(std::size_t earlier, int actor) {
  Node& node = nodes_[earlier];
  if (contains(node.enabled, actor)) {
    insert(node.backtrack, actor);
    return;
  }
  int leading = -1;
  for (std::size_t j = earlier + 1; j < depth_; ++j) {
    const int other = nodes_[j].chosen;
    if (pending_[static_cast<std::size_t>(actor)].clock.of(other) > j && contains(node.enabled, other)) {
      if (contains(node.backtrack, other)) {
        return;
      }
      leading = leading < 0 ? other : leading;
    }
  }
  if (leading >= 0) {
    insert(node.backtrack, leading);
  } else {
    node.backtrack = node.enabled;
  }
}

void SystematicExplorer::end_run(const Actors& actors) {
  observe(actors);
  if (!given_up_ && !actors.enabled().empty()) {
    cut_short_ = true;
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
