// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// All examples in one process, one after another in random order: nothing of one is left for the next.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>
#include <utility>

#include "expect_examples.hpp"

namespace tileput::scene {
namespace {

using example::Payload;

constexpr int kRuns = 3;

/// An example with a number of ranks.
struct Case {
  const Example* example;
  int ranks;
};

/// TILEPUT_TEST_SEED chooses another order.
class ExamplesInOneProcess : public testing::Test {
 protected:
  ExamplesInOneProcess() {
    use_example_kernels();
    const char* const text = std::getenv("TILEPUT_TEST_SEED");
    const std::uint64_t seed = text == nullptr ? 20260510 : std::strtoull(text, nullptr, 10);
    std::printf("TILEPUT_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
    random_.seed(seed);
  }

  /// All examples with all their rank counts up to `ranks_max`, `times` times, in random order.
  std::vector<Case> cases(int ranks_max, int times) {
    std::vector<Case> all;
    for (int time = 0; time < times; ++time) {
      for (const Example& example : examples()) {
        for (const int ranks : example.ranks) {
          if (ranks <= ranks_max) {
            all.push_back({&example, ranks});
          }
        }
      }
    }
    std::shuffle(all.begin(), all.end(), random_);
    return all;
  }

  Payload payload() { return random_() % 2 == 0 ? Payload::kRandom : Payload::kFormula; }

  std::mt19937_64 random_;
};

/// An example that is in no row runs in none of these tests.
TEST(Examples, AllHaveARow) {
  std::istringstream names(EXAMPLE_NAMES);
  std::string name;
  while (std::getline(names, name, ':')) {
    EXPECT_TRUE(std::any_of(examples().begin(), examples().end(),
                            [&](const Example& example) { return example.name.starts_with(name); }))
        << name << " has no row in examples.cpp";
  }
}

TEST_F(ExamplesInOneProcess, EachOnAWorkerOfItsOwn) {
  for (const Case& one : cases(3, 1)) {
    SCOPED_TRACE(one.example->name + " with " + std::to_string(one.ranks));
    Worker worker(example_worker(one.ranks));
    const auto scene = one.example->make(one.ranks, payload());
    scene->load(worker);
    for (std::uint64_t run = 0; run < kRuns; ++run) {
      ASSERT_EQ(run_and_compare(worker, *scene, run, 1 + random_() % 3), "");
    }
  }
}

TEST_F(ExamplesInOneProcess, AllOnOneWorkerThatHasMoreRanks) {
  constexpr int kRanks = 8;
  Worker worker(example_worker(kRanks));
  std::vector<std::pair<Case, std::unique_ptr<example::Scene>>> scenes;
  for (const Case& one : cases(kRanks, 1)) {
    scenes.emplace_back(one, one.example->make(one.ranks, payload()));
    scenes.back().second->load(worker);
  }
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    std::shuffle(scenes.begin(), scenes.end(), random_);
    for (const auto& [one, scene] : scenes) {
      SCOPED_TRACE(one.example->name + " with " + std::to_string(one.ranks));
      ASSERT_EQ(run_and_compare(worker, *scene, run, 1 + random_() % 3), "");
    }
  }
}

TEST_F(ExamplesInOneProcess, AllInOneRun) {
  constexpr int kRanks = 4;
  Worker worker(example_worker(kRanks));
  std::vector<std::pair<Case, std::unique_ptr<example::Scene>>> scenes;
  for (const Case& one : cases(kRanks, 1)) {
    scenes.emplace_back(one, one.example->make(one.ranks, Payload::kRandom));
    scenes.back().second->load(worker);
  }
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    std::shuffle(scenes.begin(), scenes.end(), random_);
    for (const auto& [one, scene] : scenes) {
      scene->fill(run);
    }
    worker.run([&](Orchestrator& o) {
      for (const auto& [one, scene] : scenes) {
        scene->submit(o, {.calls = 2});
      }
    });
    for (const auto& [one, scene] : scenes) {
      ASSERT_EQ(differences(*scene), "") << one.example->name << " with " << one.ranks;
    }
  }
}

}  // namespace
}  // namespace tileput::scene
