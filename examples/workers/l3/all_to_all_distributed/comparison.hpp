// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Push against pull.

#include <string>

#include "all_to_all_distributed.hpp"
#include "tileput/worker.hpp"

namespace example {

/// Runs both variants in interleaved rounds and prints a table; false where one differs from golden. `peer_command`
/// prints MPI_Alltoall's time in microseconds; it may be empty.
bool print_comparison(tileput::Worker& worker, AllToAll& scene, const AllToAllOptions& options,
                      const std::string& peer_command);

}  // namespace example
