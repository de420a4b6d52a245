// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tileput::check::litmus {

/// Where something stands in a listing; both count from 1.
struct Position {
  int line = 1;
  int column = 1;
};

/// Throws tileput::Error: `file:line:column: what`, with what would be right as its hint.
[[noreturn]] void fail_at(const std::string& file, Position position, const std::string& what,
                          const std::string& expected);

/// What the names in an expression stand for.
struct Environment {
  const std::string& file;
  int rank = 0;
  int ranks = 1;
  bool has_rank = true;  ///< else `me`, `nxt` and `prv` mean nothing here: sizes, lists of ranks
};

/// An integer expression of a listing, as the parser read it.
class Expression {
 public:
  enum class Term : std::uint8_t {
    kNumber,
    kSelf,      ///< me
    kNext,      ///< nxt
    kPrevious,  ///< prv
    kRanks,     ///< N
    kNegate,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kRemainder,
  };

  /// In postfix order.
  void push(Term term, Position position, std::int64_t number = 0) { steps_.push_back({term, position, number}); }
  [[nodiscard]] Position position() const noexcept { return position_; }
  void set_position(Position position) noexcept { position_ = position; }

  /// Division rounds down and the remainder has the divisor's sign, so that (me-1)%N is the rank before `me`. Throws
  /// tileput::Error for a divisor of 0 and for what 64 bits do not hold.
  [[nodiscard]] std::int64_t evaluate(const Environment& environment) const;
  /// The same, refused outside [least, most]; `what` names the value in the error.
  [[nodiscard]] std::int64_t evaluate_within(const Environment& environment, std::int64_t least, std::int64_t most,
                                             const char* what) const;

 private:
  struct Step {
    Term term;
    Position position;
    std::int64_t number;
  };
  std::vector<Step> steps_;
  Position position_;
};

}  // namespace tileput::check::litmus
