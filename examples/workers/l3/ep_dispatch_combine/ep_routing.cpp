// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "ep_routing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

#include "tileput/error.hpp"

namespace example::ep_routing {
namespace {

using tileput::Error;
using tileput::ErrorCode;

/// An expert with more rows than fit.
struct Overflow {
  std::uint64_t expert = 0;
  std::uint64_t rows = 0;
};

std::optional<Overflow> overflow_of(const RoutingSizes& sizes, const Routing& routing) {
  std::vector<std::uint64_t> rows(sizes.experts(), 0);
  for (const std::vector<std::int32_t>& indices : routing) {
    for (const std::int32_t expert : indices) {
      ++rows[static_cast<std::size_t>(expert)];
    }
  }
  const auto most = std::max_element(rows.begin(), rows.end());
  if (most == rows.end() || *most <= sizes.capacity) {
    return std::nullopt;
  }
  return Overflow{static_cast<std::uint64_t>(most - rows.begin()), *most};
}

Error refusal_of(const RoutingSizes& sizes, const Overflow& overflow) {
  return {ErrorCode::kBadArgument,
          fmt::format("expert {} of rank {} gets {} rows, {} fit", overflow.expert % sizes.experts_per_rank,
                      overflow.expert / sizes.experts_per_rank, overflow.rows, sizes.capacity),
          "raise the capacity, or route more evenly"};
}

Routing draw_once(const RoutingSizes& sizes, std::mt19937_64& random) {
  std::vector<std::int32_t> experts(sizes.experts());
  std::iota(experts.begin(), experts.end(), 0);
  Routing routing;
  for (int rank = 0; rank < sizes.ranks; ++rank) {
    std::vector<std::int32_t>& indices = routing.emplace_back();
    indices.reserve(sizes.routes());
    for (std::uint32_t token = 0; token < sizes.tokens; ++token) {
      // The first topk places of a shuffle.
      for (std::size_t place = 0; place < sizes.topk; ++place) {
        std::swap(experts[place], experts[place + random() % (experts.size() - place)]);
        indices.push_back(experts[place]);
      }
    }
  }
  return routing;
}

}  // namespace

Routing draw_routing(const RoutingSizes& sizes, std::uint64_t seed) {
  constexpr int kDraws = 1000;
  std::mt19937_64 random(seed);
  for (int draw = 1;; ++draw) {
    Routing routing = draw_once(sizes, random);
    const std::optional<Overflow> overflow = overflow_of(sizes, routing);
    if (!overflow) {
      return routing;
    }
    const bool can_fit = sizes.experts() * sizes.capacity >= static_cast<std::uint64_t>(sizes.ranks) * sizes.routes();
    if (draw == kDraws || !can_fit) {
      throw refusal_of(sizes, *overflow);
    }
  }
}

void check_experts(const RoutingSizes& sizes, const Routing& routing) {
  if (routing.size() != static_cast<std::size_t>(sizes.ranks)) {
    throw Error(ErrorCode::kBadArgument, fmt::format("routes of {} ranks for {}", routing.size(), sizes.ranks),
                "give each rank its own");
  }
  for (std::size_t rank = 0; rank < routing.size(); ++rank) {
    if (routing[rank].size() != sizes.routes()) {
      throw Error(ErrorCode::kBadArgument,
                  fmt::format("{} routes of rank {} for {} tokens", routing[rank].size(), rank, sizes.tokens),
                  fmt::format("each token has {}", sizes.topk));
    }
    for (std::size_t route = 0; route < routing[rank].size(); ++route) {
      const std::int32_t expert = routing[rank][route];
      if (expert < 0 || static_cast<std::uint64_t>(expert) >= sizes.experts()) {
        throw Error(ErrorCode::kBadArgument,
                    fmt::format("token {} of rank {} is routed to expert {}", route / sizes.topk, rank, expert),
                    fmt::format("{} ranks have experts 0 to {}", sizes.ranks, sizes.experts() - 1));
      }
    }
  }
}

void check_capacity(const RoutingSizes& sizes, const Routing& routing) {
  if (const std::optional<Overflow> overflow = overflow_of(sizes, routing)) {
    throw refusal_of(sizes, *overflow);
  }
}

std::vector<std::vector<RouteRow>> rows_of(const RoutingSizes& sizes, const Routing& routing) {
  std::vector<std::vector<RouteRow>> rows(sizes.experts());
  for (int source = 0; source < sizes.ranks; ++source) {
    const std::vector<std::int32_t>& indices = routing[static_cast<std::size_t>(source)];
    for (std::size_t route = 0; route < indices.size(); ++route) {
      rows[static_cast<std::size_t>(indices[route])].push_back({source, route});
    }
  }
  return rows;
}

}  // namespace example::ep_routing
