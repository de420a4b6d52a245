// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which cores ranks run on (hwloc).

#include <vector>

namespace tileput::rank {

/// Cores (hardware threads) that this process may use, by operating-system number.
std::vector<int> allowed_cores();

/// One core for each of `ranks` ranks: spread over the machine as far as cores last, then around again.
std::vector<int> spread(int ranks);

/// Binds the calling thread, and what it starts, to one core; false where the system refuses.
bool bind_to_core(int core) noexcept;

/// NUMA nodes of the machine.
int numa_nodes();

}  // namespace tileput::rank
