// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "allreduce_distributed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "common/golden.hpp"
#include "kernels/allreduce_window.hpp"

namespace example {
namespace {

using allreduce::Mode;
using tileput::Error;
using tileput::ErrorCode;

constexpr std::uint64_t kElementsMax = 0xffffffffU;

/// 64 of them add up to less than 2^24, exactly.
constexpr std::uint64_t kIntegerMax = std::uint64_t{1} << 17U;

Mode mode_of(const std::string& name) {
  const auto& modes = allreduce_modes();
  const auto found = std::find(modes.begin(), modes.end(), name);
  if (found == modes.end()) {
    throw Error(ErrorCode::kBadArgument, fmt::format("there is no mode '{}'", name),
                fmt::format("use one of {}", fmt::join(modes, ", ")));
  }
  return static_cast<Mode>(found - modes.begin());
}

class AllreduceDistributed : public Scene {
 public:
  explicit AllreduceDistributed(const AllreduceDistributedOptions& options)
      : options_(options), mode_(mode_of(options.mode)) {
    if (options.ranks < 1 || options.ranks > tileput::kRanksMax) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} ranks", options.ranks),
                  fmt::format("use 1 to {}", tileput::kRanksMax));
    }
    if (mode_ == Mode::kIbing && options.ranks != 2) {
      throw Error(ErrorCode::kBadArgument, fmt::format("ibing with {} ranks", options.ranks),
                  "it is an exchange of 2 ranks; use another mode");
    }
    if (options.count > kElementsMax) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} elements", options.count),
                  "a tensor of the kernel ABI has fewer than 2^32 elements");
    }
    in_.assign(static_cast<std::size_t>(options.ranks), std::vector<float>(options.count));
    out_ = in_;
  }

  [[nodiscard]] int ranks() const override { return options_.ranks; }

  void load(tileput::Worker& worker) override {
    callable_ =
        worker.load({.orchestration = "kernels/allreduce_orch.so",
                     .entry = "allreduce_" + options_.mode,
                     .kernels = {{0, tileput::Core::kAiv, "kernels/allreduce_" + options_.mode + "_kernel.so"}}});
  }

  void fill(std::uint64_t round) override {
    for (std::size_t rank = 0; rank < in_.size(); ++rank) {
      for (std::size_t i = 0; i < in_[rank].size(); ++i) {
        in_[rank][i] =
            options_.payload == Payload::kFormula ? static_cast<float>(i + 100 * rank) : random(mixed(round, rank, i));
      }
      poison(out_[rank]);
    }
  }

  void submit(tileput::Orchestrator& orchestrator, const tileput::TaskOptions& options) override {
    const std::uint64_t bytes =
        allreduce::window_of(mode_, static_cast<std::uint64_t>(options_.ranks), options_.count).bytes;
    const tileput::Domain domain = orchestrator.allocate_domain(
        {.ranks = first_ranks(options_.ranks), .buffers = {{.name = "scratch", .bytes = bytes}}});
    std::vector<tileput::RankTask> group;
    group.reserve(static_cast<std::size_t>(ranks()));
    for (int rank = 0; rank < options_.ranks; ++rank) {
      const auto r = static_cast<std::size_t>(rank);
      tileput::TaskArgs args;
      args.add_input(tileput::Tensor::of(std::span<const float>(in_[r])));
      args.add_output(tileput::Tensor::of(out_[r]));
      args.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
      group.push_back({rank, args});
    }
    orchestrator.submit_group(callable_.value(), group, options);
  }

  [[nodiscard]] std::vector<RankCheck> check() const override {
    std::vector<float> golden(options_.count);
    for (std::size_t i = 0; i < golden.size(); ++i) {
      golden[i] = expected(i);
    }
    std::vector<RankCheck> checks;
    checks.reserve(static_cast<std::size_t>(ranks()));
    for (int rank = 0; rank < options_.ranks; ++rank) {
      checks.push_back(compared(rank, std::span<const float>(out_[static_cast<std::size_t>(rank)]),
                                [&](std::size_t i) { return golden[i]; }));
    }
    return checks;
  }

 private:
  /// An integer of -kIntegerMax..kIntegerMax, never 0: what is left out of a sum or taken twice shows. Or a fraction of
  /// any size between 2^-10 and 2^10.
  [[nodiscard]] float random(std::uint64_t bits) const {
    const float sign = (bits & 1U) == 0 ? 1.0F : -1.0F;
    if (options_.fractions) {
      const auto mantissa = static_cast<float>(1 + (bits >> 1U) % kIntegerMax) / static_cast<float>(kIntegerMax);
      return std::ldexp(sign * mantissa, static_cast<int>((bits >> 40U) % 21) - 10);
    }
    return sign * static_cast<float>(1 + (bits >> 1U) % kIntegerMax);
  }

  /// Element `i` of every rank's output, summed in the order in which the mode does.
  [[nodiscard]] float expected(std::size_t i) const {
    const auto n = in_.size();
    std::size_t first = 0;   // rank that the sum begins with
    std::size_t stride = 1;  // from one rank to the next
    if (mode_ == Mode::kRing || mode_ == Mode::kBidirectionalRing) {
      const std::size_t index = i / allreduce::window_of(mode_, n, options_.count).chunk;
      stride = index < n ? 1 : n - 1;
      first = (index + stride) % n;
    }
    float sum = in_[first][i];
    for (std::size_t k = 1; k < n; ++k) {
      sum += in_[(first + k * stride) % n][i];
    }
    return sum;
  }

  AllreduceDistributedOptions options_;
  Mode mode_;
  std::optional<tileput::Callable> callable_;
  std::vector<std::vector<float>> in_;
  std::vector<std::vector<float>> out_;
};

}  // namespace

const std::vector<std::string>& allreduce_modes() {
  static const std::vector<std::string> kModes{"onephase", "twophase", "ring", "bidirectional_ring", "ibing"};
  return kModes;
}

std::unique_ptr<Scene> make_allreduce_distributed(const AllreduceDistributedOptions& options) {
  return std::make_unique<AllreduceDistributed>(options);
}

}  // namespace example
