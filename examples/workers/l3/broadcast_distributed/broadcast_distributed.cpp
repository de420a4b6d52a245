// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "broadcast_distributed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "common/golden.hpp"
#include "kernels/broadcast_window.hpp"
#include "tileput/worker.hpp"

namespace example {
namespace {

class Broadcast final : public Scene {
 public:
  explicit Broadcast(const BroadcastOptions& options)
      : options_(options), in_(rank_tensors<float>(options.ranks, options.count, 1)) {
    if (options.roots.empty()) {
      throw tileput::Error(tileput::ErrorCode::kBadArgument, "no root", "name at least one");
    }
    for (const int root : options.roots) {
      if (root < 0 || root >= options.ranks) {
        throw tileput::Error(tileput::ErrorCode::kBadArgument, fmt::format("root {} of {} ranks", root, options.ranks),
                             fmt::format("use 0 to {}", options.ranks - 1));
      }
      out_.push_back(rank_tensors<float>(options.ranks, options.count, 1));
    }
  }

  [[nodiscard]] int ranks() const override { return options_.ranks; }

  void load(tileput::Worker& worker) override {
    callable_ = worker.load({.orchestration = "kernels/broadcast_orch.so",
                             .entry = "broadcast",
                             .kernels = {{0, tileput::Core::kAiv, "kernels/broadcast_kernel.so"}}});
  }

  void fill(std::uint64_t round) override {
    round_ = round;
    for (std::size_t rank = 0; rank < in_.size(); ++rank) {
      for (std::size_t i = 0; i < in_[rank].size(); ++i) {
        in_[rank][i] = element(rank, i);
      }
      for (std::vector<std::vector<float>>& out : out_) {
        poison(out[rank]);
      }
    }
  }

  void submit(tileput::Orchestrator& orchestrator, const tileput::TaskOptions& options) override {
    const std::uint64_t bytes = broadcast_window::window_of(in_.size(), options_.count).bytes;
    const tileput::Domain domain = orchestrator.allocate_domain(
        {.ranks = first_ranks(options_.ranks), .buffers = {{.name = "scratch", .bytes = bytes}}});
    for (std::size_t turn = 0; turn < out_.size(); ++turn) {
      std::vector<tileput::RankTask> group;
      for (std::size_t rank = 0; rank < in_.size(); ++rank) {
        tileput::TaskArgs args;
        args.add_input(tileput::Tensor::of(in_[rank])).add_output(tileput::Tensor::of(out_[turn][rank]));
        args.add_inout(domain.buffer("scratch"));
        args.add_scalar(domain.size()).add_scalar(options_.roots[turn]).add_context(domain);
        group.push_back({static_cast<int>(rank), args});
      }
      orchestrator.submit_group(callable_.value(), group, options);
    }
  }

  [[nodiscard]] std::vector<RankCheck> check() const override {
    std::vector<RankCheck> checks;
    for (std::size_t rank = 0; rank < in_.size(); ++rank) {
      checks.push_back({.rank = static_cast<int>(rank), .max_error = 0, .matches = true, .detail = {}});
      for (std::size_t turn = 0; turn < out_.size(); ++turn) {
        const auto root = static_cast<std::size_t>(options_.roots[turn]);
        compare(checks.back(), fmt::format("out, root {},", root), std::span<const float>(out_[turn][rank]),
                [&](std::size_t i) { return element(root, i); });
      }
    }
    return checks;
  }

 private:
  /// What rank `source` has at `index`. By the public formula others than roots have zeros.
  [[nodiscard]] float element(std::size_t source, std::size_t index) const {
    if (options_.payload == Payload::kRandom) {
      return mixed_float(round_, source, index);
    }
    const bool is_root =
        std::find(options_.roots.begin(), options_.roots.end(), static_cast<int>(source)) != options_.roots.end();
    return is_root ? static_cast<float>(index + 100 * source) : 0.0F;
  }

  BroadcastOptions options_;
  std::vector<std::vector<float>> in_;
  std::vector<std::vector<std::vector<float>>> out_;  ///< by turn, by rank
  std::uint64_t round_ = 0;
  std::optional<tileput::Callable> callable_;
};

}  // namespace

std::unique_ptr<Scene> make_broadcast_distributed(const BroadcastOptions& options) {
  return std::make_unique<Broadcast>(options);
}

}  // namespace example
