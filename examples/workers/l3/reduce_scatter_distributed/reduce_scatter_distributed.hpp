// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The reduce-scatter as a scene.

#include <cstdint>
#include <memory>

#include "common/scene.hpp"

namespace example {

struct ReduceScatterOptions {
  int ranks = 4;
  std::uint64_t count = 64;  ///< elements that each rank receives
  Payload payload = Payload::kFormula;
};

std::unique_ptr<Scene> make_reduce_scatter_distributed(const ReduceScatterOptions& options);

}  // namespace example
