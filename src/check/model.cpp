// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/model.hpp"

namespace tileput::check {

const char* name_of(Pipe pipe) noexcept {
  switch (pipe) {
    case Pipe::kS: return "S";
    case Pipe::kV: return "V";
    case Pipe::kMte1: return "MTE1";
    case Pipe::kMte2: return "MTE2";
    case Pipe::kMte3: return "MTE3";
    case Pipe::kM: return "M";
    case Pipe::kAll: return "ALL";
    case Pipe::kFix: return "FIX";
  }
  return "?";
}

const char* name_of(Compare compare) noexcept {
  switch (compare) {
    case Compare::kEq: return "EQ";
    case Compare::kNe: return "NE";
    case Compare::kGt: return "GT";
    case Compare::kGe: return "GE";
    case Compare::kLt: return "LT";
    case Compare::kLe: return "LE";
  }
  return "?";
}

}  // namespace tileput::check
