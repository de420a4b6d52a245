// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Who decides what happens next. A strategy sees actors that are about to take a step, and picks one.

#include <cstdint>
#include <span>
#include <vector>

#include "check/model.hpp"

namespace tileput::check {

/// What a step does to memory that others see in value. Additions commute with additions, reads with reads.
///
/// A kAwait is the step of an actor that waits until one word is at least `amount`, and of which nobody sees more than
/// that it took place: it commutes with what makes the word greater. Whatever touches such a word touches exactly that
/// word, and states its amount. A kRead in the place of the kAwait needs none of this, and is explored in more orders.
struct Touch {
  enum class Kind : std::uint8_t { kRead, kAdd, kWrite, kAwait };
  Range range;
  Kind kind = Kind::kRead;
  std::int64_t amount = 0;  ///< kAdd: what is added; kWrite: what is stored; kAwait: what is waited for
  std::int64_t seen = 0;    ///< kAwait: the word when the actor began to wait
};

/// What an actor does when it is picked, up to where it stops the next time.
using Touches = std::vector<Touch>;

/// Whether the order of two steps can matter to anybody: they touch the same memory and do not commute.
[[nodiscard]] bool are_dependent(const Touches& a, const Touches& b) noexcept;

/// The actors that have not ended. Ids are dense from 0, in the order actors come into being, which is the same in
/// every run that makes the same choices.
class Actors {
 public:
  /// Those that can take their next step, ascending; never empty when a strategy is asked.
  [[nodiscard]] std::span<const int> enabled() const noexcept { return enabled_; }
  /// All that wait for their next step, enabled or not, ascending.
  [[nodiscard]] std::span<const int> parked() const noexcept { return parked_; }
  /// The next step of a parked actor. Valid until the next choice.
  [[nodiscard]] const Touches& step_of(int actor) const noexcept { return steps_[static_cast<std::size_t>(actor)]; }
  /// Whether what others do can disable and enable the next step of a parked actor.
  [[nodiscard]] bool is_conditional(int actor) const noexcept { return conditional_[static_cast<std::size_t>(actor)]; }

 private:
  friend class Scheduler;
  friend class StrategyTest;
  std::vector<int> enabled_;
  std::vector<int> parked_;
  std::vector<Touches> steps_;
  std::vector<bool> conditional_;
};

/// Chooses the schedules of one exploration, one run after the other.
class Strategy {
 public:
  Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;
  virtual ~Strategy() = default;

  /// Before each run.
  virtual void begin_run() = 0;
  /// One of actors.enabled(), or -1: whatever this run could still do is equivalent to what other runs do; it is
  /// given up.
  virtual int choose(const Actors& actors) = 0;
  /// The run is over, with nobody enabled or given up: `parked` may still hold actors that wait for ever.
  virtual void end_run(const Actors& actors) = 0;
};

}  // namespace tileput::check
