// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "ep_dispatch_combine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/golden.hpp"
#include "kernels/ep_window.hpp"

namespace example {
namespace {

using tileput::DataType;
using tileput::Error;
using tileput::ErrorCode;
using tileput::Tensor;

constexpr std::uint64_t kRoutingSeed = 20260510;
constexpr std::uint64_t kWindowBytesMin = 131072;

/// The nearest bfloat16 as bits, ties to even, of a finite value.
std::uint16_t bf16_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
}

float float_of(std::uint16_t bf16) { return std::bit_cast<float>(std::uint32_t{bf16} << 16U); }

/// The host tensors of one rank.
struct RankTensors {
  std::vector<std::int32_t> indices;
  std::vector<std::uint16_t> x_norm;
  std::vector<float> w_padded;
  std::vector<std::int32_t> idx_padded;
  std::vector<std::uint16_t> recv_x;
  std::vector<float> recv_w;
  std::vector<std::int32_t> recv_idx;
  std::vector<std::int32_t> recv_count;
  std::vector<std::uint16_t> recv_y;
  std::vector<float> routed_y;
};

class EpDispatchCombine final : public Scene {
 public:
  explicit EpDispatchCombine(const EpDispatchCombineOptions& options)
      : options_(options),
        sizes_{options.ranks, options.tokens, options.topk, options.experts_per_rank, options.capacity} {
    refuse_impossible();
    if (!options_.routing.empty()) {
      ep_routing::check_experts(sizes_, options_.routing);
      if (options_.checks_capacity) {
        ep_routing::check_capacity(sizes_, options_.routing);
      }
    }
    const std::uint64_t rows = std::uint64_t{options_.experts_per_rank} * options_.capacity;
    tensors_.resize(static_cast<std::size_t>(options_.ranks));
    for (RankTensors& rank : tensors_) {
      rank.x_norm.resize(std::uint64_t{options_.tokens} * options_.hidden);
      rank.w_padded.resize(sizes_.routes() * ep::kPadded);
      rank.idx_padded.resize(sizes_.routes() * ep::kPadded);
      rank.recv_x.resize(rows * options_.hidden);
      rank.recv_w.resize(rows);
      rank.recv_idx.resize(rows);
      rank.recv_count.resize(options_.experts_per_rank);
      rank.recv_y.resize(rows * options_.hidden);
      rank.routed_y.resize(std::uint64_t{options_.tokens} * options_.hidden);
    }
    fill(0);
  }

  [[nodiscard]] int ranks() const override { return options_.ranks; }

  void load(tileput::Worker& worker) override {
    callable_ = worker.load({.orchestration = options_.orchestration,
                             .entry = "ep_dispatch_combine",
                             .kernels = {{0, tileput::Core::kAiv, options_.dispatch_kernel},
                                         {1, tileput::Core::kAiv, options_.local_expert_kernel},
                                         {2, tileput::Core::kAiv, options_.combine_kernel}}});
  }

  void fill(std::uint64_t round) override {
    const bool formula = options_.payload == Payload::kFormula;
    routing_ = !options_.routing.empty()
                   ? options_.routing
                   : ep_routing::draw_routing(sizes_, formula ? kRoutingSeed : kRoutingSeed + 1 + round);
    for (std::size_t r = 0; r < tensors_.size(); ++r) {
      RankTensors& rank = tensors_[r];
      rank.indices = routing_[r];
      for (std::uint64_t token = 0; token < options_.tokens; ++token) {
        for (std::uint64_t d = 0; d < options_.hidden; ++d) {
          // All integers up to 256 are bfloat16 numbers.
          const float x = formula ? static_cast<float>(100 * r + 10 * token + d)
                                  : static_cast<float>(static_cast<int>(mixed(round, r, token, d) % 513) - 256);
          rank.x_norm[token * options_.hidden + d] = bf16_of(x);
        }
      }
      for (std::uint64_t route = 0; route < sizes_.routes(); ++route) {
        rank.w_padded[route * ep::kPadded] = formula ? formula_weight(r, route) : random_weight(round, r, route);
        rank.idx_padded[route * ep::kPadded] = static_cast<std::int32_t>(route);
      }
      poison(rank.recv_x);
      poison(rank.recv_w);
      poison(rank.recv_idx);
      poison(rank.recv_count);
      poison(rank.recv_y);
      poison(rank.routed_y);
    }
  }

  void submit(tileput::Orchestrator& orchestrator, const tileput::TaskOptions& options) override {
    if (!callable_) {
      throw Error(ErrorCode::kBadArgument, "ep_dispatch_combine is not loaded", "call load() before run()");
    }
    const std::uint64_t bytes = window_bytes();
    const tileput::Domain domain =
        allocate(orchestrator, first_ranks(options_.ranks), bytes, std::max(bytes, kWindowBytesMin));
    const std::uint32_t experts = options_.experts_per_rank;
    const auto routes = static_cast<std::uint32_t>(sizes_.routes());
    constexpr auto kPadded = static_cast<std::uint32_t>(ep::kPadded);
    std::vector<tileput::RankTask> group;
    for (int rank = 0; rank < options_.ranks; ++rank) {
      RankTensors& tensors = tensors_[static_cast<std::size_t>(rank)];
      tileput::TaskArgs args;
      args.add_input({tensors.indices.data(), DataType::kInt32, {options_.tokens, options_.topk}});
      args.add_input({tensors.x_norm.data(), DataType::kBfloat16, {options_.tokens, options_.hidden}});
      args.add_input({tensors.w_padded.data(), DataType::kFloat32, {routes, kPadded}});
      args.add_input({tensors.idx_padded.data(), DataType::kInt32, {routes, kPadded}});
      args.add_output({tensors.recv_x.data(), DataType::kBfloat16, {experts, options_.capacity, options_.hidden}});
      args.add_output({tensors.recv_w.data(), DataType::kFloat32, {experts, options_.capacity}});
      args.add_output({tensors.recv_idx.data(), DataType::kInt32, {experts, options_.capacity}});
      args.add_output({tensors.recv_count.data(), DataType::kInt32, {experts, 1}});
      args.add_output({tensors.recv_y.data(), DataType::kBfloat16, {experts, options_.capacity, options_.hidden}});
      args.add_output({tensors.routed_y.data(), DataType::kFloat32, {options_.tokens, options_.hidden}});
      args.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
      group.push_back({rank, args});
    }
    orchestrator.submit_group(*callable_, group, options);
  }

  [[nodiscard]] std::vector<RankCheck> check() const override {
    const std::vector<std::vector<ep_routing::RouteRow>> rows = ep_routing::rows_of(sizes_, routing_);
    std::vector<RankCheck> checks;
    for (int rank = 0; rank < options_.ranks; ++rank) {
      RankCheck check{.rank = rank, .max_error = 0, .matches = true, .detail = {}};
      const RankTensors& tensors = tensors_[static_cast<std::size_t>(rank)];
      const std::size_t first = static_cast<std::size_t>(rank) * options_.experts_per_rank;
      compare(check, "recv_count", std::span(tensors.recv_count),
              [&](std::size_t expert) { return static_cast<std::int32_t>(rows[first + expert].size()); });
      for (std::size_t expert = 0; expert < options_.experts_per_rank; ++expert) {
        compare_rows(check, tensors, expert, rows[first + expert]);
      }
      compare(check, "routed_y", std::span(tensors.routed_y), [&](std::size_t i) { return sum_of(tensors, i); });
      checks.push_back(check);
    }
    return checks;
  }

 private:
  void refuse_impossible() const {
    if (options_.ranks < 1 || options_.ranks > tileput::kRanksMax) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} ranks", options_.ranks),
                  fmt::format("use 1 to {}", tileput::kRanksMax));
    }
    if (options_.hidden == 0 || options_.experts_per_rank == 0) {
      throw Error(
          ErrorCode::kBadArgument,
          fmt::format("{} elements per row and {} experts per rank", options_.hidden, options_.experts_per_rank),
          "use at least 1 of each");
    }
    if (options_.topk == 0 || options_.topk > sizes_.experts()) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} of {} experts per token", options_.topk, sizes_.experts()),
                  "use at least 1, and no more than the ranks have together");
    }
    constexpr std::uint64_t kElementsMax = 0xffffffffU;
    const std::uint64_t rows = std::uint64_t{options_.experts_per_rank} * options_.capacity;
    const std::uint64_t widest = std::max<std::uint64_t>(options_.hidden, ep::kPadded);
    if (sizes_.routes() > kElementsMax / widest || rows > kElementsMax / widest) {
      throw Error(ErrorCode::kBadArgument,
                  fmt::format("{} routes and {} rows of {} elements", sizes_.routes(), rows, options_.hidden),
                  "a tensor of the kernel ABI has fewer than 2^32 elements");
    }
  }

  [[nodiscard]] std::uint64_t window_bytes() const {
    return ep::window_of({static_cast<std::uint64_t>(options_.ranks), options_.experts_per_rank, options_.capacity,
                          options_.hidden, sizes_.routes()})
        .bytes;
  }

  [[nodiscard]] float formula_weight(std::uint64_t rank, std::uint64_t route) const {
    return static_cast<float>(static_cast<double>(rank + 1) * 0.01 + 0.1 * static_cast<double>(route / options_.topk) +
                              0.001 * static_cast<double>(route % options_.topk));
  }

  /// A multiple of 2^-24 in (0, 1], another one for each route.
  static float random_weight(std::uint64_t round, std::uint64_t rank, std::uint64_t route) {
    constexpr std::uint64_t kColumn = ~std::uint64_t{0};  // no column of x
    return static_cast<float>((mixed(round, rank, route, kColumn) >> 40U) + 1) * 0x1p-24F;
  }

  /// bf16(w * float(x)) of element d of a route.
  [[nodiscard]] std::uint16_t processed(const RankTensors& source, std::uint64_t route, std::uint64_t d) const {
    const std::uint16_t x = source.x_norm[route / options_.topk * options_.hidden + d];
    return bf16_of(source.w_padded[route * ep::kPadded] * float_of(x));
  }

  /// Everything of the rows below the count; bfloat16 as bits.
  void compare_rows(RankCheck& check, const RankTensors& seen, std::size_t expert,
                    const std::vector<ep_routing::RouteRow>& rows) const {
    const std::size_t count = std::min<std::size_t>(rows.size(), options_.capacity);
    const std::size_t first = expert * options_.capacity;
    const std::size_t hidden = options_.hidden;
    const auto source_of = [&](std::size_t row) -> const RankTensors& {
      return tensors_[static_cast<std::size_t>(rows[row].source)];
    };
    const std::string of_expert = fmt::format(" of expert {}", expert);
    compare(check, "recv_w" + of_expert, std::span(seen.recv_w).subspan(first, count),
            [&](std::size_t i) { return source_of(i).w_padded[rows[i].route * ep::kPadded]; });
    compare(check, "recv_idx" + of_expert, std::span(seen.recv_idx).subspan(first, count),
            [&](std::size_t i) { return static_cast<std::int32_t>(rows[i].route); });
    compare(check, "recv_x" + of_expert, std::span(seen.recv_x).subspan(first * hidden, count * hidden),
            [&](std::size_t i) {
              const std::size_t token = rows[i / hidden].route / options_.topk;
              return source_of(i / hidden).x_norm[token * hidden + i % hidden];
            });
    compare(check, "recv_y" + of_expert, std::span(seen.recv_y).subspan(first * hidden, count * hidden),
            [&](std::size_t i) { return processed(source_of(i / hidden), rows[i / hidden].route, i % hidden); });
  }

  /// Element i of routed_y: the processed rows of its token, added in the order of k.
  [[nodiscard]] float sum_of(const RankTensors& rank, std::size_t i) const {
    const std::size_t first = i / options_.hidden * options_.topk;
    float sum = 0;
    for (std::size_t k = 0; k < options_.topk; ++k) {
      sum += float_of(processed(rank, first + k, i % options_.hidden));
    }
    return sum;
  }

  EpDispatchCombineOptions options_;
  ep_routing::RoutingSizes sizes_;
  ep_routing::Routing routing_;
  std::vector<RankTensors> tensors_;
  std::optional<tileput::Callable> callable_;
};

}  // namespace

std::unique_ptr<Scene> make_ep_dispatch_combine(const EpDispatchCombineOptions& options) {
  return std::make_unique<EpDispatchCombine>(options);
}

}  // namespace example
