// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/litmus/expression.hpp"

#include <fmt/format.h>

#include "tileput/error.hpp"

namespace tileput::check::litmus {

void fail_at(const std::string& file, Position position, const std::string& what, const std::string& expected) {
  throw Error(ErrorCode::kBadArgument, fmt::format("{}:{}:{}: {}", file, position.line, position.column, what),
              expected);
}

namespace {

using Term = Expression::Term;

std::int64_t value_of_name(Term term, const Environment& environment, Position position) {
  if (term == Term::kRanks) {
    return environment.ranks;
  }
  if (!environment.has_rank) {
    fail_at(environment.file, position, "'me', 'nxt' and 'prv' are of a rank, and here is none",
            "expected numbers and N");
  }
  switch (term) {
    case Term::kNext: return (environment.rank + 1) % environment.ranks;
    case Term::kPrevious: return (environment.rank + environment.ranks - 1) % environment.ranks;
    default: return environment.rank;
  }
}

enum class Combined : std::uint8_t { kDone, kTooLarge, kDividesByZero };

constexpr Combined done_unless(bool is_too_large) { return is_too_large ? Combined::kTooLarge : Combined::kDone; }

Combined combine(Term term, std::int64_t left, std::int64_t right, std::int64_t& result) {
  switch (term) {
    case Term::kAdd: return done_unless(__builtin_add_overflow(left, right, &result));
    case Term::kSubtract: return done_unless(__builtin_sub_overflow(left, right, &result));
    case Term::kMultiply: return done_unless(__builtin_mul_overflow(left, right, &result));
    default: break;
  }
  if (right == 0) {
    return Combined::kDividesByZero;
  }
  if (right == -1) {  // the one divisor that can overflow
    result = 0;
    return done_unless(term == Term::kDivide && __builtin_sub_overflow(0, left, &result));
  }
  const std::int64_t remainder = left % right;
  const bool is_rounded_up = remainder != 0 && (remainder < 0) != (right < 0);
  result = term == Term::kDivide ? left / right - (is_rounded_up ? 1 : 0) : remainder + (is_rounded_up ? right : 0);
  return Combined::kDone;
}

}  // namespace

std::int64_t Expression::evaluate(const Environment& environment) const {
  std::vector<std::int64_t> stack;
  for (const Step& step : steps_) {
    switch (step.term) {
      case Term::kNumber: stack.push_back(step.number); break;
      case Term::kSelf:
      case Term::kNext:
      case Term::kPrevious:
      case Term::kRanks: stack.push_back(value_of_name(step.term, environment, step.position)); break;
      case Term::kNegate: stack.insert(stack.end() - 1, 0); [[fallthrough]];
      default: {
        const Term term = step.term == Term::kNegate ? Term::kSubtract : step.term;
        const std::int64_t right = stack.back();
        stack.pop_back();
        switch (combine(term, stack.back(), right, stack.back())) {
          case Combined::kDone: break;
          case Combined::kTooLarge:
            fail_at(environment.file, step.position, "the value is too large", "expected what 64 bits hold");
          case Combined::kDividesByZero:
            fail_at(environment.file, step.position, "division by 0", "expected a divisor other than 0");
        }
      }
    }
  }
  return stack.back();
}

std::int64_t Expression::evaluate_within(const Environment& environment, std::int64_t least, std::int64_t most,
                                         const char* what) const {
  const std::int64_t value = evaluate(environment);
  if (value < least || value > most) {
    fail_at(environment.file, position_, fmt::format("{} is {}", what, value),
            fmt::format("expected {} to {}", least, most));
  }
  return value;
}

}  // namespace tileput::check::litmus
