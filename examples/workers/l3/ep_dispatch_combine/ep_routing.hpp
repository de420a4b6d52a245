// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which expert each token of each rank goes to, and which rows that makes on the other side.

#include <cstdint>
#include <vector>

namespace example::ep_routing {

struct RoutingSizes {
  int ranks = 0;
  std::uint32_t tokens = 0;            ///< of each rank
  std::uint32_t topk = 0;              ///< experts that each token goes to
  std::uint32_t experts_per_rank = 0;  ///< expert x of all lives on rank x / experts_per_rank
  std::uint32_t capacity = 0;          ///< rows that one expert has room for

  [[nodiscard]] std::uint64_t experts() const { return static_cast<std::uint64_t>(ranks) * experts_per_rank; }
  [[nodiscard]] std::uint64_t routes() const { return std::uint64_t{tokens} * topk; }
};

/// For each rank its indices[T x TOPK].
using Routing = std::vector<std::vector<std::int32_t>>;

/// One row of an expert: where it came from.
struct RouteRow {
  int source = 0;
  std::uint64_t route = 0;  ///< token * topk + k
};

/// Draws topk distinct experts for each token, again until each expert has room; the same for the same seed.
/// Errors: kBadArgument with the expert that lacks room, where a thousand draws found nothing.
Routing draw_routing(const RoutingSizes& sizes, std::uint64_t seed);

/// Refuses (kBadArgument) a routing of other sizes or to experts that do not exist.
void check_experts(const RoutingSizes& sizes, const Routing& routing);

/// Refuses (kBadArgument) a routing that gives an expert more rows than fit, by its name.
void check_capacity(const RoutingSizes& sizes, const Routing& routing);

/// For each expert of all ranks its rows, by source rank, then route.
std::vector<std::vector<RouteRow>> rows_of(const RoutingSizes& sizes, const Routing& routing);

}  // namespace example::ep_routing
