// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Runs the mixture-of-experts example and compares it with its golden.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "ep_dispatch_combine/ep_dispatch_combine.hpp"
#include "tileput/worker.hpp"

/// A kernel with one mistake, built by ep_dispatch_combine.cmake.
#define EP_MUTANT(name) EP_MUTANT_DIRECTORY "/ep_mutant_" name ".so"

namespace tileput::scene {

/// The public sizes.
inline example::EpDispatchCombineOptions public_ep(example::Payload payload) {
  return {.payload = payload,
          .orchestration = EP_ORCHESTRATION,
          .dispatch_kernel = EP_DISPATCH,
          .local_expert_kernel = EP_LOCAL_EXPERT,
          .combine_kernel = EP_COMBINE};
}

/// Small: 5 tokens of 33 elements, 4 experts a rank with room for everything that a rank's tokens can be.
inline example::EpDispatchCombineOptions small_ep(int ranks, example::Payload payload = example::Payload::kRandom) {
  example::EpDispatchCombineOptions options = public_ep(payload);
  options.ranks = ranks;
  options.tokens = 5;
  options.topk = 3;
  options.hidden = 33;
  options.experts_per_rank = 4;
  options.capacity = static_cast<std::uint32_t>(5 * ranks);
  return options;
}

inline WorkerOptions ep_worker(int ranks) { return {.ranks = ranks, .timeout = std::chrono::seconds(60)}; }

/// The same on the checked machine.
inline WorkerOptions ep_checked(int ranks, std::uint64_t seed = 1) {
  return {.ranks = ranks, .platform = Platform::kCheck, .check = {.seed = seed}};
}

/// One run, whose outputs are then in the scene.
inline RunReport run_ep(Worker& worker, example::Scene& scene, std::uint64_t round, std::uint32_t calls) {
  scene.fill(round);
  return worker.run([&](Orchestrator& o) { scene.submit(o, {.calls = calls}); });
}

/// What the ranks have wrong, a line each; empty: nothing.
inline std::string differences_of(const example::Scene& scene) {
  std::string text;
  for (const example::RankCheck& check : scene.check()) {
    if (!check.matches || check.max_error != 0) {
      text += "rank " + std::to_string(check.rank) + ": " + check.detail + "\n";
    }
  }
  return text;
}

}  // namespace tileput::scene
