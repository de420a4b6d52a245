// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/strategy.hpp"

namespace tileput::check {

bool are_dependent(const Touches& a, const Touches& b) noexcept {
  for (const Touch& one : a) {
    for (const Touch& other : b) {
      const bool commute = one.kind == other.kind && one.kind != Touch::Kind::kWrite;
      if (!commute && one.range.overlaps(other.range)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace tileput::check
