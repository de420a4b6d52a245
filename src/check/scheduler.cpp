// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "tileput/error.hpp"

namespace tileput::check {
namespace {

// Sorted vectors, not trees: a few hundred actors, and strategies index them.
void insert_sorted(std::vector<int>& list, int value) {
  list.insert(std::lower_bound(list.begin(), list.end(), value), value);
}

void erase_sorted(std::vector<int>& list, int value) {
  const auto place = std::lower_bound(list.begin(), list.end(), value);
  if (place != list.end() && *place == value) {
    list.erase(place);
  }
}

}  // namespace

Scheduler::~Scheduler() {
  for (Actor& actor : list_) {
    actor.fiber.reset();
  }
}

int Scheduler::spawn(std::function<void()> body) {
  const int actor = static_cast<int>(list_.size());
  list_.emplace_back().fiber = std::make_unique<base::Fiber>(std::move(body));
  actors_.steps_.emplace_back();
  actors_.conditional_.push_back(false);
  running_fibers_ += 1;
  set_parked(actor, true);
  set_enabled(actor, true);
  return actor;
}

int Scheduler::add_engine(std::function<void()> step) {
  const int actor = static_cast<int>(list_.size());
  list_.emplace_back().engine = std::move(step);
  actors_.steps_.emplace_back();
  actors_.conditional_.push_back(false);
  return actor;
}

void Scheduler::set_engine(int actor, bool enabled, Touches touches) {
  const bool parked = enabled || !touches.empty();
  actors_.conditional_[static_cast<std::size_t>(actor)] =
      parked && (!enabled || actors_.conditional_[static_cast<std::size_t>(actor)]);
  set_parked(actor, parked);
  set_enabled(actor, enabled);
  actors_.steps_[static_cast<std::size_t>(actor)] = std::move(touches);
}

void Scheduler::park(Touches touches, std::function<bool()> condition) {
  const int self = current_;
  if (self < 0 || list_[static_cast<std::size_t>(self)].fiber == nullptr) {
    throw Error(ErrorCode::kInternal, "park() outside a fiber of the scheduler", "");
  }
  Actor& actor = list_[static_cast<std::size_t>(self)];
  actors_.steps_[static_cast<std::size_t>(self)] = std::move(touches);
  set_parked(self, true);
  actor.condition = std::move(condition);
  actors_.conditional_[static_cast<std::size_t>(self)] = static_cast<bool>(actor.condition);
  if (actor.condition) {
    insert_sorted(conditional_, self);
    set_enabled(self, actor.condition());
  } else {
    set_enabled(self, true);
  }
  base::Fiber::suspend();
}

void Scheduler::set_enabled(int actor, bool enabled) {
  Actor& state = list_[static_cast<std::size_t>(actor)];
  if (state.enabled != enabled) {
    state.enabled = enabled;
    enabled ? insert_sorted(actors_.enabled_, actor) : erase_sorted(actors_.enabled_, actor);
  }
}

void Scheduler::set_parked(int actor, bool parked) {
  Actor& state = list_[static_cast<std::size_t>(actor)];
  if (state.parked != parked) {
    state.parked = parked;
    parked ? insert_sorted(actors_.parked_, actor) : erase_sorted(actors_.parked_, actor);
  }
}

void Scheduler::ask_conditions() {
  // A condition may report a change itself; that is for the next time.
  if (std::exchange(conditions_may_have_changed_, false)) {
    for (const int actor : conditional_) {
      set_enabled(actor, list_[static_cast<std::size_t>(actor)].condition());
    }
  }
}

void Scheduler::step(int actor) {
  Actor& state = list_[static_cast<std::size_t>(actor)];
  steps_ += 1;
  current_ = actor;
  struct Leave {
    Scheduler& scheduler;
    Actor& state;
    ~Leave() {
      scheduler.current_ = -1;
      if (state.fiber != nullptr && state.fiber->is_done()) {
        state.fiber.reset();
        scheduler.running_fibers_ -= 1;
      }
    }
  };
  const Leave leave{*this, state};
  if (state.fiber == nullptr) {
    state.engine();
    return;
  }
  set_parked(actor, false);
  set_enabled(actor, false);
  if (state.condition) {
    erase_sorted(conditional_, actor);
    state.condition = nullptr;
  }
  state.fiber->resume();
}

Scheduler::Outcome Scheduler::run() {
  for (;;) {
    ask_conditions();
    if (actors_.enabled_.empty()) {
      return running_fibers_ == 0 ? Outcome::kEnded : Outcome::kStuck;
    }
    if (steps_ >= steps_max_) {
      return Outcome::kTooLong;
    }
    const int actor = strategy_.choose(actors_);
    if (actor < 0) {
      return Outcome::kRedundant;
    }
    if (static_cast<std::size_t>(actor) >= list_.size() || !list_[static_cast<std::size_t>(actor)].enabled) {
      throw Error(ErrorCode::kInternal, "the strategy picked an actor that cannot take a step", "");
    }
    step(actor);
  }
}

}  // namespace tileput::check
