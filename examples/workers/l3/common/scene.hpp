// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the distributed examples have in common: a scene owns the host tensors of all ranks, submits the work, and
/// knows what must come out. Programs and tests drive it through this interface.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tileput/worker.hpp"

namespace example {

/// What inputs hold.
enum class Payload : std::uint8_t {
  kFormula,  ///< the public formulas, for comparison with other implementations
  kRandom,   ///< drawn so that a contribution that is dropped, doubled or taken from elsewhere always shows
};

/// One rank's outputs against the golden.
struct RankCheck {
  int rank = 0;
  double max_error = 0;  ///< of any element, infinity where something is no finite number or must be exact and is not
  bool matches = false;  ///< within the tolerance of the example
  std::string detail;    ///< where it differs first, with both values; empty if it matches
};

/// Made for a number of ranks and sizes, which its constructor refuses (Error kBadArgument) where the algorithm cannot
/// have them. Host tensors are its own; one run at a time uses them.
class Scene {
 public:
  Scene() = default;
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  virtual ~Scene() = default;

  [[nodiscard]] virtual int ranks() const = 0;
  /// Loads its callables. Once for each worker, outside run().
  virtual void load(tileput::Worker& worker) = 0;
  /// Inputs as the payload says, outputs poisoned. `round` changes what kRandom draws. Before each run.
  virtual void fill(std::uint64_t round) = 0;
  /// Allocates what it needs and submits one run of the example, inside run(). `options.calls` calls back to back on
  /// the same windows give the same outputs as one.
  virtual void submit(tileput::Orchestrator& orchestrator, const tileput::TaskOptions& options) = 0;
  /// After the run: one entry a rank. Fails where outputs hold poison.
  [[nodiscard]] virtual std::vector<RankCheck> check() const = 0;

  /// Called by submit() with each domain that it has allocated, before it submits anything to it: for tests that begin
  /// with other windows than zeroed ones.
  using OnDomain = std::function<void(tileput::Orchestrator&, const tileput::Domain&)>;
  void set_on_domain(OnDomain on_domain) { on_domain_ = std::move(on_domain); }

 protected:
  /// A domain with the buffer "scratch"; `window_bytes` as in tileput::DomainOptions.
  tileput::Domain allocate(tileput::Orchestrator& orchestrator, const std::vector<int>& ranks, std::uint64_t bytes,
                           std::uint64_t window_bytes = 0) {
    tileput::Domain domain = orchestrator.allocate_domain(
        {.ranks = ranks, .buffers = {{.name = "scratch", .bytes = bytes}}, .window_bytes = window_bytes});
    if (on_domain_) {
      on_domain_(orchestrator, domain);
    }
    return domain;
  }

 private:
  OnDomain on_domain_;
};

}  // namespace example
