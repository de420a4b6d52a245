// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The sum of all ranks' floats on every rank, in five ways.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/scene.hpp"

namespace example {

struct AllreduceDistributedOptions {
  int ranks = 4;
  std::string mode = "onephase";  ///< of allreduce_modes()
  std::uint64_t count = 256;      ///< elements of each rank
  Payload payload = Payload::kFormula;
  /// With kRandom: fractions of very different size instead of integers. Every order of summing them gives other bits;
  /// the golden sums them in the order of the mode.
  bool fractions = false;
};

/// onephase, twophase, ring, bidirectional_ring, ibing: the public ids are the positions.
const std::vector<std::string>& allreduce_modes();

/// Errors: kBadArgument for a mode that there is not, ibing with another number of ranks than 2, 2^32 elements.
std::unique_ptr<Scene> make_allreduce_distributed(const AllreduceDistributedOptions& options);

}  // namespace example
