// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The core object: everything an instruction needs to know about where it runs. One per simulated core, reached
/// through one thread-local pointer; there is no other global state, so many ranks can live in one process.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tileput/error.hpp"
#include "tileput/machine/instruction.hpp"
#include "tileput/rank/doorbell.hpp"
#include "tileput/rank/notify_log.hpp"

#define TILEPUT_ALWAYS_INLINE inline __attribute__((always_inline))

#if defined(__SANITIZE_THREAD__)
#define TILEPUT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TILEPUT_TSAN 1
#endif
#endif

namespace tileput::rank {
class Waiting;
}

namespace tileput::machine {

/// One on-chip memory of a core.
struct OnChip {
  std::byte* base = nullptr;
  std::uint64_t capacity_bytes = 0;
};

/// Capacities per core in bytes, by Space (spec section 6).
inline constexpr std::uint64_t kOnChipBytes[kOnChipSpaces] = {192U << 10U, 512U << 10U, 64U << 10U, 64U << 10U,
                                                              128U << 10U};

/// The condition of a wait as reports show it. `site` is the kernel's program counter.
struct WaitTarget {
  std::int32_t expected = 0;
  std::uint8_t compare = 0;  ///< WaitCmp
  const void* site = nullptr;
};

using rank::Doorbell;

/// A range of memory that instructions may address.
struct KnownRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};
class KnownMemory;

struct Core {
  Observer* observer = nullptr;
  OnChip on_chip[kOnChipSpaces] = {};

  /// Window memory of the job as mapped here: rank r's heap starts at heap_base + (r << heap_shift).
  std::uintptr_t heap_base = 0;
  std::uint32_t heap_shift = 63;
  std::uint32_t heap_count = 0;
  Doorbell* doorbells = nullptr;          ///< heap_count of them, or null: nobody to ring
  rank::NotifyLog* notify_log = nullptr;  ///< of this core alone; null: none is kept

  const KnownMemory* memory = nullptr;  ///< what instructions may address; null: not checked
  /// With `memory`: the ranges that were found last, kKnownExtra + heap_count of them; see known_index().
  KnownRange* known = nullptr;

  rank::Waiting* waiting = nullptr;  ///< how this core waits; null: one without a rank, which yields

  std::uint64_t async_transfers = 0;  ///< TPUT_ASYNC and TGET_ASYNC so far; the handle of the last of them

  std::int32_t block_index = 0;
  std::int32_t block_count = 1;
  std::int32_t sub_block_index = 0;
  std::int32_t sub_block_count = 1;
};

/// The core of the calling thread (or fiber); null until it has one.
///
/// Initial-exec: one instruction from any kernel object. libtileput is therefore loaded at program start or promoted
/// by the kernel loader; it needs eight bytes of static TLS.
extern "C" {
extern __thread Core* tileput_current_core __attribute__((tls_model("initial-exec"), visibility("default")));
}

/// Gives a thread that runs instructions outside any rank (unit tests, host code) a private core.
Core& attach_default_core();

TILEPUT_ALWAYS_INLINE Core& current_core() {
  Core* const core = tileput_current_core;
  return core != nullptr ? *core : attach_default_core();
}

/// Where `address` lies in the memory of the job; the same in every process of it, meaningless outside the heaps.
TILEPUT_ALWAYS_INLINE std::uint64_t place_of(const Core& core, const void* address) noexcept {
  return reinterpret_cast<std::uintptr_t>(address) - core.heap_base;
}

/// Places in Core::known: the range found last for each machine::Operand, then for each heap of a rank, then for memory
/// outside those heaps.
inline constexpr std::uint64_t kKnownExtra = 3;
TILEPUT_ALWAYS_INLINE std::uint64_t known_index(const Core& core, std::uintptr_t address) noexcept {
  const std::uint64_t heap = (address - core.heap_base) >> core.heap_shift;
  return 2 + (heap < core.heap_count ? heap : core.heap_count);
}

/// Rings the rank whose heap holds `address`, if it sleeps. Call after the change, which must be seq_cst.
TILEPUT_ALWAYS_INLINE void ring_owner(const Core& core, const void* address) noexcept {
  const std::uint64_t index = place_of(core, address) >> core.heap_shift;
  if (index < core.heap_count && core.doorbells != nullptr) {
    Doorbell& doorbell = core.doorbells[index];
    if (doorbell.sleepers.load(std::memory_order_seq_cst) != 0) {  // pairs with the increment in Waiting
      rank::ring(doorbell);
    }
  }
}

/// The first word that does not satisfy a wait yet, null once all do. Reads with sequentially consistent loads.
using Unsatisfied = const std::int32_t* (*)(const void* context);

/// Blocks until `unsatisfied(context)` is null: spins and yields, then sleeps on this rank's doorbell.
/// Throws Error kAborted when the run is ended or another block of the task fails while waiting. Never returns
/// unsatisfied.
void wait_slow(Core& core, const WaitTarget& target, Unsatisfied unsatisfied, const void* context);

/// Throws Error kAborted if the current run is ended or another block of the task has failed. For a core with a rank.
void throw_if_ended(const Core& core);

/// Ends the task: throws Error. Out of line so that the cost of a check is its comparison.
[[noreturn]] void fail_on_chip(Space space, std::uint64_t offset, std::uint64_t bytes, std::uint64_t capacity);
[[noreturn]] void fail_unbound_tile(Opcode opcode);
[[noreturn]] void fail_shape(Opcode opcode, const GlobalRegion& target, const GlobalRegion& source);
[[noreturn]] void fail_tile_shape(Opcode opcode, const TileRegion& tile, const GlobalRegion& tensor);
/// `what` and `hint` are whole phrases, for example "adds no such element type".
[[noreturn]] void fail_argument(Opcode opcode, const char* what, const char* hint);
/// Two staging tiles of which `bytes_of_each` begin at `ping` and `pong`.
[[noreturn]] void fail_overlap(Opcode opcode, const void* ping, const void* pong, std::uint64_t bytes_of_each);
/// A collective whose group cannot be; `missing` is the member without data, or -1.
[[noreturn]] void fail_group(Opcode opcode, int members, int root, int missing);
/// Tiles whose valid extents do not fit each other or their storage.
[[noreturn]] void fail_tiles(Opcode opcode, const TileRegion* tiles, std::size_t count);

/// Where TASSIGN binds a tile of `bytes`: offset `address` of the space, or `address` itself if it already points
/// into that space.
TILEPUT_ALWAYS_INLINE std::byte* bind_on_chip(Space space, std::uint64_t address, std::uint64_t bytes) {
  const OnChip& memory = current_core().on_chip[static_cast<int>(space)];
  const auto base = reinterpret_cast<std::uint64_t>(memory.base);
  const std::uint64_t offset = address >= base && address - base < memory.capacity_bytes ? address - base : address;
  if (offset > memory.capacity_bytes || bytes > memory.capacity_bytes - offset) [[unlikely]] {
    fail_on_chip(space, offset, bytes, memory.capacity_bytes);
  }
  return memory.base + offset;
}

/// The program counter of the caller's inlined place in the kernel; resolved to file and line only for reports.
TILEPUT_ALWAYS_INLINE const void* site() noexcept {
  const void* here = nullptr;
#if defined(__x86_64__)
  __asm__ volatile("leaq 0(%%rip), %0" : "=r"(here));
#elif defined(__aarch64__)
  __asm__ volatile("adr %0, ." : "=r"(here));
#else
  here = __builtin_return_address(0);
#endif
  return here;
}

/// A full fence. ThreadSanitizer does not model stand-alone fences (g++ refuses them), so there it is only the
/// machine's own; nothing in tileput relies on it for happens-before, TNOTIFY and TWAIT carry the order themselves.
TILEPUT_ALWAYS_INLINE void full_fence() noexcept {
#if defined(TILEPUT_TSAN) && defined(__x86_64__)
  __asm__ volatile("mfence" ::: "memory");
#elif defined(TILEPUT_TSAN) && defined(__aarch64__)
  __asm__ volatile("dmb ish" ::: "memory");
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace tileput::machine
