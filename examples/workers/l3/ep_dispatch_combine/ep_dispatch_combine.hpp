// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A mixture-of-experts layer over the ranks: dispatch, local expert, combine.

#include <cstdint>
#include <filesystem>
#include <memory>

#include "common/scene.hpp"
#include "ep_routing.hpp"

namespace example {

struct EpDispatchCombineOptions {
  int ranks = 2;
  Payload payload = Payload::kFormula;
  std::uint32_t tokens = 128;           ///< T, of each rank; may be 0
  std::uint32_t topk = 6;               ///< TOPK, at most the experts of all ranks
  std::uint32_t hidden = 4096;          ///< D
  std::uint32_t experts_per_rank = 16;  ///< L
  std::uint32_t capacity = 192;         ///< R, rows that each expert has room for
  /// For each rank its indices[T x TOPK]; empty: drawn, for kRandom anew in each round.
  ep_routing::Routing routing = {};
  /// False leaves it to the orchestration and the kernels to refuse more rows than fit.
  bool checks_capacity = true;

  // The objects; relative paths as in tileput::CallableSpec.
  std::filesystem::path orchestration = "kernels/ep_dispatch_combine_orch.so";
  std::filesystem::path dispatch_kernel = "kernels/ep_dispatch_kernel.so";
  std::filesystem::path local_expert_kernel = "kernels/ep_local_expert_kernel.so";
  std::filesystem::path combine_kernel = "kernels/ep_combine_kernel.so";
};

/// Errors: kBadArgument for sizes that no kernel can have, and for a routing that leaves an expert without room.
std::unique_ptr<Scene> make_ep_dispatch_combine(const EpDispatchCombineOptions& options);

}  // namespace example
