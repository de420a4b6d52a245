// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A window with one slot for each rank, in one place for kernels, orchestrations and hosts.
///
///     [ slot set 0: n x words ][ slot set 1: n x words ][ signals: n cells ][ epoch: 1 line ]
///
/// Slot s of a set is written by rank s. The sets alternate by epoch. A cell is one 64-byte line; its first int32
/// counts what one peer has signalled. One writer per line, so that no write-back of one can undo another's. The epoch
/// line is this rank's alone.

#include <cstddef>
#include <cstdint>

namespace slot_window {

inline constexpr std::uint64_t kWordBytes = 4;
inline constexpr std::uint64_t kLineBytes = 64;
inline constexpr std::uint64_t kSlotSets = 2;

/// Words of one on-chip tile, by which transfers are cut: 64 KiB.
inline constexpr int kTileWords = 16384;

/// Byte offsets inside the window, and its size.
struct Window {
  std::uint64_t signals;
  std::uint64_t epoch;
  std::uint64_t bytes;
};

constexpr Window window_of(std::uint64_t ranks, std::uint64_t words) {
  const std::uint64_t data = kSlotSets * ranks * words * kWordBytes;
  const std::uint64_t signals = (data + kLineBytes - 1) / kLineBytes * kLineBytes;
  const std::uint64_t epoch = signals + ranks * kLineBytes;
  return {signals, epoch, epoch + kLineBytes};
}

}  // namespace slot_window
