// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// TLOAD and TSTORE: between global memory and a tile (spec sections 8.1 and 8.2).

#include <cstdint>
#include <type_traits>

#include "pto/common/event.hpp"
#include "pto/common/pto_tile.hpp"
#include "pto/common/record.hpp"
#include "pto/common/region.hpp"
#include "pto/common/type.hpp"
#include "tileput/machine/atomic_add.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/known_memory.hpp"
#include "tileput/machine/transfer.hpp"

namespace pto {

namespace tileput_detail {

inline bool execute_load(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::load_tile(self.tile[0], self.global[0]);
  return true;
}

inline bool execute_store(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::store_tile(self.global[0], self.tile[0]);
  return true;
}

inline bool execute_converting_store(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::store_tile_converted(self.global[0], self.tile[0]);
  return true;
}

template <class T>
bool execute_add(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::add_tile<T>(machine::current_core(), self.global[0], self.tile[0]);
  return true;
}

/// Whether T is one of Types.
template <class T, class... Types>
inline constexpr bool kIsOneOf = (std::is_same_v<T, Types> || ...);

/// What the elements of an Acc tile are converted to by TSTORE (spec section 8.2).
template <class From, class To>
inline constexpr bool kStoresConverted =
    (std::is_same_v<From, float> &&
     kIsOneOf<To, half, bfloat16_t, std::int8_t, std::uint8_t, std::int16_t, std::int32_t>) ||
    (std::is_same_v<From, std::int32_t> && kIsOneOf<To, float, half, std::int8_t, std::uint8_t, std::int16_t>);

/// Operands of TLOAD and TSTORE.
template <class TileData, class GlobalData>
concept TileAndTensor = is_tile_data_v<TileData> && is_global_data_v<GlobalData>;

/// What holds for both directions. The tile is bound, its valid region lies inside its storage, and there is one way to
/// map the tensor to it; builds without NDEBUG also insist that tensor and tile have the same extents.
template <machine::Opcode kOpcode, bool kConverts = false, class TileData, class GlobalData>
PTO_INTERNAL void check_tile_transfer(const TileData& tile, const GlobalData& tensor) {
  static_assert(kConverts || sizeof(typename TileData::DType) == sizeof(typename GlobalData::DType),
                "TLOAD/TSTORE: tile and tensor must have elements of the same size");
  static_assert(
      GlobalData::layout == Layout::ND || GlobalData::layout == Layout::DN || GlobalData::layout == Layout::NZ,
      "TLOAD/TSTORE: only the tensor layouts ND, DN and NZ can be moved");
  if (tile.data() == nullptr) [[unlikely]] {
    machine::fail_unbound_tile(kOpcode);
  }
  bool fits = tile.GetValidRow() <= TileData::Rows && tile.GetValidCol() <= TileData::Cols &&
              machine::is_unambiguous(region_of(tile), region_of(tensor));
  const machine::TileExtent extent = machine::extent_of(machine::mapped_to(region_of(tile), region_of(tensor)));
  const bool whole = extent.rows == tile.GetValidRow() && extent.cols == tile.GetValidCol();
#ifndef NDEBUG
  fits = fits && whole;
#endif
  if (!fits) [[unlikely]] {
    machine::fail_tile_shape(kOpcode, region_of(tile), region_of(tensor));
  }
  if (whole) [[likely]] {
    machine::require_known(machine::current_core(), kOpcode, region_of(tensor));
  } else {
    machine::require_known_part(machine::current_core(), kOpcode, region_of(tile), region_of(tensor));
  }
}

}  // namespace tileput_detail

/// Loads a tile's valid region from global memory: dst(r, c) = the tensor element that (r, c) enumerates.
///
/// Shapes:     in elements. Layout ND: columns are dimension 4, rows enumerate dimensions 0 to 3; DN: rows are
///             dimension 3, columns enumerate 0, 1, 2, 4; NZ: rows enumerate 2, 3 and columns 0, 1, 4. An ND tensor
///             and a column-major tile are mapped as DN where only that gives the tile's valid extents, which is the
///             contract of column-major tiles. The tensor's rows and columns equal the tile's valid ones; otherwise
///             only what both have is moved.
///             Storage outside the valid region becomes PadVal, or stays as it is with PadValue::Null.
/// Ordering:   reads the memory now; what another rank wrote is there after a TWAIT that its TNOTIFY satisfied.
/// Completion: the tile is loaded on return.
/// Errors:     kUnboundTile; kOutOfWindow outside every window and tensor of the task; kShapeMismatch when the valid
///             region exceeds the tile, or an ND tensor with outer dimensions fits a column-major tile neither way;
///             without NDEBUG also whenever the extents differ.
/// Source:     spec section 8.1.
///
/// Example:
///     float matrix[6] = {1, 2, 3, 4, 5, 6};  // two rows of three
///     pto::GlobalTensor<float, pto::Shape<1, 1, 1, 2, 3>, pto::Stride<6, 6, 6, 3, 1>> source(matrix);
///     pto::Tile<pto::TileType::Vec, float, 2, 8, pto::BLayout::RowMajor, 2, 3> tile;
///     pto::TASSIGN(tile, 0x0);
///     pto::TLOAD(tile, source);
///     assert(tile.GetValue(8 + 2) == 6.0F);  // row 1, column 2 of storage with eight columns
template <class TileData, class GlobalData, tileput_detail::Event... WaitEvents>
  requires(tileput_detail::TileAndTensor<TileData, GlobalData>)
PTO_INST RecordEvent TLOAD(TileData& dst, GlobalData& src, WaitEvents&... events) {
  namespace machine = ::tileput::machine;
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::check_tile_transfer<machine::Opcode::kTload>(dst, src);
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    tileput_detail::observe_tile(*core.observer, machine::Opcode::kTload, &tileput_detail::execute_load,
                                 machine::site(), tileput_detail::region_of(src), tileput_detail::region_of(dst));
    return {};
  }
  machine::load_tile(tileput_detail::region_of(dst), tileput_detail::region_of(src));
  return {};
}

/// Stores a tile's valid region to global memory; the mapping is TLOAD's. Destination first.
///
/// Shapes:     as TLOAD. Memory outside the addressed elements is untouched; padding is never written.
/// Types:      elements of the same size, whose bits are stored. From an Acc tile, elements are converted by value
///             where the tensor has another type: float to half, bfloat16, int8, uint8, int16 or int32; int32 to float,
///             half, int8, uint8 or int16. As TCVT with CAST_RINT and SaturationMode::OFF.
/// Ordering:   publishes nothing by itself; a TNOTIFY after it does.
/// Completion: the tile may be reused and the memory is written on return.
/// AtomicAdd:  `TSTORE<Tile, Global, AtomicType::AtomicAdd>(dst, src)` adds instead: each element in one atomic step,
///             also against adders in other processes and TNOTIFY AtomicAdd on the same word. float, half, bfloat16,
///             int32, int16 and int8, the same in tile and tensor; integers wrap. No order between elements. A peer
///             that sleeps in TWAIT on an int32 word of it is woken.
/// Errors:     as TLOAD.
/// Source:     spec sections 8.2 and 10.4. Quantised forms are further overloads.
///
/// Example:
///     using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
///     float from[8] = {1, 2, 3, 4, 5, 6, 7, 8};
///     float to[8] = {100, 100, 100, 100, 100, 100, 100, 100};
///     Row source(from);
///     Row target(to);
///     pto::Tile<pto::TileType::Vec, float, 1, 8> tile;
///     pto::TASSIGN(tile, 0x0);
///     pto::TLOAD(tile, source);
///     pto::TSTORE<decltype(tile), Row, pto::AtomicType::AtomicAdd>(target, tile);
///     assert(to[7] == 108.0F);
///     pto::TSTORE(target, tile);
///     assert(to[7] == 8.0F);
template <class TileData, class GlobalData, AtomicType atomic = AtomicType::AtomicNone,
          tileput_detail::Event... WaitEvents>
  requires(tileput_detail::TileAndTensor<TileData, GlobalData>)
PTO_INST RecordEvent TSTORE(GlobalData& dst, TileData& src, WaitEvents&... events) {
  namespace machine = ::tileput::machine;
  static_assert(!std::is_const_v<typename GlobalData::DType>, "TSTORE: the destination's elements are const");
  using From = typename TileData::DType;
  using To = typename GlobalData::DType;
  constexpr bool kConverts = TileData::Loc == TileType::Acc && !std::is_same_v<From, To>;
  static_assert(
      !kConverts || tileput_detail::kStoresConverted<From, std::remove_const_t<To>>,
      "TSTORE: from an Acc tile, float becomes half, bfloat16_t, int8_t, uint8_t, int16_t or int32_t; int32_t "
      "becomes float, half, int8_t, uint8_t or int16_t");
  constexpr bool kAdds = atomic == AtomicType::AtomicAdd;
  static_assert(!kAdds || std::is_same_v<From, To>, "TSTORE: AtomicAdd needs tile and tensor of the same element type");
  static_assert(!kAdds || tileput_detail::kAddsAtomically<From>,
                "TSTORE: AtomicAdd adds float, half, bfloat16_t, int32_t, int16_t or int8_t");
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::check_tile_transfer<machine::Opcode::kTstore, kConverts>(src, dst);
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    tileput_detail::Execute execute = &tileput_detail::execute_store;
    if constexpr (kAdds) {
      execute = &tileput_detail::execute_add<From>;
    } else if constexpr (kConverts) {
      execute = &tileput_detail::execute_converting_store;
    }
    tileput_detail::observe_tile(*core.observer, machine::Opcode::kTstore, execute, machine::site(),
                                 tileput_detail::region_of(dst), tileput_detail::region_of(src),
                                 static_cast<std::int64_t>(atomic));
    return {};
  }
  if constexpr (kAdds) {
    machine::add_tile<From>(core, tileput_detail::region_of(dst), tileput_detail::region_of(src));
  } else if constexpr (kConverts) {
    machine::store_tile_converted(tileput_detail::region_of(dst), tileput_detail::region_of(src));
  } else {
    machine::store_tile(tileput_detail::region_of(dst), tileput_detail::region_of(src));
  }
  return {};
}

}  // namespace pto

#include "pto/common/address_space.hpp"
