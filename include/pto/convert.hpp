// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// TCVT: conversion between element types (spec section 8.5).

#include <cstdint>

#include "pto/common/vector_operands.hpp"

namespace pto {

namespace tileput_detail {

inline bool execute_convert(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::convert_tile(self.tile[0], self.tile[1], static_cast<machine::Rounding>(self.immediate[0]),
                        self.immediate[1] == static_cast<std::int64_t>(SaturationMode::ON));
  return true;
}

/// All forms of TCVT; `temporary` is none or one tile.
template <class Target, class Source, class... Temporary>
PTO_INTERNAL void convert(RoundMode mode, SaturationMode saturation, Target& target, Source& source,
                          Temporary&... temporary) {
  constexpr machine::Opcode kOpcode = machine::Opcode::kTcvt;
  using To = typename Target::DType;
  using From = typename Source::DType;
  static_assert(
      Target::Loc == TileType::Vec && Source::Loc == TileType::Vec && ((Temporary::Loc == TileType::Vec) && ...),
      "TCVT: all operands are Vec tiles");
  static_assert(kIsComputed<To> && kIsComputed<From>,
                "TCVT: elements are float, half, bfloat16_t or integers of 8, 16 or 32 bits");
  require_bound<kOpcode>(temporary...);
  check_element_wise<kOpcode>(target, source);
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    observe_tiles(*core.observer, kOpcode, &execute_convert, machine::site(),
                  {region_of(target), region_of(source), region_of(temporary)...}, static_cast<std::int64_t>(mode),
                  static_cast<std::int64_t>(saturation));
    return;
  }
  const auto rounding = static_cast<machine::Rounding>(mode);
  const bool saturate = saturation == SaturationMode::ON;
  if constexpr (kAreRuns<Target, Source>) {
    machine::convert(element_of<To>(), element_of<From>(), rounding, saturate, runs_of(target, source));
  } else {
    machine::convert_tile(region_of(target), region_of(source), rounding, saturate);
  }
}

}  // namespace tileput_detail

/// Converts elements by value: dst(r, c) = src(r, c) as dst's element type.
///
/// Shapes:     Vec tiles of any two of float, half, bfloat16_t and the integers of 8, 16 and 32 bits. The target's
///             valid region governs; it lies inside the source's. Any storage order; the same in both is fastest. Tiles
///             whose elements have the same size may be one tile, others do not overlap.
/// Effect:     a value that the target's type has is kept; others are rounded by `mode`, where CAST_NONE is CAST_RINT
///             and CAST_ODD takes of the two neighbours the one whose last bit is 1. Without saturation, integers have
///             the low-order bits of the exact result (0 for NaN and infinities), and floating-point results beyond the
///             largest finite value are infinite, except where the mode rounds them towards 0. With SaturationMode::ON
///             everything beyond the target's range becomes its nearest finite value, infinities too unless the target
///             is float or of the source's type; NaN stays NaN and becomes 0 as an integer. The target's elements
///             outside its valid region are untouched.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       two calls, then one pass between float and the 16-bit floating-point types and three passes over blocks
///             in the cache otherwise, by vector instructions; mixed storage orders and boxed tiles as TADD.
/// Source:     spec section 8.5. kNeedSetCtrl is for the accelerator's mode register and without effect here.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 16> wide;
///     pto::Tile<pto::TileType::Vec, int8_t, 1, 32, pto::BLayout::RowMajor, 1, 16> narrow;
///     pto::TASSIGN(wide, 0x0);
///     pto::TASSIGN(narrow, 0x40);
///     pto::TEXPANDS(wide, 299.5F);
///     pto::TCVT(narrow, wide, pto::RoundMode::CAST_ROUND);
///     assert(narrow.GetValue(5) == 300 - 256);
///     pto::TCVT(narrow, wide, pto::RoundMode::CAST_ROUND, pto::SaturationMode::ON);
///     assert(narrow.GetValue(5) == 127);
template <bool kNeedSetCtrl = true, class TileDst, class TileSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc>)
PTO_INST RecordEvent TCVT(TileDst& dst, TileSrc& src, RoundMode mode, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::convert(mode, SaturationMode::OFF, dst, src);
  return {};
}

/// The same with the saturation mode given.
template <bool kNeedSetCtrl = true, class TileDst, class TileSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc>)
PTO_INST RecordEvent TCVT(TileDst& dst, TileSrc& src, RoundMode mode, SaturationMode saturation,
                          WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::convert(mode, saturation, dst, src);
  return {};
}

/// The same with a temporary tile, which the accelerator needs for some pairs of types; it is not touched here.
template <bool kNeedSetCtrl = true, class TileDst, class TileSrc, class TileTmp, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc, TileTmp>)
PTO_INST RecordEvent TCVT(TileDst& dst, TileSrc& src, TileTmp& tmp, RoundMode mode, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::convert(mode, SaturationMode::OFF, dst, src, tmp);
  return {};
}

/// The same with a temporary tile and the saturation mode given.
template <bool kNeedSetCtrl = true, class TileDst, class TileSrc, class TileTmp, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc, TileTmp>)
PTO_INST RecordEvent TCVT(TileDst& dst, TileSrc& src, TileTmp& tmp, RoundMode mode, SaturationMode saturation,
                          WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::convert(mode, saturation, dst, src, tmp);
  return {};
}

}  // namespace pto

#include "pto/common/address_space.hpp"
