// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank/placement.hpp"

#include <hwloc.h>
#include <sched.h>

#include <algorithm>
#include <climits>
#include <memory>

#include "tileput/error.hpp"

namespace tileput::rank {

namespace {

struct Destroy {
  void operator()(hwloc_topology* topology) const noexcept { hwloc_topology_destroy(topology); }
};

std::unique_ptr<hwloc_topology, Destroy> load_topology() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) {
    throw Error(ErrorCode::kSystem, "hwloc_topology_init failed", "free some memory");
  }
  std::unique_ptr<hwloc_topology, Destroy> owned(topology);
  hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM | HWLOC_TOPOLOGY_FLAG_RESTRICT_TO_CPUBINDING);
  if (hwloc_topology_load(topology) != 0) {
    throw Error(ErrorCode::kSystem, "hwloc_topology_load failed", "check /sys is mounted");
  }
  return owned;
}

}  // namespace

std::vector<int> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &set)) {
        cores.push_back(core);
      }
    }
  }
  return cores;
}

std::vector<int> spread(int ranks) {
  const auto topology = load_topology();
  hwloc_obj_t root = hwloc_get_root_obj(topology.get());
  const int cores = std::max(1, hwloc_get_nbobjs_by_type(topology.get(), HWLOC_OBJ_PU));
  const int distinct = std::min(ranks, cores);
  std::vector<hwloc_cpuset_t> sets(static_cast<std::size_t>(distinct));
  std::vector<int> result;
  if (hwloc_distrib(topology.get(), &root, 1, sets.data(), static_cast<unsigned>(distinct), INT_MAX, 0) == 0) {
    for (hwloc_cpuset_t set : sets) {
      hwloc_bitmap_singlify(set);
      result.push_back(hwloc_bitmap_first(set));
      hwloc_bitmap_free(set);
    }
  }
  for (int rank = static_cast<int>(result.size()); rank < ranks && !result.empty(); ++rank) {
    result.push_back(result[static_cast<std::size_t>(rank % distinct)]);
  }
  return result;
}

bool bind_to_core(int core) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0;
}

int numa_nodes() { return hwloc_get_nbobjs_by_type(load_topology().get(), HWLOC_OBJ_NUMANODE); }

}  // namespace tileput::rank
