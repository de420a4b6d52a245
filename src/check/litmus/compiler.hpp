// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "check/litmus/agents.hpp"
#include "check/litmus/storage.hpp"
#include "check/machine.hpp"

namespace tileput::check::litmus {

/// What one statement does on one core.
struct Step {
  std::function<void(CheckedCore&)> run;
  Address notified = 0;  ///< the word of a TNOTIFY, else 0
};

/// Turns the statements of one agent into steps. First every agent's tiles are reserved, then the storage is allocated,
/// then every agent is compiled.
class Compiler {
 public:
  Compiler(const std::string& file, const Declarations& declarations, const Agent& agent, int agent_index,
           Storage& storage);

  void reserve_tiles();
  std::vector<Step> compile();

  /// The cells of a region that an operand names.
  struct Cells {
    int region = 0;
    int rank = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;

    [[nodiscard]] std::int64_t count() const noexcept { return end - begin; }
  };

 private:
  using Run = std::function<void(CheckedCore&)>;

  [[nodiscard]] Cells cells_of(const Operand& operand) const;
  /// What of `cells` can be accessed; of no bytes when that is nothing.
  [[nodiscard]] Range accessible(const Cells& cells) const;
  /// The same; what is left out is reported whenever the step runs.
  Range accessed(const Operand& operand, Pipe pipe, const char* does);

  void reserve(const Operand& tile, std::int64_t cells);
  [[nodiscard]] Range tile(const Operand& tile) const;
  [[nodiscard]] std::string implicit_tile(const PlacedStatement& placed) const;
  [[nodiscard]] std::int32_t word_value(const Statement& statement, const char* what) const;

  Step step(const PlacedStatement& placed);
  Run copy(const Statement& statement);
  Run transfer(const PlacedStatement& placed);
  Run async(const Statement& statement);
  Run await_async(const Statement& statement);
  Run compute(const Statement& statement);
  Run flag(const Statement& statement);
  Run scalar(const Statement& statement);
  Run clean(const Statement& statement);
  Run notify(const Statement& statement, Address& notified);
  Run wait(const Statement& statement);

  const std::string& file_;
  const Declarations& declarations_;
  const Agent& agent_;
  int agent_index_;
  Storage& storage_;
  Environment environment_;
  std::map<std::string, std::uint64_t> handles_;  ///< the last transfer of an event so far
  std::uint64_t transfers_ = 0;

  /// Of the statement at hand.
  Source source_;
  std::vector<Run> reports_;
};

}  // namespace tileput::check::litmus
