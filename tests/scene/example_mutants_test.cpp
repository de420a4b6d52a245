// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Kernels of examples with one edit. One that leaves out, doubles or misplaces a contribution has to differ from
// golden; one without a fence, a wait or a flag has to be a finding of the checker.

#include <gtest/gtest.h>

#include <chrono>
#include <sstream>

#include "examples.hpp"

namespace tileput::scene {
namespace {

constexpr int kRanks = 3;

/// "name:example:differs" or "name:example:finding".
struct Mutant {
  std::string name;
  std::string example;
  std::string expected;
};

void PrintTo(const Mutant& mutant, std::ostream* out) { *out << mutant.name; }

std::vector<Mutant> mutants(const std::string& expected) {
  std::vector<Mutant> all;
  std::istringstream rows(EXAMPLE_MUTANTS);
  Mutant mutant;
  while (std::getline(rows, mutant.name, ':') && std::getline(rows, mutant.example, ':') &&
         std::getline(rows, mutant.expected, ',')) {
    if (mutant.expected == expected) {
      all.push_back(mutant);
    }
  }
  return all;
}

std::unique_ptr<example::Scene> scene_of(const std::string& name, example::Payload payload) {
  for (const Example& example : examples()) {
    if (example.name == name) {
      return example.make(kRanks, payload);
    }
  }
  throw std::invalid_argument("no example " + name);
}

class ExampleMutants : public testing::TestWithParam<Mutant> {
 protected:
  /// With the mutant in the place of the example's kernel, and with what the example is built with.
  static void use_mutant() { use_example_kernels(MUTANT_DIRECTORY "/" + GetParam().name); }
  static void use_original() { use_example_kernels(); }
};

class Wrong : public ExampleMutants {
 protected:
  static std::string outcome() {
    Worker worker({.ranks = kRanks, .timeout = std::chrono::seconds(60)});
    const auto scene = scene_of(GetParam().example, example::Payload::kRandom);
    scene->load(worker);
    return run_and_compare(worker, *scene, 1, 1);
  }
};

TEST_P(Wrong, DiffersFromGolden) {
  use_mutant();
  EXPECT_NE(outcome(), "");
  use_original();
  EXPECT_EQ(outcome(), "");
}

class Unordered : public ExampleMutants {
 protected:
  /// Errors of three calls; ranks that wait for ever are one too.
  static bool has_errors() {
    Worker worker({.ranks = kRanks, .platform = Platform::kCheck});
    const auto scene = scene_of(GetParam().example, example::Payload::kRandom);
    scene->load(worker);
    scene->fill(1);
    try {
      worker.run([&](Orchestrator& o) { scene->submit(o, {.calls = 3}); });
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNoProgress) << error.what();
    }
    return worker.last_check().has_errors();
  }
};

TEST_P(Unordered, IsAFinding) {
  use_mutant();
  EXPECT_TRUE(has_errors());
  use_original();
  EXPECT_FALSE(has_errors());
}

std::string mutant_name(const testing::TestParamInfo<Mutant>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(Kernels, Wrong, testing::ValuesIn(mutants("differs")), mutant_name);
INSTANTIATE_TEST_SUITE_P(Kernels, Unordered, testing::ValuesIn(mutants("finding")), mutant_name);

}  // namespace
}  // namespace tileput::scene
