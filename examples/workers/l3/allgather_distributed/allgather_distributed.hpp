// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The allgather as a scene.

#include <cstdint>
#include <memory>

#include "common/scene.hpp"

namespace example {

struct AllgatherOptions {
  int ranks = 4;
  std::uint64_t count = 64;  ///< elements of each rank
  Payload payload = Payload::kFormula;
};

std::unique_ptr<Scene> make_allgather_distributed(const AllgatherOptions& options);

}  // namespace example
