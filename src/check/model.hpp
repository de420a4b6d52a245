// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The words of the checked machine: places, pipes, accesses, and where an instruction stands.

#include <cstdint>
#include <string_view>

namespace tileput::check {

/// What is taken as ordered; docs/checker.md has the rules of each.
enum class Model : std::uint8_t {
  kHardware,  ///< exactly the portable contract
  kParanoid,  ///< also warns of what only holds on some hardware
  kCoherent,  ///< a CPU: pipes in program order, TNOTIFY releases, TWAIT acquires, caches coherent
};

/// The asynchronous units of a core, with the values of pipe_t (spec section 7.1).
enum class Pipe : std::uint8_t { kS, kV, kMte1, kMte2, kMte3, kM, kAll, kFix };
inline constexpr int kPipes = 8;
const char* name_of(Pipe pipe) noexcept;

using Address = std::uintptr_t;
inline constexpr std::uint64_t kLineBytes = 64;

struct Range {
  Address begin = 0;
  std::uint64_t bytes = 0;

  [[nodiscard]] constexpr Address end() const noexcept { return begin + bytes; }
  [[nodiscard]] constexpr bool overlaps(const Range& other) const noexcept {
    return begin < other.end() && other.begin < end();
  }
  friend constexpr bool operator==(const Range&, const Range&) = default;
};

enum class AccessKind : std::uint8_t { kRead, kWrite, kAtomic };

struct Access {
  Range range;
  AccessKind kind = AccessKind::kRead;
};

/// WaitCmp and NotifyOp of the instruction set, value for value.
enum class Compare : std::uint8_t { kEq, kNe, kGt, kGe, kLt, kLe };
enum class SignalOp : std::uint8_t { kAdd, kSet };
const char* name_of(Compare compare) noexcept;
[[nodiscard]] constexpr bool holds(std::int32_t seen, Compare compare, std::int32_t value) noexcept {
  switch (compare) {
    case Compare::kEq: return seen == value;
    case Compare::kNe: return seen != value;
    case Compare::kGt: return seen > value;
    case Compare::kGe: return seen >= value;
    case Compare::kLt: return seen < value;
    case Compare::kLe: return seen <= value;
  }
  return false;
}

/// Where an instruction stands: the line of a listing or the program counter in a kernel, and how it is called.
struct Source {
  std::uint64_t place = 0;
  const char* instruction = "";

  friend bool operator==(const Source& a, const Source& b) noexcept {
    return a.place == b.place && std::string_view(a.instruction) == b.instruction;
  }
};

}  // namespace tileput::check
