// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// All distributed examples, for tests that drive each of them.

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "common/scene.hpp"
#include "tileput/worker.hpp"

namespace tileput::scene {

/// A 32-bit word of a window, at a byte offset.
struct WindowWord {
  std::uint64_t offset;
  std::uint32_t value;
};

/// What one member's window holds besides data after so many calls, each of which ended on all of `members` ranks.
using Counts = std::vector<WindowWord>(int members, int member, std::uint32_t calls);

struct Example {
  std::string name;
  std::function<std::unique_ptr<example::Scene>(int ranks, example::Payload)> make;
  std::function<Counts> counts;
  /// How often a call adds to one cell.
  std::function<std::uint32_t(int members)> signals = [](int) { return 1U; };
  std::vector<int> ranks = {2, 3, 4, 8};    ///< counts to run with
  std::vector<int> checked_ranks = {2, 3};  ///< counts to run with on the checked machine
};

inline void PrintTo(const Example& example, std::ostream* out) { *out << example.name; }

/// One row for each variant of an example; names are those of the folders, then the variant.
const std::vector<Example>& examples();

/// Where load() finds the kernels of all examples from now on: before all others in `first`, if given.
void use_example_kernels(const std::string& first = "");

/// Empty if all ranks match; else what differs.
std::string differences(const example::Scene& scene);

/// One run on a worker that has loaded the scene; what differs then.
std::string run_and_compare(Worker& worker, example::Scene& scene, std::uint64_t round, std::uint32_t calls);

/// What three calls on the checked machine came to.
struct Checked {
  std::string findings;
  std::string differences;  ///< also where ranks waited for ever

  [[nodiscard]] bool is_clean() const { return findings.empty() && differences.empty(); }
  [[nodiscard]] std::string text() const { return findings + differences; }
};

/// One run on a checked worker that has loaded the scene.
Checked run_checked(Worker& worker, example::Scene& scene, std::uint64_t round);

}  // namespace tileput::scene
