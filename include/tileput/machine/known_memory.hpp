// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which memory the instructions of a core may address: the windows of its rank's domains and the tensors of its task.

#include <cstdint>
#include <optional>
#include <string>

#include "tileput/machine/core.hpp"
#include "tileput/machine/instruction.hpp"

namespace tileput::machine {

/// Knows all of it; asked when KnownRange of the heap in question does not have the answer.
class KnownMemory {
 public:
  KnownMemory() = default;
  KnownMemory(const KnownMemory&) = delete;
  KnownMemory& operator=(const KnownMemory&) = delete;
  virtual ~KnownMemory() = default;

  /// The range that holds `address`.
  [[nodiscard]] virtual std::optional<KnownRange> find(std::uintptr_t address) const = 0;
  /// For a report: what lies nearest to an address that is in no range, or which range it is in.
  [[nodiscard]] virtual std::string describe(std::uintptr_t address) const = 0;
};

/// Which of the ranges found last an operand is compared with first. A push goes to one window after the other but
/// comes from one tensor.
enum class Operand : std::uint8_t { kPeer, kLocal };

/// Remembers the range that [address, address + bytes) lies in, or throws Error kOutOfWindow.
void find_known(const Core& core, Operand operand, Opcode opcode, std::uintptr_t address, std::uint64_t bytes);

/// The bytes from a region's first to its last element, and where they begin.
struct Footprint {
  std::uintptr_t begin;
  std::uint64_t bytes;  ///< 0: no element; UINT64_MAX: more than there can be
};

TILEPUT_ALWAYS_INLINE Footprint footprint_of(const GlobalRegion& region) noexcept {
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool too_large = false;
#pragma GCC unroll 5
  for (int d = 0; d < kDims; ++d) {
    if (region.shape[d] <= 0) {
      return {0, 0};
    }
    std::int64_t reach = 0;
    too_large |= __builtin_mul_overflow(region.shape[d] - 1, region.stride[d], &reach);
    std::int64_t& end = region.stride[d] < 0 ? first : last;
    too_large |= __builtin_add_overflow(end, reach, &end);
  }
  constexpr std::int64_t kElementsMax = std::int64_t{1} << 58U;
  if (too_large || first < -kElementsMax || last > kElementsMax) [[unlikely]] {
    return {reinterpret_cast<std::uintptr_t>(region.address), UINT64_MAX};
  }
  return {reinterpret_cast<std::uintptr_t>(region.address) +
              static_cast<std::uintptr_t>(first * std::int64_t{region.element_bytes}),
          static_cast<std::uint64_t>(last - first + 1) * region.element_bytes};
}

TILEPUT_ALWAYS_INLINE bool is_inside(const Footprint& footprint, const KnownRange& range) noexcept {
  return footprint.begin >= range.begin && footprint.begin <= range.end &&
         footprint.bytes <= range.end - footprint.begin;
}

/// Refuses a region outside everything that the core knows. Costs a comparison with a range that was found before.
template <Operand kOperand = Operand::kPeer>
TILEPUT_ALWAYS_INLINE void require_known(const Core& core, Opcode opcode, const GlobalRegion& region) {
  const KnownRange* const known = core.known;
  if (known == nullptr) {
    return;
  }
  const Footprint footprint = footprint_of(region);
  if (footprint.bytes == 0 || is_inside(footprint, known[static_cast<int>(kOperand)])) [[likely]] {
    return;
  }
  if (kOperand == Operand::kPeer && is_inside(footprint, known[known_index(core, footprint.begin)])) {
    return;
  }
  find_known(core, kOperand, opcode, footprint.begin, footprint.bytes);
}

/// The same for a transfer of the elements that a tile's valid region and a tensor have in common, where one has more.
void require_known_part(const Core& core, Opcode opcode, const TileRegion& tile, const GlobalRegion& tensor);

}  // namespace tileput::machine
