// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A worker that takes part in two domains at once, with a window, a context and a rank of its own in each.

#include <cstdint>
#include <memory>

#include "common/scene.hpp"

namespace example {

struct DualDomainOverlapOptions {
  int ranks = 3;  ///< at least 2: a chain of domains {0,1}, {1,2}, ..., {ranks-2,ranks-1}
  Payload payload = Payload::kFormula;
};

/// Errors: kBadArgument with less than 2 ranks.
std::unique_ptr<Scene> make_dual_domain_overlap(const DualDomainOverlapOptions& options);

}  // namespace example
