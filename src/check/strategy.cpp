// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/strategy.hpp"

namespace tileput::check {

namespace {

bool commute(const Touch& a, const Touch& b) noexcept {
  using Kind = Touch::Kind;
  if (a.kind == Kind::kWrite || b.kind == Kind::kWrite) {
    return false;
  }
  if (a.kind == Kind::kAdd && b.kind == Kind::kAwait) {
    return a.amount >= 0;
  }
  if (a.kind == Kind::kAwait && b.kind == Kind::kAdd) {
    return b.amount >= 0;
  }
  return (a.kind == Kind::kAdd) == (b.kind == Kind::kAdd);
}

}  // namespace

bool are_dependent(const Touches& a, const Touches& b) noexcept {
  for (const Touch& one : a) {
    for (const Touch& other : b) {
      if (one.range.overlaps(other.range) && !commute(one, other)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace tileput::check
