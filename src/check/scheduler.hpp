// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Runs actors one step at a time, in the order a strategy picks: fibers (kernels, listings, whole ranks) and engines
/// (pipes, memory systems), which are functions.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/fiber.hpp"
#include "check/strategy.hpp"

namespace tileput::check {

class Scheduler {
 public:
  /// Of the strategy only choose() is called here: a run may be several calls of run(), so who makes the runs of an
  /// exploration calls begin_run() and end_run().
  explicit Scheduler(Strategy& strategy, std::uint64_t steps_max) : strategy_(strategy), steps_max_(steps_max) {}
  /// Fibers that have not returned are unwound, in the order of their ids.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// An actor that runs `body` on a fiber of its own. Its first step touches nothing and is enabled.
  int spawn(std::function<void()> body);
  /// An actor that calls `step` each time it is picked; disabled until set_engine() says otherwise. `step` may call
  /// set_engine() of itself.
  int add_engine(std::function<void()> step);
  /// A disabled engine counts as parked, waiting for its next step, exactly when it has touches.
  void set_engine(int actor, bool enabled, Touches touches = {});

  /// Only on a fiber of this scheduler: the actor's next step is one that touches `touches`, possible once `condition`
  /// holds (empty: now). Returns when the step has been picked; the condition holds then. Conditions are asked again
  /// after something_changed().
  void park(Touches touches, std::function<bool()> condition = {});
  void something_changed() noexcept { conditions_may_have_changed_ = true; }
  /// The actor that runs; -1 outside.
  [[nodiscard]] int current() const noexcept { return current_; }

  enum class Outcome : std::uint8_t {
    kEnded,      ///< every fiber has returned, every engine is disabled
    kStuck,      ///< nobody can take a step, and some fibers have not returned
    kRedundant,  ///< the strategy gave the run up
    kTooLong,    ///< the limit of steps
  };
  /// Picks steps until there is none; may be called again after spawn() or a change from outside. What a fiber throws
  /// comes out of here.
  Outcome run();

  [[nodiscard]] const Actors& actors() const noexcept { return actors_; }
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }

 private:
  struct Actor {
    std::unique_ptr<base::Fiber> fiber;  ///< null: an engine
    std::function<void()> engine;
    std::function<bool()> condition;
    bool enabled = false;
    bool parked = false;
  };
  void set_enabled(int actor, bool enabled);
  void set_parked(int actor, bool parked);
  void ask_conditions();
  void step(int actor);

  Strategy& strategy_;
  std::uint64_t steps_max_;
  std::uint64_t steps_ = 0;
  std::deque<Actor> list_;  ///< by id; a deque, because an actor that runs may add others
  Actors actors_;
  std::vector<int> conditional_;  ///< parked with a condition, ascending
  int running_fibers_ = 0;        ///< those that have not returned
  int current_ = -1;
  bool conditions_may_have_changed_ = false;
};

}  // namespace tileput::check
