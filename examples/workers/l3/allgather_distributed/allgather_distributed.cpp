// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "allgather_distributed.hpp"

#include <optional>
#include <vector>

#include "common/golden.hpp"
#include "common/kernels/slot_window.hpp"
#include "tileput/worker.hpp"

namespace example {
namespace {

class Allgather final : public Scene {
 public:
  explicit Allgather(const AllgatherOptions& options)
      : options_(options),
        out_(rank_tensors<float>(options.ranks, options.count, static_cast<std::uint64_t>(options.ranks))),
        in_(rank_tensors<float>(options.ranks, options.count, 1)) {}

  [[nodiscard]] int ranks() const override { return options_.ranks; }

  void load(tileput::Worker& worker) override {
    callable_ = worker.load({.orchestration = "kernels/allgather_orch.so",
                             .entry = "allgather",
                             .kernels = {{0, tileput::Core::kAiv, "kernels/allgather_kernel.so"}}});
  }

  void fill(std::uint64_t round) override {
    round_ = round;
    for (std::size_t rank = 0; rank < in_.size(); ++rank) {
      for (std::size_t i = 0; i < in_[rank].size(); ++i) {
        in_[rank][i] = element(rank, i);
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

  [[nodiscard]] std::vector<RankCheck> check() const override {
    std::vector<RankCheck> checks;
    for (std::size_t rank = 0; rank < out_.size(); ++rank) {
      checks.push_back(compared<float>(static_cast<int>(rank), out_[rank],
                                       [&](std::size_t i) { return element(i / options_.count, i % options_.count); }));
    }
    return checks;
  }

 private:
  /// What rank `source` has at `index`.
  [[nodiscard]] float element(std::size_t source, std::size_t index) const {
    return options_.payload == Payload::kRandom ? mixed_float(round_, source, index)
                                                : static_cast<float>(100 * source + index);
  }

  AllgatherOptions options_;
  std::vector<std::vector<float>> out_;  // the larger ones first: what is too large is refused before any is there
  std::vector<std::vector<float>> in_;
  std::uint64_t round_ = 0;
  std::optional<tileput::Callable> callable_;
};

}  // namespace

std::unique_ptr<Scene> make_allgather_distributed(const AllgatherOptions& options) {
  return std::make_unique<Allgather>(options);
}

}  // namespace example
