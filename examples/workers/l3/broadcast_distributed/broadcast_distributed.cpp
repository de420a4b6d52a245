// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "broadcast_distributed.hpp"

#include <algorithm>

#include "common/collective.hpp"
#include "kernels/broadcast_window.hpp"

namespace example {
namespace {

class Broadcast final : public Collective {
 public:
  explicit Broadcast(const BroadcastOptions& options)
      : Collective({"broadcast_orch", "broadcast", "broadcast_kernel"}, options.ranks, options.count, 1, 1,
                   turns_of(options)),
        options_(options) {}

 private:
  /// One for each root.
  static std::vector<CollectiveTurn> turns_of(const BroadcastOptions& options) {
    if (options.roots.empty()) {
      throw tileput::Error(tileput::ErrorCode::kBadArgument, "no root", "name at least one");
    }
    std::vector<CollectiveTurn> turns;
    turns.reserve(options.roots.size());
    for (const int root : options.roots) {
      if (root < 0 || root >= options.ranks) {
        throw tileput::Error(tileput::ErrorCode::kBadArgument, fmt::format("root {} of {} ranks", root, options.ranks),
                             fmt::format("use 0 to {}", options.ranks - 1));
      }
      turns.push_back({fmt::format("out, root {},", root), {static_cast<std::uint64_t>(root)}});
    }
    return turns;
  }

  [[nodiscard]] std::uint64_t window_bytes() const override {
    return broadcast_window::window_of(in().size(), options_.count).bytes;
  }

  /// By the public formula others than roots have zeros.
  [[nodiscard]] float given(std::size_t rank, std::size_t index) const override {
    if (options_.payload == Payload::kRandom) {
      return mixed_float(round(), rank, index);
    }
    const bool is_root =
        std::find(options_.roots.begin(), options_.roots.end(), static_cast<int>(rank)) != options_.roots.end();
    return is_root ? static_cast<float>(index + 100 * rank) : 0.0F;
  }

  [[nodiscard]] float expected(std::size_t turn, std::size_t /*rank*/, std::size_t index) const override {
    return given(static_cast<std::size_t>(options_.roots[turn]), index);
  }

  BroadcastOptions options_;
};

}  // namespace

std::unique_ptr<Scene> make_broadcast_distributed(const BroadcastOptions& options) {
  return std::make_unique<Broadcast>(options);
}

}  // namespace example
