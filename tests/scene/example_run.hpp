// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The example's own orchestration and kernels, for tests that submit them through a worker.

#include <chrono>
#include <cstdint>
#include <string>

#include "all_to_all_window.hpp"
#include "tileput/worker.hpp"

namespace tileput::scene {

inline std::uint64_t slot_sets_of(const std::string& variant) {
  return variant == "push" ? all_to_all::kPushSlotSets : all_to_all::kPullSlotSets;
}

inline WorkerOptions example_options(int ranks) { return {.ranks = ranks, .timeout = std::chrono::seconds(60)}; }

inline Callable load_example(Worker& worker, const std::string& variant) {
  return worker.load({.orchestration = EXAMPLE_ORCHESTRATION,
                      .entry = "all_to_all_" + variant,
                      .kernels = {{0, Core::kAiv, variant == "push" ? EXAMPLE_PUSH : EXAMPLE_PULL}}});
}

}  // namespace tileput::scene
