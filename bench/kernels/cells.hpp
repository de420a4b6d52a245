// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The cells of bare_machine.hpp as a kernel uses them, and how ranks meet without any instruction.

#include <pto/pto-inst.hpp>

#include <sched.h>

#include <cstdint>

#include "bare_machine.hpp"
#include "platform_comm/comm_context.h"
#include "tensor.h"

namespace bare_machine {

inline ChipTensor& tensor_of(std::int64_t arg) { return *reinterpret_cast<ChipTensor*>(arg); }

/// The address of a peer's copy of something in this rank's window.
template <class T>
T* remote(const CommContext& context, T* local, std::uint32_t peer) {
  const std::uint64_t offset = reinterpret_cast<std::uint64_t>(local) - context.windowsIn[context.rankId];
  return reinterpret_cast<T*>(context.windowsIn[peer] + offset);
}

/// This rank's cells, and the peers'. Counts outlive the kernel in this rank's line of the window.
class Cells {
 public:
  Cells(ChipTensor& tensor, const CommContext& context)
      : context_(context),
        base_(reinterpret_cast<std::uint8_t*>(tensor.data_as<std::int32_t>())),
        counts_(reinterpret_cast<std::uint32_t*>(base_ + kGroups * context.rankNum * kLineBytes)) {}

  [[nodiscard]] std::uint32_t ranks() const { return context_.rankNum; }
  [[nodiscard]] std::uint32_t me() const { return context_.rankId; }

  /// In this rank's window, written by `peer`.
  [[nodiscard]] std::int32_t* from(Group group, std::uint32_t peer) const {
    return reinterpret_cast<std::int32_t*>(base_ + (group * context_.rankNum + peer) * kLineBytes);
  }
  /// In the window of `peer`, written by this rank.
  [[nodiscard]] std::int32_t* to(Group group, std::uint32_t peer) const {
    return remote(context_, from(group, context_.rankId), peer);
  }
  /// What this rank counts of a group.
  [[nodiscard]] std::uint32_t& count(Group group) const { return counts_[group]; }

  /// Returns when all ranks have called it as often; plain stores and loads.
  void meet() const {
    const std::uint32_t count = ++this->count(kMeeting);
    for (std::uint32_t peer = 0; peer < ranks(); ++peer) {
      __atomic_store_n(to(kMeeting, peer), static_cast<std::int32_t>(count), __ATOMIC_RELEASE);  // pairs with the load
    }
    for (std::uint32_t peer = 0; peer < ranks(); ++peer) {
      await(from(kMeeting, peer), count);
    }
  }

  /// Looks until the word has reached `count`; pairs with release stores. Between looks the core pauses: a look that
  /// comes too early only takes the line away from who is about to write it.
  static void await(const std::int32_t* word, std::uint32_t count) {
    for (int looks = 0; behind(word, count); pause_core()) {
      if (++looks == kLooksPerYield) {
        sched_yield();
        looks = 0;
      }
    }
  }
  /// The same, and every look that fails lets others run.
  static void await_yielding(const std::int32_t* word, std::uint32_t count) {
    while (behind(word, count)) {
      sched_yield();
    }
  }

 private:
  /// Far longer than any round trip: only a rank whose peer is not running lets others run.
  static constexpr int kLooksPerYield = 1 << 12;

  static void pause_core() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
  }

  static bool behind(const std::int32_t* word, std::uint32_t count) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(__atomic_load_n(word, __ATOMIC_ACQUIRE)) - count) < 0;
  }

  const CommContext& context_;
  std::uint8_t* base_;
  std::uint32_t* counts_;
};

}  // namespace bare_machine
