// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The all-to-all as a scene.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/scene.hpp"
#include "tileput/worker.hpp"

namespace example {

struct AllToAllOptions {
  int ranks = 4;
  std::uint64_t count = 64;  ///< elements for each destination
  std::string variant = "push";
  Payload payload = Payload::kFormula;
  std::optional<std::uint64_t> window_bytes = std::nullopt;  ///< none: what is needed
};

/// Its tensors lie in memory that worker and ranks share, so that only the exchange itself moves data. fill(), submit()
/// and check() belong to the worker of the latest load().
class AllToAll final : public Scene {
 public:
  explicit AllToAll(const AllToAllOptions& options);

  [[nodiscard]] int ranks() const override { return options_.ranks; }
  void load(tileput::Worker& worker) override;
  void fill(std::uint64_t round) override;
  void submit(tileput::Orchestrator& orchestrator, const tileput::TaskOptions& options) override;
  [[nodiscard]] std::vector<RankCheck> check() const override;

  /// What submit() submits from now on, "push" or "pull"; loads it where that is new.
  void use(tileput::Worker& worker, const std::string& variant);

  /// Of each rank, for a variant. Error kBadArgument if the options' window is too small for it.
  [[nodiscard]] std::uint64_t window_bytes(const std::string& variant) const;

 private:
  AllToAllOptions options_;
  std::uint64_t round_ = 0;
  std::map<std::string, tileput::Callable> callables_;
  std::vector<tileput::SharedMemory> in_;
  std::vector<tileput::SharedMemory> out_;
};

inline std::unique_ptr<AllToAll> make_all_to_all_distributed(const AllToAllOptions& options) {
  return std::make_unique<AllToAll>(options);
}

}  // namespace example
