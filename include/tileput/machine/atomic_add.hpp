// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The native action of AtomicAdd: every element of the target grows by its element of the source, each in one atomic
/// step that no other adder, in this process or another, can undo (spec sections 8.2 and 10.4). A template by the
/// element type, because what a half is belongs to the instruction headers.

#include <cstdint>
#include <type_traits>

#include "tileput/machine/core.hpp"
#include "tileput/machine/instruction.hpp"
#include "tileput/machine/transfer.hpp"

namespace tileput::machine {

/// `*word += value`; integers wrap. int32 words may be signals that somebody waits for, so their change is sequentially
/// consistent: it pairs with the loads of TWAIT and TTEST, and ring_owner() needs it so. The others are relaxed:
/// elements are unordered among each other, and what publishes them is the TNOTIFY after them, whose order covers every
/// earlier effect of this core.
template <class T>
TILEPUT_ALWAYS_INLINE void atomic_add(T* word, T value) noexcept {
  if constexpr (std::is_integral_v<T>) {
    __atomic_fetch_add(word, value, std::is_same_v<T, std::int32_t> ? __ATOMIC_SEQ_CST : __ATOMIC_RELAXED);
  } else {
    T seen;
    __atomic_load(word, &seen, __ATOMIC_RELAXED);
    for (T sum = static_cast<T>(seen + value);
         !__atomic_compare_exchange(word, &seen, &sum, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
         sum = static_cast<T>(seen + value)) {
    }
  }
}

/// The end of an instruction that added to `target`: wakes the rank that owns it, should it sleep in a TWAIT on one of
/// its words. The target lies in one window, so one ring serves all of them.
template <class T>
TILEPUT_ALWAYS_INLINE void wake_waiters(const Core& core, const GlobalRegion& target) noexcept {
  if constexpr (std::is_same_v<T, std::int32_t>) {
    ring_owner(core, target.address);
  }
}

/// target(i0..i4) += source(i0..i4) for all elements of `source`'s shape, each side by its own strides. Only the target
/// is shared; its elements are aligned to their size. Wakes nobody.
template <class T>
void add_global(const GlobalRegion& target, const GlobalRegion& source) noexcept {
  if (source.elements() <= 0) {
    return;  // such a tensor may have no address to count from
  }
  const std::int64_t* const n = source.shape;
  const std::int64_t* const t = target.stride;
  const std::int64_t* const s = source.stride;
  auto* const to = reinterpret_cast<T*>(target.address);
  const auto* const from = reinterpret_cast<const T*>(source.address);
  const auto add_row = [count = n[4]](T* words, std::int64_t word_step, const T* addends, std::int64_t addend_step) {
    for (std::int64_t i = 0; i < count; ++i) {
      T value;
      std::memcpy(static_cast<void*>(&value), addends + i * addend_step, sizeof(T));
      atomic_add(words + i * word_step, value);
    }
  };
  for (std::int64_t i0 = 0; i0 < n[0]; ++i0) {
    for (std::int64_t i1 = 0; i1 < n[1]; ++i1) {
      for (std::int64_t i2 = 0; i2 < n[2]; ++i2) {
        for (std::int64_t i3 = 0; i3 < n[3]; ++i3) {
          T* const words = to + (i0 * t[0] + i1 * t[1] + i2 * t[2] + i3 * t[3]);
          const T* const addends = from + (i0 * s[0] + i1 * s[1] + i2 * s[2] + i3 * s[3]);
          if (t[4] == 1 && s[4] == 1) {
            add_row(words, 1, addends, 1);
          } else {
            add_row(words, t[4], addends, s[4]);
          }
        }
      }
    }
  }
}

/// Some chunks of a TPUT with AtomicAdd; see copy_chunks().
template <class T>
void add_chunks(const GlobalRegion& target, const GlobalRegion& source, const TileRegion& staging, Pieces pieces) {
  const Chunking chunking = chunking_of(source, staging);
  for (std::int64_t i = pieces.first; i < pieces.first + pieces.count; ++i) {
    add_global<T>(chunk_of(target, chunking, i), chunk_of(source, chunking, i));
  }
}

/// TSTORE with AtomicAdd: `tensor` grows by the valid region of `tile`; the mapping is store_tile()'s.
template <class T>
void add_tile(const Core& core, const GlobalRegion& tensor, const TileRegion& tile) noexcept {
  const GlobalRegion mapped = mapped_to(tile, tensor);
  if (is_plain_transfer(tile, mapped)) {
    add_global<T>(mapped, spread_over(tile, mapped));
  } else {
    for_each_common_element(tile, mapped, [](const std::byte* in_tile, std::byte* in_tensor) {
      T value;
      std::memcpy(static_cast<void*>(&value), in_tile, sizeof(T));
      atomic_add(reinterpret_cast<T*>(in_tensor), value);
    });
  }
  wake_waiters<T>(core, tensor);
}

}  // namespace tileput::machine
