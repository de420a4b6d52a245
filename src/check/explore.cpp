// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/explore.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace tileput::check {
namespace {

// xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64: the same numbers from every standard library, which
// the distributions of <random> do not promise.
class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint64_t seed) noexcept {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15U;
      std::uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
      mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
      word = mixed ^ (mixed >> 31U);
    }
  }

  std::uint64_t next() noexcept {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound), bound > 0: the numbers that would make the first remainders likelier are thrown away.
  std::uint64_t below(std::uint64_t bound) noexcept {
    const std::uint64_t surplus = (std::numeric_limits<std::uint64_t>::max() % bound + 1) % bound;
    std::uint64_t number = next();
    while (number > std::numeric_limits<std::uint64_t>::max() - surplus) {
      number = next();
    }
    return number % bound;
  }

 private:
  static std::uint64_t rotate(std::uint64_t word, unsigned bits) noexcept {
    return (word << bits) | (word >> (64U - bits));
  }
  std::uint64_t state_[4] = {};
};

// Runs with the seeds seed, seed + 1, ...
class SeededExplorer : public Explorer {
 public:
  explicit SeededExplorer(const ExploreOptions& options) : options_(options) {}

  [[nodiscard]] bool more() const override { return runs_ < options_.schedules; }
  [[nodiscard]] std::uint64_t seed() const override { return options_.seed + (runs_ == 0 ? 0 : runs_ - 1); }
  void begin_run() override {
    runs_ += 1;
    numbers_ = RandomNumbers(seed());
  }
  void end_run(const Actors& /*actors*/) override {}

 protected:
  [[nodiscard]] const ExploreOptions& options() const noexcept { return options_; }
  RandomNumbers& numbers() noexcept { return numbers_; }

 private:
  ExploreOptions options_;
  std::uint64_t runs_ = 0;
  RandomNumbers numbers_{0};
};

class RandomExplorer final : public SeededExplorer {
 public:
  using SeededExplorer::SeededExplorer;

  int choose(const Actors& actors) override { return actors.enabled()[numbers().below(actors.enabled().size())]; }
  [[nodiscard]] std::string replay_options() const override { return fmt::format("--seed {} --schedules 1", seed()); }
};

// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010). Actors have random
// distinct priorities; the enabled one of the highest priority runs. At d - 1 random steps the actor about to run falls
// below all others. A bug that shows whenever d ordering constraints hold is found by one run with probability at least
// 1 / (n * k^(d-1)), with n actors and at most k steps.
class PriorityExplorer final : public SeededExplorer {
 public:
  explicit PriorityExplorer(const ExploreOptions& options)
      : SeededExplorer(options), change_points_(static_cast<std::size_t>(std::max(options.depth, 1) - 1)) {}

  void begin_run() override {
    SeededExplorer::begin_run();
    expected_ = options().steps_expected != 0 ? options().steps_expected : longest_ != 0 ? longest_ : kFirstGuess;
    for (std::uint64_t& point : change_points_) {
      point = numbers().below(expected_);
    }
    step_ = 0;
    priorities_.clear();
  }

  int choose(const Actors& actors) override {
    for (int actor = static_cast<int>(priorities_.size()); actor <= actors.parked().back(); ++actor) {
      priorities_.push_back(change_points_.size() + numbers().below(kPriorities));
    }
    int best = highest(actors);
    for (std::size_t i = 0; i < change_points_.size(); ++i) {
      if (change_points_[i] == step_) {
        priorities_[static_cast<std::size_t>(best)] = i;
        best = highest(actors);
      }
    }
    step_ += 1;
    return best;
  }

  void end_run(const Actors& /*actors*/) override { longest_ = std::max(longest_, step_); }

  [[nodiscard]] std::string replay_options() const override {
    return fmt::format("--mode priority --depth {} --steps {} --seed {} --schedules 1", change_points_.size() + 1,
                       expected_, seed());
  }

 private:
  static constexpr std::uint64_t kFirstGuess = 100;
  static constexpr std::uint64_t kPriorities = std::uint64_t{1}
                                               << 62U;  // two equal ones: the lower id counts as higher

  [[nodiscard]] int highest(const Actors& actors) const {
    int best = actors.enabled().front();
    for (const int actor : actors.enabled()) {
      if (priorities_[static_cast<std::size_t>(actor)] > priorities_[static_cast<std::size_t>(best)]) {
        best = actor;
      }
    }
    return best;
  }

  std::vector<std::uint64_t> change_points_;
  std::vector<std::uint64_t> priorities_;  // by actor, drawn when it is first seen
  std::uint64_t expected_ = 0;
  std::uint64_t longest_ = 0;
  std::uint64_t step_ = 0;
};

class ReplayExplorer final : public Explorer {
 public:
  explicit ReplayExplorer(std::vector<int> choices) : choices_(std::move(choices)) {}

  [[nodiscard]] bool more() const override { return !begun_; }
  [[nodiscard]] std::uint64_t seed() const override { return 0; }
  [[nodiscard]] std::string replay_options() const override {
    return fmt::format("--replay {}", fmt::join(choices_, "."));
  }
  void begin_run() override {
    begun_ = true;
    step_ = 0;
  }
  int choose(const Actors& actors) override {
    const std::size_t step = step_++;
    const auto enabled = actors.enabled();
    const bool follows = step < choices_.size() && std::binary_search(enabled.begin(), enabled.end(), choices_[step]);
    return follows ? choices_[step] : enabled.front();
  }
  void end_run(const Actors& /*actors*/) override {}

 private:
  std::vector<int> choices_;
  std::size_t step_ = 0;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<Explorer> make_explorer(const ExploreOptions& options) {
  switch (options.mode) {
    case ExploreOptions::Mode::kRandom: return std::make_unique<RandomExplorer>(options);
    case ExploreOptions::Mode::kPriority: return std::make_unique<PriorityExplorer>(options);
    case ExploreOptions::Mode::kSystematic: return make_systematic_explorer(options.schedules);
    case ExploreOptions::Mode::kReplay: return std::make_unique<ReplayExplorer>(options.choices);
  }
  return nullptr;
}

}  // namespace tileput::check
