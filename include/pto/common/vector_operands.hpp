// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the instructions of the vector unit share: which elements they compute with, what must hold of their tiles,
/// and tiles as runs of elements. Internal.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "pto/common/event.hpp"
#include "pto/common/pto_tile.hpp"
#include "pto/common/record.hpp"
#include "pto/common/region.hpp"
#include "pto/common/type.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/vector_unit.hpp"

namespace pto::tileput_detail {

/// Operands of the instructions of the vector unit.
template <class... Tiles>
concept VectorTiles = (is_tile_data_v<Tiles> && ...);

/// The element types of the vector unit.
template <class T>
inline constexpr bool kIsComputed =
    std::is_same_v<T, float> || std::is_same_v<T, half> || std::is_same_v<T, bfloat16_t> ||
    std::is_same_v<T, std::int8_t> || std::is_same_v<T, std::uint8_t> || std::is_same_v<T, std::int16_t> ||
    std::is_same_v<T, std::uint16_t> || std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::uint32_t>;

/// The bits of an element, low-order bytes first.
template <class T>
PTO_INTERNAL std::uint64_t bits_of(const T& value) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

/// Whether the elements of all these tiles, in the order of their storage, are runs of contiguous elements.
template <class First, class... Others>
inline constexpr bool kAreRuns =
    !First::isBoxedLayout && ((!Others::isBoxedLayout && Others::isRowMajor == First::isRowMajor) && ...);

/// The target's valid region in every operand, target first; kAreRuns holds of them.
template <class Target, class... Sources>
PTO_INTERNAL machine::Runs runs_of(const Target& target, const Sources&... sources) noexcept {
  constexpr bool kByRows = Target::isRowMajor;
  const auto pitch = []<class T>(const T&) {
    return std::int64_t{kByRows ? T::Cols : T::Rows} * static_cast<std::int64_t>(sizeof(typename T::DType));
  };
  return {.count = static_cast<std::int64_t>(kByRows ? target.GetValidRow() : target.GetValidCol()),
          .length = static_cast<std::int64_t>(kByRows ? target.GetValidCol() : target.GetValidRow()),
          .address = {reinterpret_cast<std::byte*>(target.data()), reinterpret_cast<std::byte*>(sources.data())...},
          .pitch_bytes = {pitch(target), pitch(sources)...}};
}

template <machine::Opcode kOpcode, class... Tiles>
PTO_INTERNAL void require_bound(const Tiles&... tiles) {
  if (((tiles.data() == nullptr) || ...)) [[unlikely]] {
    machine::fail_unbound_tile(kOpcode);
  }
}

/// The first rows x cols elements lie in the storage of `operand`, and in builds without NDEBUG in its valid region:
/// public kernels leave extents behind that no longer matter, which is worth knowing but no reason to stop.
template <machine::Opcode kOpcode, class Target, class Operand>
PTO_INTERNAL void require_inside(const Target& target, const Operand& operand, unsigned rows, unsigned cols) {
  bool inside = rows <= unsigned{Operand::Rows} && cols <= unsigned{Operand::Cols};
#ifndef NDEBUG
  inside = inside && rows <= operand.GetValidRow() && cols <= operand.GetValidCol();
#endif
  if (!inside) [[unlikely]] {
    const machine::TileRegion tiles[] = {region_of(target), region_of(operand)};
    machine::fail_tiles(kOpcode, tiles, 2);
  }
}

/// What holds for the element-wise instructions: bound tiles, and the target's valid region inside all of them.
template <machine::Opcode kOpcode, class Target, class... Sources>
PTO_INTERNAL void check_element_wise(const Target& target, const Sources&... sources) {
  require_bound<kOpcode>(target, sources...);
  require_inside<kOpcode>(target, target, target.GetValidRow(), target.GetValidCol());
  (require_inside<kOpcode>(target, sources, target.GetValidRow(), target.GetValidCol()), ...);
}

}  // namespace pto::tileput_detail

#include "pto/common/address_space.hpp"
