// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The matrix path: TMOV, TMATMUL and TMATMUL_ACC (spec section 8.7).

#include <cstdint>
#include <type_traits>

#include "pto/common/event.hpp"
#include "pto/common/numeric.hpp"
#include "pto/common/pto_tile.hpp"
#include "pto/common/record.hpp"
#include "pto/common/region.hpp"
#include "pto/common/type.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/matrix_unit.hpp"
#include "tileput/machine/transfer.hpp"

namespace pto {

namespace tileput_detail {

inline bool execute_move(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::move_tile(self.tile[0], self.tile[1]);
  return true;
}

inline bool execute_product(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  machine::multiply(self.tile[0], self.tile[1], self.tile[2], self.opcode == machine::Opcode::kTmatmulAcc);
  return true;
}

/// What the product of elements of two types is added up in; void where there is none.
template <class L, class R>
constexpr auto sum_of_products() noexcept {
  if constexpr (!std::is_same_v<L, R>) {
    return;
  } else if constexpr (std::is_same_v<L, float> || std::is_same_v<L, half> || std::is_same_v<L, bfloat16_t>) {
    return float{};
  } else if constexpr (std::is_same_v<L, std::int8_t> || std::is_same_v<L, std::uint8_t>) {
    return std::int32_t{};
  }
}

template <machine::Opcode kOpcode, class Acc, class Left, class Right>
PTO_INTERNAL void multiply_tiles(Acc& acc, Left& left, Right& right) {
  static_assert(Acc::Loc == TileType::Acc && Left::Loc == TileType::Left && Right::Loc == TileType::Right,
                "TMATMUL: the operands are an Acc, a Left and a Right tile, in this order");
  using Sum = decltype(sum_of_products<typename Left::DType, typename Right::DType>());
  static_assert(!std::is_void_v<Sum>,
                "TMATMUL: left and right have the same elements: float, half, bfloat16_t, int8_t or uint8_t");
  static_assert(std::is_void_v<Sum> || std::is_same_v<typename Acc::DType, Sum>,
                "TMATMUL: the accumulator of floating-point tiles has float elements, that of 8-bit integers int32_t");
  if (acc.data() == nullptr || left.data() == nullptr || right.data() == nullptr) [[unlikely]] {
    machine::fail_unbound_tile(kOpcode);
  }
  if (!machine::is_product(region_of(acc), region_of(left), region_of(right))) [[unlikely]] {
    const machine::TileRegion tiles[] = {region_of(acc), region_of(left), region_of(right)};
    machine::fail_tiles(kOpcode, tiles, 3);
  }
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    observe_tiles(*core.observer, kOpcode, &execute_product, machine::site(),
                  {region_of(acc), region_of(left), region_of(right)});
    return;
  }
  machine::multiply(region_of(acc), region_of(left), region_of(right), kOpcode == machine::Opcode::kTmatmulAcc);
}

}  // namespace tileput_detail

/// Copies a tile's valid region to a tile of another location or layout: dst(r, c) = src(r, c).
///
/// Shapes:     in elements, by logical coordinates, whatever the two storage layouts are; the same element type. The
///             valid extents are equal; otherwise only what both have is moved. Storage of `dst` outside its valid
///             region stays as it is. The tiles do not overlap, unless they are the same bytes in the same layout.
/// Completion: `src` may be reused on return.
/// Errors:     kUnboundTile; kShapeMismatch when a valid region exceeds its tile; without NDEBUG also whenever the
///             valid extents differ.
/// Cost:       one copy where the layouts agree (Mat to Left), one transposition of each box else (Mat to Right).
/// Source:     spec section 8.7.
template <class DstTile, class SrcTile, tileput_detail::Event... WaitEvents>
  requires(is_tile_data_v<DstTile>&& is_tile_data_v<SrcTile>)
PTO_INST RecordEvent TMOV(DstTile& dst, SrcTile& src, WaitEvents&... events) {
  namespace machine = ::tileput::machine;
  constexpr machine::Opcode kOpcode = machine::Opcode::kTmov;
  static_assert(std::is_same_v<typename DstTile::DType, typename SrcTile::DType>,
                "TMOV: both tiles must have the same element type");
  (static_cast<void>(events.Wait()), ...);
  if (dst.data() == nullptr || src.data() == nullptr) [[unlikely]] {
    machine::fail_unbound_tile(kOpcode);
  }
  bool fits = dst.GetValidRow() <= DstTile::Rows && dst.GetValidCol() <= DstTile::Cols &&
              src.GetValidRow() <= SrcTile::Rows && src.GetValidCol() <= SrcTile::Cols;
#ifndef NDEBUG
  fits = fits && dst.GetValidRow() == src.GetValidRow() && dst.GetValidCol() == src.GetValidCol();
#endif
  if (!fits) [[unlikely]] {
    const machine::TileRegion tiles[] = {tileput_detail::region_of(dst), tileput_detail::region_of(src)};
    machine::fail_tiles(kOpcode, tiles, 2);
  }
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    tileput_detail::observe_tiles(*core.observer, kOpcode, &tileput_detail::execute_move, machine::site(),
                                  {tileput_detail::region_of(dst), tileput_detail::region_of(src)});
    return {};
  }
  machine::move_tile(tileput_detail::region_of(dst), tileput_detail::region_of(src));
  return {};
}

/// The matrix product: acc(i, j) = sum over k of left(i, k) * right(k, j).
///
/// Shapes:     M x K valid elements of `left`, K x N of `right`; `acc` has storage for M x N, whatever its valid
///             region. Elements of `acc` outside these M x N stay as they are; with K = 0 the M x N become 0.
/// Types:      float, half or bfloat16 into float: products are exact, their sum is rounded in an unspecified order.
///             int8 or uint8 into int32: exact, wrapping.
/// Completion: `acc` is written and the operands may be reused on return.
/// Errors:     kUnboundTile; kShapeMismatch when left's valid columns are not right's valid rows, a valid region
///             exceeds its tile, or `acc` is smaller than M x N.
/// Cost:       Eigen's product of dense matrices with the widest vectors that the CPU has, a copy of each operand
///             before and of the result after it.
/// Source:     spec section 8.7.
///
/// Example:
///     float a[64];
///     float b[64];
///     for (int i = 0; i < 64; ++i) {
///       a[i] = static_cast<float>(i);
///       b[i] = i / 8 == i % 8 ? 2.0F : 0.0F;
///     }
///     using Tensor = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 8, 8>, pto::Stride<64, 64, 64, 8, 1>>;
///     Tensor left_data(a), right_data(b), product_data(a);
///     pto::Tile<pto::TileType::Mat, float, 16, 16, pto::BLayout::ColMajor, 8, 8, pto::SLayout::RowMajor> mat;
///     pto::TileLeft<float, 16, 16, 8, 8> left;
///     pto::TileRight<float, 16, 16, 8, 8> right;
///     pto::TileAcc<float, 16, 16, 8, 8> acc;
///     pto::TASSIGN(mat, 0x0);
///     pto::TASSIGN(left, 0x0);
///     pto::TASSIGN(right, 0x0);
///     pto::TASSIGN(acc, 0x0);
///     pto::TLOAD(mat, left_data);
///     pto::TMOV(left, mat);
///     pto::TLOAD(mat, right_data);
///     pto::TMOV(right, mat);
///     pto::TMATMUL(acc, left, right);
///     pto::TSTORE(product_data, acc);
///     assert(a[63] == 126.0F);
template <class Acc, class Left, class Right, tileput_detail::Event... WaitEvents>
  requires(is_tile_data_v<Acc>&& is_tile_data_v<Left>&& is_tile_data_v<Right>)
PTO_INST RecordEvent TMATMUL(Acc& acc, Left& left, Right& right, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::multiply_tiles<::tileput::machine::Opcode::kTmatmul>(acc, left, right);
  return {};
}

/// Adds the matrix product: acc(i, j) += sum over k of left(i, k) * right(k, j).
///
/// Effect:     as TMATMUL, to what `acc` holds; with K = 0 nothing changes.
/// Source:     spec section 8.7.
template <class Acc, class Left, class Right, tileput_detail::Event... WaitEvents>
  requires(is_tile_data_v<Acc>&& is_tile_data_v<Left>&& is_tile_data_v<Right>)
PTO_INST RecordEvent TMATMUL_ACC(Acc& acc, Left& left, Right& right, WaitEvents&... events) {
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::multiply_tiles<::tileput::machine::Opcode::kTmatmulAcc>(acc, left, right);
  return {};
}

}  // namespace pto

#include "pto/common/address_space.hpp"
