// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "ffn_tp_parallel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "common/golden.hpp"
#include "common/kernels/slot_window.hpp"

namespace example {
namespace {

using tileput::Error;
using tileput::ErrorCode;

constexpr std::uint64_t kElementsMax = 0xffffffffU;
constexpr std::uint64_t kExactMax = std::uint64_t{1} << 24U;  // floats hold all integers up to here

/// The largest magnitude of random integers at which every sum of products is exact; 0: there is none.
std::uint64_t exact_magnitude(const FfnTpParallelOptions& options) {
  const std::uint64_t products = std::uint64_t{options.inner} * static_cast<std::uint64_t>(options.ranks);
  std::uint64_t magnitude = 8;
  while (magnitude != 0 && products * magnitude * magnitude > kExactMax) {
    --magnitude;
  }
  return magnitude;
}

void refuse_impossible(const FfnTpParallelOptions& options) {
  const std::uint64_t m = options.rows;
  const std::uint64_t k = options.inner;
  const std::uint64_t n = options.columns;
  const auto refuse = [&](const char* hint) {
    return Error(ErrorCode::kBadArgument, fmt::format("x is {} x {} and w {} x {}", m, k, k, n), hint);
  };
  if (m == 0 || k == 0 || n == 0) {
    throw refuse("a product needs at least 1 row, 1 column and 1 inner element");
  }
  if (std::max({m * k, k * n, m * n}) > kElementsMax) {
    throw refuse("a tensor of the kernel ABI has fewer than 2^32 elements");
  }
  if (options.payload == Payload::kRandom && exact_magnitude(options) == 0) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("{} ranks with {} inner elements: sums of integers above 2^24", options.ranks, k),
                "use less, or the payload formula");
  }
}

class FfnTpParallel : public Scene {
 public:
  explicit FfnTpParallel(const FfnTpParallelOptions& options) : options_(options) {
    if (options.ranks < 1 || options.ranks > tileput::kRanksMax) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} ranks", options.ranks),
                  fmt::format("use 1 to {}", tileput::kRanksMax));
    }
    refuse_impossible(options);
    const auto ranks = static_cast<std::size_t>(options.ranks);
    x_.assign(ranks, std::vector<float>(std::size_t{options.rows} * options.inner));
    w_.assign(ranks, std::vector<float>(std::size_t{options.inner} * options.columns));
    partial_.assign(ranks, std::vector<float>(std::size_t{options.rows} * options.columns));
    y_ = partial_;
  }

  [[nodiscard]] int ranks() const override { return options_.ranks; }

  void load(tileput::Worker& worker) override {
    linear_ = worker.load({.orchestration = "kernels/ffn_orch.so",
                           .entry = "ffn_linear",
                           .kernels = {{0, tileput::Core::kAic, "kernels/ffn_local_linear_kernel.so"}}});
    sum_ = worker.load({.orchestration = "kernels/ffn_orch.so",
                        .entry = "ffn_sum",
                        .kernels = {{0, tileput::Core::kAiv, "kernels/ffn_partial_sum_kernel.so"}}});
  }

  void fill(std::uint64_t round) override {
    const std::uint64_t magnitude = exact_magnitude(options_);
    for (std::size_t rank = 0; rank < x_.size(); ++rank) {
      const auto r = static_cast<float>(rank);
      for (std::size_t k = 0; k < x_[rank].size(); ++k) {
        x_[rank][k] = options_.payload == Payload::kFormula ? (static_cast<float>(k) + 0.25F * r) / 32.0F
                                                            : integer(mixed(round, rank, k, 0), magnitude);
      }
      for (std::size_t k = 0; k < w_[rank].size(); ++k) {
        w_[rank][k] = options_.payload == Payload::kFormula ? (static_cast<float>(k) + 0.5F * (r + 1)) / 48.0F
                                                            : integer(mixed(round, rank, k, 1), magnitude);
      }
      poison(partial_[rank]);
      poison(y_[rank]);
    }
  }

  void submit(tileput::Orchestrator& orchestrator, const tileput::TaskOptions& options) override {
    using tileput::DataType;
    using tileput::Tensor;
    const std::uint64_t elements = std::uint64_t{options_.rows} * options_.columns;
    const std::uint64_t bytes = slot_window::window_of(x_.size(), elements).bytes;
    const tileput::Domain domain = allocate(orchestrator, first_ranks(options_.ranks), bytes);
    const std::vector<std::uint32_t> x_shape{options_.rows, options_.inner};
    const std::vector<std::uint32_t> w_shape{options_.inner, options_.columns};
    const std::vector<std::uint32_t> y_shape{options_.rows, options_.columns};
    std::vector<tileput::RankTask> group;
    group.reserve(static_cast<std::size_t>(ranks()));
    for (int rank = 0; rank < options_.ranks; ++rank) {
      const auto r = static_cast<std::size_t>(rank);
      tileput::TaskArgs product;
      product.add_input(Tensor(x_[r].data(), DataType::kFloat32, x_shape));
      product.add_input(Tensor(w_[r].data(), DataType::kFloat32, w_shape));
      product.add_output(Tensor(partial_[r].data(), DataType::kFloat32, y_shape));
      orchestrator.submit(linear_.value(), rank, product, options);
      tileput::TaskArgs sum;
      sum.add_input(Tensor(partial_[r].data(), DataType::kFloat32, y_shape));
      sum.add_output(Tensor(y_[r].data(), DataType::kFloat32, y_shape));
      sum.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
      group.push_back({rank, sum});
    }
    orchestrator.submit_group(sum_.value(), group, options);
  }

  [[nodiscard]] std::vector<RankCheck> check() const override {
    const std::vector<double> golden = expected();
    const bool is_exact = options_.payload == Payload::kRandom;
    const Tolerance tolerance = is_exact ? Tolerance{} : Tolerance{.absolute = 1e-4, .relative = 1e-4};
    std::vector<RankCheck> checks;
    checks.reserve(static_cast<std::size_t>(ranks()));
    for (int rank = 0; rank < options_.ranks; ++rank) {
      RankCheck check{.rank = rank, .max_error = 0, .matches = true, .detail = {}};
      compare(
          check, "y", std::span<const float>(y_[static_cast<std::size_t>(rank)]),
          [&](std::size_t i) { return static_cast<float>(golden[i]); }, tolerance);
      checks.push_back(check);
    }
    return checks;
  }

 private:
  /// Of 1..magnitude, with either sign, never 0: what is left out of a sum or taken twice shows.
  static float integer(std::uint64_t bits, std::uint64_t magnitude) {
    const auto value = static_cast<float>(1 + (bits >> 1U) % magnitude);
    return (bits & 1U) == 0 ? value : -value;
  }

  /// y, the same on all ranks: the sum over them of x times w.
  [[nodiscard]] std::vector<double> expected() const {
    std::vector<double> y(y_.front().size());
    for (std::size_t rank = 0; rank < x_.size(); ++rank) {
      for (std::size_t i = 0; i < options_.rows; ++i) {
        for (std::size_t k = 0; k < options_.inner; ++k) {
          const double x = x_[rank][i * options_.inner + k];
          for (std::size_t j = 0; j < options_.columns; ++j) {
            y[i * options_.columns + j] += x * w_[rank][k * options_.columns + j];
          }
        }
      }
    }
    return y;
  }

  FfnTpParallelOptions options_;
  std::optional<tileput::Callable> linear_;
  std::optional<tileput::Callable> sum_;
  std::vector<std::vector<float>> x_;
  std::vector<std::vector<float>> w_;
  std::vector<std::vector<float>> partial_;
  std::vector<std::vector<float>> y_;
};

}  // namespace

std::unique_ptr<Scene> make_ffn_tp_parallel(const FfnTpParallelOptions& options) {
  return std::make_unique<FfnTpParallel>(options);
}

}  // namespace example
