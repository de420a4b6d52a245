// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "check/litmus/agents.hpp"
#include "check/litmus/compiler.hpp"
#include "check/litmus/listing.hpp"
#include "check/litmus/storage.hpp"
#include "check/machine.hpp"

namespace tileput::check::litmus {

/// One variant of a listing, ready to run any number of times.
class Program {
 public:
  /// Errors: kBadArgument with file:line:column for a name that is not declared, a value out of range, ...
  Program(const Listing& listing, Variant variant);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() = default;

  /// One run, from the strategy's begin_run() to its end_run(). Memory starts anew.
  RunResult run(Strategy& strategy, const MachineOptions& options);

 private:
  struct Code {
    std::vector<Step> steps;
    std::size_t next = 0;  ///< in the run at hand: the step that runs or waits
  };
  [[nodiscard]] std::vector<int> future_notifiers(Address word) const;

  Declarations declarations_;
  std::vector<Agent> agents_;
  Storage storage_;
  std::vector<Code> code_;  ///< by agent
};

}  // namespace tileput::check::litmus
