// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The broadcast as a scene.

#include <cstdint>
#include <memory>
#include <vector>

#include "common/scene.hpp"

namespace example {

struct BroadcastOptions {
  int ranks = 4;
  std::uint64_t count = 64;   ///< elements of the root
  std::vector<int> roots{0};  ///< of one broadcast after another in one window
  Payload payload = Payload::kFormula;
};

std::unique_ptr<Scene> make_broadcast_distributed(const BroadcastOptions& options);

}  // namespace example
