// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "dual_domain_overlap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "allreduce_distributed/kernels/allreduce_window.hpp"
#include "common/golden.hpp"
#include "kernels/affine_shape.hpp"

namespace example {
namespace {

using tileput::Error;
using tileput::ErrorCode;
using Matrix = std::vector<float>;

constexpr int kMembers = 2;

/// The names of the public domains, then numbers.
std::string domain_name(std::size_t domain) {
  return domain == 0 ? "left" : domain == 1 ? "right" : fmt::format("domain {}", domain);
}

class DualDomainOverlap : public Scene {
 public:
  explicit DualDomainOverlap(const DualDomainOverlapOptions& options) : options_(options) {
    if (options.ranks < 2 || options.ranks > tileput::kRanksMax) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} ranks for a chain of domains of 2", options.ranks),
                  fmt::format("use 2 to {}", tileput::kRanksMax));
    }
    const Matrix matrix(affine::kElements);
    const auto ranks = static_cast<std::size_t>(options.ranks);
    in_.assign(ranks, matrix);
    scale_.assign(ranks, matrix);
    bias_.assign(ranks, matrix);
    reduced_.assign(ranks - 1, {matrix, matrix});
    out_ = reduced_;
  }

  [[nodiscard]] int ranks() const override { return options_.ranks; }

  void load(tileput::Worker& worker) override {
    allreduce_ = worker.load({.orchestration = "kernels/allreduce_orch.so",
                              .entry = "allreduce_onephase",
                              .kernels = {{0, tileput::Core::kAiv, "kernels/allreduce_onephase_kernel.so"}}});
    affine_ = worker.load({.orchestration = "kernels/affine_orch.so",
                           .entry = "affine_map",
                           .kernels = {{0, tileput::Core::kAiv, "kernels/affine_kernel.so"}}});
  }

  void fill(std::uint64_t round) override {
    const bool is_formula = options_.payload == Payload::kFormula;
    for (std::size_t w = 0; w < in_.size(); ++w) {
      const auto worker = static_cast<float>(w);
      for (std::size_t i = 0; i < affine::kElements; ++i) {
        in_[w][i] = is_formula ? static_cast<float>(100 * w + i) : integer(mixed(round, w, i, 0), 1000);
        scale_[w][i] = is_formula ? 0.5F + 0.01F * worker : integer(mixed(round, w, i, 1), 100);
        bias_[w][i] = is_formula ? 10.0F + worker : integer(mixed(round, w, i, 2), 100000);
      }
    }
    for (std::size_t d = 0; d < out_.size(); ++d) {
      for (std::size_t member = 0; member < kMembers; ++member) {
        poison(reduced_[d][member]);
        poison(out_[d][member]);
      }
    }
  }

  /// All reductions first, then what uses their results: only that orders them.
  void submit(tileput::Orchestrator& orchestrator, const tileput::TaskOptions& options) override {
    for (std::size_t d = 0; d < out_.size(); ++d) {
      submit_reduction(orchestrator, d, options);
    }
    for (std::size_t d = 0; d < out_.size(); ++d) {
      for (std::size_t member = 0; member < kMembers; ++member) {
        const std::size_t w = d + member;
        tileput::TaskArgs args;
        args.add_input(tileput::Tensor::of(std::span<const float>(reduced_[d][member])));
        args.add_input(tileput::Tensor::of(std::span<const float>(scale_[w])));
        args.add_input(tileput::Tensor::of(std::span<const float>(bias_[w])));
        args.add_output(tileput::Tensor::of(out_[d][member]));
        orchestrator.submit(affine_.value(), static_cast<int>(w), args, options);
      }
    }
  }

  /// A worker's entry covers its outputs in both of its domains.
  [[nodiscard]] std::vector<RankCheck> check() const override {
    const Tolerance tolerance = options_.payload == Payload::kRandom ? Tolerance{} : Tolerance{.absolute = 1e-3};
    std::vector<RankCheck> checks;
    checks.reserve(static_cast<std::size_t>(ranks()));
    for (std::size_t w = 0; w < in_.size(); ++w) {
      RankCheck check{.rank = static_cast<int>(w), .max_error = 0, .matches = true, .detail = {}};
      for (const std::size_t member : {std::size_t{1}, std::size_t{0}}) {
        const std::size_t d = w - member;
        if (w < member || d >= out_.size()) {
          continue;  // the ends of the chain are in one domain
        }
        compare(
            check, domain_name(d), std::span<const float>(out_[d][member]),
            [&](std::size_t i) { return (in_[d][i] + in_[d + 1][i]) * scale_[w][i] + bias_[w][i]; }, tolerance);
      }
      checks.push_back(check);
    }
    return checks;
  }

 private:
  /// Of 1..magnitude, with either sign, never 0. All results stay below 2^24, where floats are exact.
  static float integer(std::uint64_t bits, std::uint64_t magnitude) {
    const auto value = static_cast<float>(1 + (bits >> 1U) % magnitude);
    return (bits & 1U) == 0 ? value : -value;
  }

  /// Domain d is workers d and d+1; the latter is rank 1 here and rank 0 in the next one.
  void submit_reduction(tileput::Orchestrator& orchestrator, std::size_t d, const tileput::TaskOptions& options) {
    const std::uint64_t bytes = allreduce::window_of(allreduce::Mode::kOnephase, kMembers, affine::kElements).bytes;
    const auto first = static_cast<int>(d);
    const tileput::Domain domain = allocate(orchestrator, {first, first + 1}, bytes);
    std::vector<tileput::RankTask> group;
    for (std::size_t member = 0; member < kMembers; ++member) {
      tileput::TaskArgs args;
      args.add_input(tileput::Tensor::of(std::span<const float>(in_[d + member])));
      args.add_output(tileput::Tensor::of(reduced_[d][member]));
      args.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
      group.push_back({domain.ranks()[member], args});
    }
    orchestrator.submit_group(allreduce_.value(), group, options);
  }

  DualDomainOverlapOptions options_;
  std::optional<tileput::Callable> allreduce_;
  std::optional<tileput::Callable> affine_;
  std::vector<Matrix> in_;                             // by worker
  std::vector<Matrix> scale_;                          // by worker
  std::vector<Matrix> bias_;                           // by worker
  std::vector<std::array<Matrix, kMembers>> reduced_;  // by domain and member
  std::vector<std::array<Matrix, kMembers>> out_;      // by domain and member
};

}  // namespace

std::unique_ptr<Scene> make_dual_domain_overlap(const DualDomainOverlapOptions& options) {
  return std::make_unique<DualDomainOverlap>(options);
}

}  // namespace example
