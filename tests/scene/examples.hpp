// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// All distributed examples, for tests that drive each of them.

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "common/scene.hpp"
#include "tileput/worker.hpp"

namespace tileput::scene {

struct Example {
  std::string name;
  std::function<std::unique_ptr<example::Scene>(int ranks, example::Payload)> make;
  std::vector<int> ranks = {2, 3, 4, 8};    ///< counts to run with
  std::vector<int> checked_ranks = {2, 3};  ///< counts to run with on the checked machine
};

inline void PrintTo(const Example& example, std::ostream* out) { *out << example.name; }

/// One row for each variant of an example; names are those of the folders, then the variant.
const std::vector<Example>& examples();

/// Where load() finds the kernels of all examples from now on, in a directory of the build before all others if given.
void use_example_kernels(const std::string& first = "");

/// Empty if all ranks match; else what differs.
std::string differences(const example::Scene& scene);

/// One run on a worker that has loaded the scene; what differs then.
std::string run_and_compare(Worker& worker, example::Scene& scene, std::uint64_t round, std::uint32_t calls);

}  // namespace tileput::scene
