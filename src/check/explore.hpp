// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The strategies, each with its exploration: which runs are made, and how one of them is repeated.
///
///     auto explorer = make_explorer(options);
///     while (explorer->more()) {
///       explorer->begin_run();
///       ... one run with *explorer as the strategy of its scheduler ...
///       explorer->end_run(scheduler.actors());
///     }

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "check/strategy.hpp"

namespace tileput::check {

struct ExploreOptions {
  enum class Mode : std::uint8_t {
    kRandom,      ///< every step uniform among the actors that can take one
    kPriority,    ///< PCT: finds a bug of depth d in one run with at least a known probability
    kSystematic,  ///< every order that can matter, once or more
    kReplay,      ///< the given choices, then always the first actor
  };
  Mode mode = Mode::kRandom;
  std::uint64_t seed = 1;       ///< of the first run; run i has seed + i
  std::uint64_t schedules = 1;  ///< most runs that are made; 0: no bound, in systematic mode only
  int depth = 3;                ///< priority mode: the number of ordering constraints d a bug needs
  /// Priority mode: steps of a run, k; 0: the longest of the runs so far.
  std::uint64_t steps_expected = 0;
  std::vector<int> choices = {};  ///< replay mode: actors
};

class Explorer : public Strategy {
 public:
  /// Whether another run is to be made.
  [[nodiscard]] virtual bool more() const = 0;
  /// Of the run at hand or just ended; in the modes without chance its number.
  [[nodiscard]] virtual std::uint64_t seed() const = 0;
  /// Command line options that repeat exactly the run just ended.
  [[nodiscard]] virtual std::string replay_options() const = 0;
  /// Nothing that could matter was left out.
  [[nodiscard]] virtual bool is_complete() const { return false; }
};

std::unique_ptr<Explorer> make_explorer(const ExploreOptions& options);
/// The systematic mode; at most `schedules` runs, 0: no bound.
std::unique_ptr<Explorer> make_systematic_explorer(std::uint64_t schedules);

}  // namespace tileput::check
