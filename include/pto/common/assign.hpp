// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// TASSIGN: where a tile's storage or a tensor's memory is (spec section 6).

#include <cstdint>
#include <type_traits>

#include "pto/common/global_tensor.hpp"
#include "pto/common/region.hpp"
#include "pto/common/tile.hpp"
#include "tileput/machine/core.hpp"

namespace pto {

namespace tileput_detail {

struct Binder {
  template <class T>
  static constexpr void bind(T& object, typename T::DType* data) noexcept {
    object.data_ = data;
  }
};

}  // namespace tileput_detail

/// Binds a tile to on-chip memory, or points a tensor at other memory.
///
/// Shapes:     tile: `addr` is a byte offset in the memory of the tile's location (each starts at 0), or an address
///             that already lies in that memory. Tensor: `addr` is a pointer to its elements.
/// Effect:     tiles bound to overlapping bytes alias; binding again moves the view; contents stay where they are.
/// Completion: bound on return; nothing is moved.
/// Errors:     a tile that does not fit there ends the task with kOnChipOverflow and leaves the tile as it was.
/// Source:     spec section 6.
///
/// Example:
///     pto::Tile<pto::TileType::Vec, int32_t, 1, 8> whole;
///     pto::Tile<pto::TileType::Vec, int32_t, 1, 8> second;
///     pto::TASSIGN(whole, 0x100);
///     pto::TASSIGN(second, 0x120);  // the 32 bytes behind
///     second.SetValue(0, 7);
///     pto::TASSIGN(whole, 0x120);  // now both name the same bytes
///     assert(whole.GetValue(0) == 7);
///
///     int32_t words[16] = {};
///     words[8] = 9;
///     pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>> view(words);
///     pto::TASSIGN(view, words + 8);
///     assert(*view.data() == 9);
template <class T, class Addr>
  requires(is_tile_data_v<T> || is_global_data_v<T>)
PTO_INST void TASSIGN(T& obj, Addr addr) {
  if constexpr (is_global_data_v<T>) {
    static_assert(std::is_convertible_v<Addr, typename T::DType*>,
                  "TASSIGN: a tensor is assigned a pointer to its element type");
    tileput_detail::Binder::bind(obj, addr);
  } else {
    static_assert(std::is_integral_v<Addr> || std::is_enum_v<Addr> || std::is_pointer_v<Addr>,
                  "TASSIGN: a tile is assigned a byte offset in on-chip memory");
    std::uint64_t offset = 0;
    if constexpr (std::is_pointer_v<Addr>) {
      offset = reinterpret_cast<std::uintptr_t>(addr);
    } else {
      offset = static_cast<std::uint64_t>(addr);
    }
    std::byte* const storage = ::tileput::machine::bind_on_chip(tileput_detail::space_of<T::Loc>(), offset,
                                                                tileput_detail::storage_bytes<T>());
    tileput_detail::Binder::bind(obj, reinterpret_cast<typename T::DType*>(storage));
  }
}

/// The same with a compile-time offset.
template <auto kAddress, class T>
  requires(is_tile_data_v<T>)
PTO_INST void TASSIGN(T& tile) { TASSIGN(tile, kAddress); }

}  // namespace pto

#include "pto/common/address_space.hpp"
