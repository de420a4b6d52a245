// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Runs actors one step at a time, in the order a strategy picks: fibers (kernels, listings, whole ranks) and engines
/// (pipes, memory systems), which are functions.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fiber.hpp"
#include "check/strategy.hpp"

namespace tileput::check {

class Scheduler {
 public:
  explicit Scheduler(Strategy& strategy, std::uint64_t steps_max) : strategy_(strategy), steps_max_(steps_max) {}

  /// An actor that runs `body` on a fiber of its own. Its first step touches nothing and is enabled.
  int spawn(std::function<void()> body);
  /// An actor that calls `step` each time it is picked; disabled until set_engine() says otherwise. `step` may call
  /// set_engine() of itself.
  int add_engine(std::function<void()> step);
  void set_engine(int actor, bool enabled, Touches touches = {});

  /// Only on a fiber of this scheduler: the actor's next step is one that touches `touches`, possible once `condition`
  /// holds (empty: now). Returns when the step has been picked; the condition holds then. Conditions are asked again
  /// after something_changed().
  void park(Touches touches, std::function<bool()> condition = {});
  void something_changed() noexcept { conditions_may_have_changed_ = true; }
  /// The actor that runs; -1 outside.
  [[nodiscard]] int current() const noexcept { return current_; }

  enum class Outcome : std::uint8_t {
    kEnded,     ///< every fiber has returned, every engine is disabled
    kStuck,     ///< nobody can take a step, and some fibers have not returned
    kRedundant, ///< the strategy gave the run up
    kTooLong,   ///< the limit of steps
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
    bool ended = false;
    bool enabled = false;
  };
  void update_enabled();

  Strategy& strategy_;
  std::uint64_t steps_max_;
  std::uint64_t steps_ = 0;
  std::vector<Actor> actors_list_;
  Actors actors_;
  int current_ = -1;
  bool conditions_may_have_changed_ = false;
};

}  // namespace tileput::check
