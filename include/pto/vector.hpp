// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The element-wise instructions and sums of the vector unit (spec sections 8.3, 8.4 and 8.6), and TSYNC (8.8).

#include <cstdint>
#include <type_traits>

#include "pto/common/vector_operands.hpp"

namespace pto {

namespace tileput_detail {

/// The opcodes of both families are in the order of machine::VectorOp.
constexpr machine::VectorOp op_of(machine::Opcode opcode) noexcept {
  const machine::Opcode first = opcode >= machine::Opcode::kTadds ? machine::Opcode::kTadds : machine::Opcode::kTadd;
  return static_cast<machine::VectorOp>(static_cast<int>(opcode) - static_cast<int>(first));
}
static_assert(op_of(machine::Opcode::kTadd) == machine::VectorOp::kAdd);
static_assert(op_of(machine::Opcode::kTmin) == machine::VectorOp::kMin);
static_assert(op_of(machine::Opcode::kTadds) == machine::VectorOp::kAdd);
static_assert(op_of(machine::Opcode::kTdivs) == machine::VectorOp::kDiv);

inline bool execute_combine(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::combine_tiles(op_of(self.opcode), self.tile[0], self.tile[1], self.tile[2]);
  return true;
}

inline bool execute_combine_scalar(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::combine_tile_scalar(op_of(self.opcode), self.tile[0], self.tile[1],
                               static_cast<std::uint64_t>(self.immediate[0]));
  return true;
}

inline bool execute_fill(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::fill_tile(self.tile[0], static_cast<std::uint64_t>(self.immediate[0]));
  return true;
}

inline bool execute_row_sum(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::sum_rows(self.tile[0], self.tile[1]);
  return true;
}

/// TADD ... TMIN.
template <machine::Opcode kOpcode, class Target, class A, class B>
PTO_INTERNAL void combine(Target& target, A& a, B& b) {
  using T = typename Target::DType;
  static_assert(Target::Loc == TileType::Vec && A::Loc == TileType::Vec && B::Loc == TileType::Vec,
                "TADD/TSUB/TMUL/TMAX/TMIN: all operands are Vec tiles");
  static_assert(std::is_same_v<T, typename A::DType> && std::is_same_v<T, typename B::DType>,
                "TADD/TSUB/TMUL/TMAX/TMIN: all operands have the same element type");
  static_assert(kIsComputed<T>,
                "TADD/TSUB/TMUL/TMAX/TMIN: elements are float, half, bfloat16_t or integers of 8, 16 or 32 bits");
  check_element_wise<kOpcode>(target, a, b);
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    observe_tiles(*core.observer, kOpcode, &execute_combine, machine::site(),
                  {region_of(target), region_of(a), region_of(b)});
    return;
  }
  if constexpr (kAreRuns<Target, A, B>) {
    machine::combine(op_of(kOpcode), element_of<T>(), runs_of(target, a, b));
  } else {
    machine::combine_tiles(op_of(kOpcode), region_of(target), region_of(a), region_of(b));
  }
}

/// TADDS ... TDIVS.
template <machine::Opcode kOpcode, class Target, class Source>
PTO_INTERNAL void combine_scalar(Target& target, Source& source, const typename Source::DType& scalar) {
  using T = typename Target::DType;
  static_assert(Target::Loc == TileType::Vec && Source::Loc == TileType::Vec,
                "TADDS/TSUBS/TMULS/TMAXS/TMINS/TDIVS: both operands are Vec tiles");
  static_assert(std::is_same_v<T, typename Source::DType>,
                "TADDS/TSUBS/TMULS/TMAXS/TMINS/TDIVS: both operands have the same element type");
  static_assert(
      kIsComputed<T>,
      "TADDS/TSUBS/TMULS/TMAXS/TMINS/TDIVS: elements are float, half, bfloat16_t or integers of 8, 16 or 32 bits");
  check_element_wise<kOpcode>(target, source);
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    observe_tiles(*core.observer, kOpcode, &execute_combine_scalar, machine::site(),
                  {region_of(target), region_of(source)}, static_cast<std::int64_t>(bits_of(scalar)));
    return;
  }
  if constexpr (kAreRuns<Target, Source>) {
    machine::combine_scalar(op_of(kOpcode), element_of<T>(), runs_of(target, source), bits_of(scalar));
  } else {
    machine::combine_tile_scalar(op_of(kOpcode), region_of(target), region_of(source), bits_of(scalar));
  }
}

}  // namespace tileput_detail

/// Adds two tiles element by element: dst(r, c) = a(r, c) + b(r, c).
///
/// Shapes:     Vec tiles of one element type: float, half, bfloat16_t or an integer of 8, 16 or 32 bits. The target's
///             valid region governs; it lies inside the sources' valid regions. Any storage order; the same one in all
///             operands is fastest. A source may be the target, or lie at its address with its layout.
/// Effect:     integers wrap; half and bfloat16_t are computed in float and rounded once, to nearest even. Elements of
///             the target outside its valid region are untouched.
/// Completion: the target is written on return.
/// Errors:     kUnboundTile; kShapeMismatch where the target's valid region exceeds an operand's storage, or, without
///             NDEBUG, its valid region.
/// Cost:       two calls, then one pass over the elements by vector instructions; mixed storage orders and boxed tiles
///             are gathered and scattered element by element.
/// Source:     spec section 8.3.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> a, b, sum;
///     pto::TASSIGN(a, 0x0);
///     pto::TASSIGN(b, 0x20);
///     pto::TASSIGN(sum, 0x40);
///     pto::TEXPANDS(a, 2.0F);
///     pto::TEXPANDS(b, 3.0F);
///     pto::TADD(sum, a, b);
///     assert(sum.GetValue(3) == 5.0F);
template <class TileDst, class TileA, class TileB, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileA, TileB>)
PTO_INST RecordEvent TADD(TileDst& dst, TileA& a, TileB& b, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine<::tileput::machine::Opcode::kTadd>(dst, a, b);
  return {};
}

/// Subtracts element by element: dst(r, c) = a(r, c) - b(r, c).
///
/// Shapes:     as TADD.
/// Effect:     rounding and wrapping as TADD.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       as TADD.
/// Source:     spec section 8.3.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> a, b, difference;
///     pto::TASSIGN(a, 0x0);
///     pto::TASSIGN(b, 0x20);
///     pto::TASSIGN(difference, 0x40);
///     pto::TEXPANDS(a, 2.0F);
///     pto::TEXPANDS(b, 3.0F);
///     pto::TSUB(difference, a, b);
///     assert(difference.GetValue(3) == -1.0F);
template <class TileDst, class TileA, class TileB, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileA, TileB>)
PTO_INST RecordEvent TSUB(TileDst& dst, TileA& a, TileB& b, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine<::tileput::machine::Opcode::kTsub>(dst, a, b);
  return {};
}

/// Multiplies element by element: dst(r, c) = a(r, c) * b(r, c).
///
/// Shapes:     as TADD.
/// Effect:     rounding and wrapping as TADD.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       as TADD.
/// Source:     spec section 8.3.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> a, b, product;
///     pto::TASSIGN(a, 0x0);
///     pto::TASSIGN(b, 0x20);
///     pto::TASSIGN(product, 0x40);
///     pto::TEXPANDS(a, 2.0F);
///     pto::TEXPANDS(b, 3.0F);
///     pto::TMUL(product, a, b);
///     assert(product.GetValue(3) == 6.0F);
template <class TileDst, class TileA, class TileB, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileA, TileB>)
PTO_INST RecordEvent TMUL(TileDst& dst, TileA& a, TileB& b, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine<::tileput::machine::Opcode::kTmul>(dst, a, b);
  return {};
}

/// The larger of two elements: dst(r, c) = max(a(r, c), b(r, c)).
///
/// Shapes:     as TADD.
/// Effect:     a NaN in either element gives NaN; +0 and -0 are equal. Otherwise as TADD.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       as TADD.
/// Source:     spec section 8.3.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> a, b, larger;
///     pto::TASSIGN(a, 0x0);
///     pto::TASSIGN(b, 0x20);
///     pto::TASSIGN(larger, 0x40);
///     pto::TEXPANDS(a, 2.0F);
///     pto::TEXPANDS(b, 3.0F);
///     pto::TMAX(larger, a, b);
///     assert(larger.GetValue(3) == 3.0F);
template <class TileDst, class TileA, class TileB, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileA, TileB>)
PTO_INST RecordEvent TMAX(TileDst& dst, TileA& a, TileB& b, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine<::tileput::machine::Opcode::kTmax>(dst, a, b);
  return {};
}

/// The smaller of two elements: dst(r, c) = min(a(r, c), b(r, c)).
///
/// Shapes:     as TADD.
/// Effect:     a NaN in either element gives NaN; +0 and -0 are equal. Otherwise as TADD.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       as TADD.
/// Source:     spec section 8.3.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> a, b, smaller;
///     pto::TASSIGN(a, 0x0);
///     pto::TASSIGN(b, 0x20);
///     pto::TASSIGN(smaller, 0x40);
///     pto::TEXPANDS(a, 2.0F);
///     pto::TEXPANDS(b, 3.0F);
///     pto::TMIN(smaller, a, b);
///     assert(smaller.GetValue(3) == 2.0F);
template <class TileDst, class TileA, class TileB, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileA, TileB>)
PTO_INST RecordEvent TMIN(TileDst& dst, TileA& a, TileB& b, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine<::tileput::machine::Opcode::kTmin>(dst, a, b);
  return {};
}

/// Adds a scalar to every element: dst(r, c) = src(r, c) + s.
///
/// Shapes:     two Vec tiles and a scalar of one element type, otherwise as TADD.
/// Effect:     rounding and wrapping as TADD.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       as TADD.
/// Source:     spec section 8.4.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> tile;
///     pto::TASSIGN(tile, 0x0);
///     pto::TEXPANDS(tile, 8.0F);
///     pto::TADDS(tile, tile, 2.5F);
///     assert(tile.GetValue(3) == 10.5F);
template <class TileDst, class TileSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc>)
PTO_INST RecordEvent TADDS(TileDst& dst, TileSrc& src, typename TileSrc::DType s, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine_scalar<::tileput::machine::Opcode::kTadds>(dst, src, s);
  return {};
}

/// Subtracts a scalar from every element: dst(r, c) = src(r, c) - s.
///
/// Shapes:     as TADDS.
/// Effect:     rounding and wrapping as TADD.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       as TADD.
/// Source:     spec section 8.4.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> tile;
///     pto::TASSIGN(tile, 0x0);
///     pto::TEXPANDS(tile, 8.0F);
///     pto::TSUBS(tile, tile, 2.5F);
///     assert(tile.GetValue(3) == 5.5F);
template <class TileDst, class TileSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc>)
PTO_INST RecordEvent TSUBS(TileDst& dst, TileSrc& src, typename TileSrc::DType s, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine_scalar<::tileput::machine::Opcode::kTsubs>(dst, src, s);
  return {};
}

/// Multiplies every element by a scalar: dst(r, c) = src(r, c) * s.
///
/// Shapes:     as TADDS.
/// Effect:     rounding and wrapping as TADD.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       as TADD.
/// Source:     spec section 8.4.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> tile;
///     pto::TASSIGN(tile, 0x0);
///     pto::TEXPANDS(tile, 8.0F);
///     pto::TMULS(tile, tile, 2.5F);
///     assert(tile.GetValue(3) == 20.0F);
template <class TileDst, class TileSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc>)
PTO_INST RecordEvent TMULS(TileDst& dst, TileSrc& src, typename TileSrc::DType s, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine_scalar<::tileput::machine::Opcode::kTmuls>(dst, src, s);
  return {};
}

/// The larger of every element and a scalar: dst(r, c) = max(src(r, c), s).
///
/// Shapes:     as TADDS.
/// Effect:     a NaN in the element or the scalar gives NaN; +0 and -0 are equal.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       as TADD.
/// Source:     spec section 8.4.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> tile;
///     pto::TASSIGN(tile, 0x0);
///     pto::TEXPANDS(tile, 8.0F);
///     pto::TMAXS(tile, tile, 2.5F);
///     assert(tile.GetValue(3) == 8.0F);
template <class TileDst, class TileSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc>)
PTO_INST RecordEvent TMAXS(TileDst& dst, TileSrc& src, typename TileSrc::DType s, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine_scalar<::tileput::machine::Opcode::kTmaxs>(dst, src, s);
  return {};
}

/// The smaller of every element and a scalar: dst(r, c) = min(src(r, c), s).
///
/// Shapes:     as TADDS.
/// Effect:     a NaN in the element or the scalar gives NaN; +0 and -0 are equal.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       as TADD.
/// Source:     spec section 8.4.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> tile;
///     pto::TASSIGN(tile, 0x0);
///     pto::TEXPANDS(tile, 8.0F);
///     pto::TMINS(tile, tile, 2.5F);
///     assert(tile.GetValue(3) == 2.5F);
template <class TileDst, class TileSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc>)
PTO_INST RecordEvent TMINS(TileDst& dst, TileSrc& src, typename TileSrc::DType s, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine_scalar<::tileput::machine::Opcode::kTmins>(dst, src, s);
  return {};
}

/// Divides every element by a scalar: dst(r, c) = src(r, c) / s.
///
/// Shapes:     as TADDS.
/// Effect:     floating-point types round as TADD, and a division by 0 is infinite or NaN. Integers truncate; a
///             division by 0 gives 0, and the smallest integer divided by -1 wraps to itself.
/// Completion: the target is written on return.
/// Errors:     as TADD.
/// Cost:       as TADD; integers are divided one by one.
/// Source:     spec section 8.4.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 1, 8> tile;
///     pto::TASSIGN(tile, 0x0);
///     pto::TEXPANDS(tile, 8.0F);
///     pto::TDIVS(tile, tile, 2.5F);
///     assert(tile.GetValue(3) == 3.2F);
template <class TileDst, class TileSrc, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc>)
PTO_INST RecordEvent TDIVS(TileDst& dst, TileSrc& src, typename TileSrc::DType s, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::combine_scalar<::tileput::machine::Opcode::kTdivs>(dst, src, s);
  return {};
}

/// Fills a tile's valid region: dst(r, c) = s.
///
/// Shapes:     a Vec tile of any storage order; element types as TADD. Elements outside the valid region are untouched.
/// Completion: the tile is written on return.
/// Errors:     kUnboundTile; kShapeMismatch where the valid region exceeds the tile's storage.
/// Cost:       two calls, then one pass of stores.
/// Source:     spec section 8.4.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, int32_t, 2, 8> tile;
///     pto::TASSIGN(tile, 0x0);
///     pto::TEXPANDS(tile, 7);
///     assert(tile.GetValue(0) == 7 && tile.GetValue(15) == 7);
template <class TileData, tileput_detail::Event... WaitEvents>
  requires(is_tile_data_v<TileData>)
PTO_INST RecordEvent TEXPANDS(TileData& dst, typename TileData::DType s, WaitEvents&... events) {
  namespace machine = ::tileput::machine;
  using T = typename TileData::DType;
  constexpr machine::Opcode kOpcode = machine::Opcode::kTexpands;
  static_assert(TileData::Loc == TileType::Vec, "TEXPANDS: the target is a Vec tile");
  static_assert(tileput_detail::kIsComputed<T>,
                "TEXPANDS: elements are float, half, bfloat16_t or integers of 8, 16 or 32 bits");
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::check_element_wise<kOpcode>(dst);
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    tileput_detail::observe_tiles(*core.observer, kOpcode, &tileput_detail::execute_fill, machine::site(),
                                  {tileput_detail::region_of(dst)},
                                  static_cast<std::int64_t>(tileput_detail::bits_of(s)));
    return {};
  }
  if constexpr (tileput_detail::kAreRuns<TileData>) {
    machine::fill(sizeof(T), tileput_detail::runs_of(dst), tileput_detail::bits_of(s));
  } else {
    machine::fill_tile(tileput_detail::region_of(dst), tileput_detail::bits_of(s));
  }
  return {};
}

/// Sums the rows of a tile: dst(r, 0) = the sum of src(r, c) over src's valid columns, for each of its valid rows.
///
/// Shapes:     Vec tiles of one element type: float, half, bfloat16_t, int32_t or int16_t. `src` is row-major; `dst` is
///             row- or column-major and has at least as many rows; `tmp` is scratch of src's shape. None is boxed.
/// Effect:     half and bfloat16_t are summed in float and rounded once; integers wrap; without valid columns the sums
///             are 0. Floats are added in an order of the library's choice, the same on every machine. `tmp` is not
///             touched here; on the accelerator its contents are lost.
/// Completion: the sums are written on return.
/// Errors:     kUnboundTile, of `tmp` too; kShapeMismatch where src's valid region exceeds its storage or its valid
///             rows dst's, or, without NDEBUG, dst's valid rows.
/// Cost:       two calls, then one pass over src by vector instructions.
/// Source:     spec section 8.6.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, float, 8, 8> rows, scratch;
///     pto::Tile<pto::TileType::Vec, float, 8, 1, pto::BLayout::ColMajor> sums;
///     pto::TASSIGN(rows, 0x0);
///     pto::TASSIGN(scratch, 0x100);
///     pto::TASSIGN(sums, 0x200);
///     pto::TEXPANDS(rows, 0.5F);
///     pto::TROWSUM(sums, rows, scratch);
///     assert(sums.GetValue(7) == 4.0F);
template <class TileDst, class TileSrc, class TileTmp, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::VectorTiles<TileDst, TileSrc, TileTmp>)
PTO_INST RecordEvent TROWSUM(TileDst& dst, TileSrc& src, TileTmp& tmp, WaitEvents&... events) {
  namespace machine = ::tileput::machine;
  using T = typename TileSrc::DType;
  constexpr machine::Opcode kOpcode = machine::Opcode::kTrowsum;
  static_assert(TileDst::Loc == TileType::Vec && TileSrc::Loc == TileType::Vec && TileTmp::Loc == TileType::Vec,
                "TROWSUM: all operands are Vec tiles");
  static_assert(std::is_same_v<T, typename TileDst::DType> && std::is_same_v<T, typename TileTmp::DType>,
                "TROWSUM: all operands have the same element type");
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, half> || std::is_same_v<T, bfloat16_t> ||
                    std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int16_t>,
                "TROWSUM: elements are float, half, bfloat16_t, int32_t or int16_t");
  static_assert(TileSrc::isRowMajor && !TileSrc::isBoxedLayout, "TROWSUM: the source is row-major and not boxed");
  static_assert(!TileDst::isBoxedLayout, "TROWSUM: the target is not boxed");
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::require_bound<kOpcode>(dst, src, tmp);
  tileput_detail::require_inside<kOpcode>(dst, src, src.GetValidRow(), src.GetValidCol());
  tileput_detail::require_inside<kOpcode>(dst, dst, src.GetValidRow(), 1);
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    tileput_detail::observe_tiles(
        *core.observer, kOpcode, &tileput_detail::execute_row_sum, machine::site(),
        {tileput_detail::region_of(dst), tileput_detail::region_of(src), tileput_detail::region_of(tmp)});
    return {};
  }
  machine::sum_rows(tileput_detail::region_of(dst), tileput_detail::region_of(src));
  return {};
}

/// Waits for events.
///
/// Effect:     calls Wait() of each. Instructions are complete for their own core when they return, so that there is
///             nothing else to wait for.
/// Completion: on return.
/// Errors:     none of its own.
/// Source:     spec section 8.8.
///
/// Example:
///     struct Transfer {
///       bool done = false;
///       void Wait() { done = true; }
///     } transfer;
///     pto::TSYNC(transfer);
///     assert(transfer.done);
template <tileput_detail::Event... WaitEvents>
PTO_INST RecordEvent TSYNC(WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  return {};
}

}  // namespace pto

#include "pto/common/address_space.hpp"
