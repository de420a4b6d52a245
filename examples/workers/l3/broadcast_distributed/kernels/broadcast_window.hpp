// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The window of the broadcast, in one place for kernel, orchestration and host.
///
///     [ data: words ][ signals: n cells ][ roots: n counts, whole lines ]
///
/// A cell is one 64-byte line that one peer alone writes: its first int32 counts the data that this peer has sent as
/// root, its second how often it has said that it is ready to receive from us. `roots` is this rank's alone: how often
/// each rank has been root.

#include <cstddef>
#include <cstdint>

namespace broadcast_window {

inline constexpr std::uint64_t kWordBytes = 4;
inline constexpr std::uint64_t kLineBytes = 64;

/// Byte offsets inside the window, and its size.
struct Window {
  std::uint64_t signals;
  std::uint64_t roots;
  std::uint64_t bytes;
};

constexpr std::uint64_t whole_lines(std::uint64_t bytes) { return (bytes + kLineBytes - 1) / kLineBytes * kLineBytes; }

constexpr Window window_of(std::uint64_t ranks, std::uint64_t words) {
  const std::uint64_t signals = whole_lines(words * kWordBytes);
  const std::uint64_t roots = signals + ranks * kLineBytes;
  return {signals, roots, roots + whole_lines(ranks * sizeof(std::uint32_t))};
}

}  // namespace broadcast_window
