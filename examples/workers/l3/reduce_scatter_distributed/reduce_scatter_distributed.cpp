// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "reduce_scatter_distributed.hpp"

#include <cmath>
#include <optional>
#include <vector>

#include "common/golden.hpp"
#include "common/kernels/slot_window.hpp"
#include "tileput/worker.hpp"

namespace example {
namespace {

class ReduceScatter final : public Scene {
 public:
  explicit ReduceScatter(const ReduceScatterOptions& options)
      : options_(options),
        in_(rank_tensors<float>(options.ranks, options.count, static_cast<std::uint64_t>(options.ranks))),
        out_(rank_tensors<float>(options.ranks, options.count, 1)) {}

  [[nodiscard]] int ranks() const override { return options_.ranks; }

  void load(tileput::Worker& worker) override {
    callable_ = worker.load({.orchestration = "kernels/reduce_scatter_orch.so",
                             .entry = "reduce_scatter",
                             .kernels = {{0, tileput::Core::kAiv, "kernels/reduce_scatter_kernel.so"}}});
  }

  void fill(std::uint64_t round) override {
    round_ = round;
    for (std::size_t rank = 0; rank < in_.size(); ++rank) {
      for (std::size_t k = 0; k < in_[rank].size(); ++k) {
        in_[rank][k] = element(rank, k);
      }
      poison(out_[rank]);
    }
  }

  void submit(tileput::Orchestrator& orchestrator, const tileput::TaskOptions& options) override {
    const std::uint64_t bytes = slot_window::window_of(in_.size(), options_.count).bytes;
    const tileput::Domain domain = orchestrator.allocate_domain(
        {.ranks = first_ranks(options_.ranks), .buffers = {{.name = "scratch", .bytes = bytes}}});
    std::vector<tileput::RankTask> group;
    for (std::size_t rank = 0; rank < in_.size(); ++rank) {
      tileput::TaskArgs args;
      args.add_input(tileput::Tensor::of(in_[rank])).add_output(tileput::Tensor::of(out_[rank]));
      args.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
      group.push_back({static_cast<int>(rank), args});
    }
    orchestrator.submit_group(callable_.value(), group, options);
  }

  /// Exact: the golden adds in the order in which the kernel does.
  [[nodiscard]] std::vector<RankCheck> check() const override {
    std::vector<RankCheck> checks;
    for (std::size_t rank = 0; rank < out_.size(); ++rank) {
      checks.push_back(compared<float>(static_cast<int>(rank), out_[rank], [&](std::size_t j) {
        const std::size_t k = rank * options_.count + j;
        float sum = element(0, k);
        for (std::size_t source = 1; source < in_.size(); ++source) {
          sum += element(source, k);
        }
        return sum;
      }));
    }
    return checks;
  }

 private:
  /// What rank `source` has at `index`. Drawn: 24 bits at a magnitude that is drawn too, so that sums are rounded and
  /// depend on their order.
  [[nodiscard]] float element(std::size_t source, std::size_t index) const {
    if (options_.payload == Payload::kFormula) {
      return static_cast<float>(index + 100 * source);
    }
    constexpr std::int64_t kMantissas = 1 << 24;
    const std::uint64_t bits = mixed(round_, source, index);
    const auto mantissa = static_cast<float>(static_cast<std::int64_t>(bits % (1U << 24U)) - kMantissas / 2);
    return std::ldexp(mantissa, static_cast<int>((bits >> 32U) % 8U) - 24);
  }

  ReduceScatterOptions options_;
  std::vector<std::vector<float>> in_;  // the larger ones first: what is too large is refused before any is there
  std::vector<std::vector<float>> out_;
  std::uint64_t round_ = 0;
  std::optional<tileput::Callable> callable_;
};

}  // namespace

std::unique_ptr<Scene> make_reduce_scatter_distributed(const ReduceScatterOptions& options) {
  return std::make_unique<ReduceScatter>(options);
}

}  // namespace example
