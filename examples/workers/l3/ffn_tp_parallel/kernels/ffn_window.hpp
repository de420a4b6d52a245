// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The window of the tensor-parallel sum, in one place for kernel, orchestration and host. n is the rank count; a
/// partial result has `elements` floats.
///
///     [ mailbox set 0: n x elements ][ mailbox set 1: n x elements ][ signals: n cells ][ epoch: 1 line ]
///
/// A cell is one 64-byte line; its first int32 counts what one peer has signalled. One writer per line, so that no
/// write-back of one can undo another's. The epoch line is this rank's alone.

#include <cstddef>
#include <cstdint>

namespace ffn {

inline constexpr std::uint64_t kLineBytes = 64;
inline constexpr std::uint64_t kMailboxSets = 2;  ///< alternate by epoch

/// Floats of one vector tile, by which transfers are cut: 64 KiB.
inline constexpr int kTileElements = 16384;

/// Rows and columns of the cube core's tiles: 16 KiB of floats each.
inline constexpr int kBlock = 64;

/// Byte offsets inside the window, and its size.
struct Window {
  std::uint64_t signals;
  std::uint64_t epoch;
  std::uint64_t bytes;
};

constexpr Window window_of(std::uint64_t ranks, std::uint64_t elements) {
  const std::uint64_t data = kMailboxSets * ranks * elements * sizeof(float);
  const std::uint64_t signals = (data + kLineBytes - 1) / kLineBytes * kLineBytes;
  const std::uint64_t epoch = signals + ranks * kLineBytes;
  return {signals, epoch, epoch + kLineBytes};
}

}  // namespace ffn
