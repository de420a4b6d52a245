// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A scene of one kernel that moves or sums floats of all ranks in one window: everything but what the floats are.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "golden.hpp"
#include "scene.hpp"

namespace example {

/// What a collective loads: files without ".so", and the orchestration's entry.
struct CollectiveObjects {
  std::string orchestration;
  std::string entry;
  std::string kernel;
};

/// One call of the kernel by all ranks, after those before it, with an output of its own.
struct CollectiveTurn {
  std::string name = "out";
  std::vector<std::uint64_t> scalars = {};  ///< between n and the context
};

class Collective : public Scene {
 public:
  [[nodiscard]] int ranks() const final { return static_cast<int>(in_.size()); }

  void load(tileput::Worker& worker) final {
    callable_ = worker.load({.orchestration = "kernels/" + objects_.orchestration + ".so",
                             .entry = objects_.entry,
                             .kernels = {{0, tileput::Core::kAiv, "kernels/" + objects_.kernel + ".so"}}});
  }

  void fill(std::uint64_t round) final {
    round_ = round;
    for (std::size_t rank = 0; rank < in_.size(); ++rank) {
      for (std::size_t i = 0; i < in_[rank].size(); ++i) {
        in_[rank][i] = given(rank, i);
      }
    }
    for (std::vector<std::vector<float>>& turn : out_) {
      std::for_each(turn.begin(), turn.end(), [](std::vector<float>& out) { poison(out); });
    }
  }

  void submit(tileput::Orchestrator& orchestrator, const tileput::TaskOptions& options) final {
    const tileput::Domain domain = allocate(orchestrator, first_ranks(ranks()), window_bytes());
    for (std::size_t turn = 0; turn < out_.size(); ++turn) {
      std::vector<tileput::RankTask> group;
      group.reserve(in_.size());
      for (std::size_t rank = 0; rank < in_.size(); ++rank) {
        tileput::TaskArgs args;
        args.add_input(tileput::Tensor::of(in_[rank])).add_output(tileput::Tensor::of(out_[turn][rank]));
        args.add_inout(domain.buffer("scratch")).add_scalar(domain.size());
        for (const std::uint64_t scalar : turns_[turn].scalars) {
          args.add_scalar(scalar);
        }
        args.add_context(domain);
        group.push_back({static_cast<int>(rank), args});
      }
      orchestrator.submit_group(callable_.value(), group, options);
    }
  }

  [[nodiscard]] std::vector<RankCheck> check() const final {
    std::vector<RankCheck> checks;
    checks.reserve(in_.size());
    for (std::size_t rank = 0; rank < in_.size(); ++rank) {
      checks.push_back({.rank = static_cast<int>(rank), .max_error = 0, .matches = true, .detail = {}});
      for (std::size_t turn = 0; turn < out_.size(); ++turn) {
        compare(checks.back(), turns_[turn].name, std::span<const float>(out_[turn][rank]),
                [&](std::size_t i) { return expected(turn, rank, i); });
      }
    }
    return checks;
  }

 protected:
  /// `in_parts` and `out_parts` times `count` elements on each rank. Error kBadArgument for what no kernel can be
  /// given.
  Collective(CollectiveObjects objects, int ranks, std::uint64_t count, std::uint64_t in_parts, std::uint64_t out_parts,
             std::vector<CollectiveTurn> turns = {{}})
      : objects_(std::move(objects)), turns_(std::move(turns)) {
    refuse_sizes(ranks, count, std::max(in_parts, out_parts));
    const auto n = static_cast<std::size_t>(ranks);
    in_.assign(n, std::vector<float>(in_parts * count));
    out_.assign(turns_.size(), std::vector<std::vector<float>>(n, std::vector<float>(out_parts * count)));
  }

  [[nodiscard]] virtual std::uint64_t window_bytes() const = 0;
  /// Element `index` of what a rank has.
  [[nodiscard]] virtual float given(std::size_t rank, std::size_t index) const = 0;
  /// Element `index` of what it must receive, to the bit.
  [[nodiscard]] virtual float expected(std::size_t turn, std::size_t rank, std::size_t index) const = 0;

  [[nodiscard]] std::uint64_t round() const { return round_; }
  [[nodiscard]] const std::vector<std::vector<float>>& in() const { return in_; }

 private:
  CollectiveObjects objects_;
  std::vector<CollectiveTurn> turns_;
  std::vector<std::vector<float>> in_;                ///< by rank
  std::vector<std::vector<std::vector<float>>> out_;  ///< by turn and rank
  std::uint64_t round_ = 0;
  std::optional<tileput::Callable> callable_;
};

}  // namespace example
