// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The windows of the allreduce modes, in one place for kernels, orchestration and host. n is the rank count; `count`
/// floats are reduced.
///
///     onephase            [ mailbox set 0: n x count ][ set 1: n x count ]
///     twophase            [ parts of my chunk: n x chunk ][ results: n x chunk ]
///     ring                [ chunk set 0: n x chunk ][ set 1: n x chunk ]
///     bidirectional_ring  [ ring 0: n x chunk ][ ring 1: n x chunk ]
///     ibing               [ sum: 2 x chunk ]
///
/// and then in each, from the next multiple of 64 bytes on: [ signals: cells ][ epoch: 1 line ]. A cell is one 64-byte
/// line; its first int32 counts what one peer has signalled: one cell per peer in onephase and twophase, else one per
/// direction. One writer per line, so that no write-back of one can undo another's. The epoch line is this rank's
/// alone.
///
/// Chunk c of p is the elements [c * chunk, (c + 1) * chunk) that there are, with chunk = count / p rounded up: the
/// last ones may be short or empty.

#include <cstddef>
#include <cstdint>

namespace allreduce {

/// The ids of the public modes.
enum class Mode : int { kOnephase = 0, kTwophase = 1, kRing = 2, kBidirectionalRing = 3, kIbing = 4 };

inline constexpr std::uint64_t kLineBytes = 64;
inline constexpr std::uint64_t kSets = 2;  ///< alternate by epoch

/// Where rings' cells lie.
inline constexpr int kFromLeft = 0;
inline constexpr int kFromRight = 1;

/// Chunks that the elements are cut into.
constexpr std::uint64_t chunks_of(Mode mode, std::uint64_t ranks) {
  return mode == Mode::kOnephase ? 1 : mode == Mode::kBidirectionalRing ? 2 * ranks : ranks;
}

/// Element counts, byte offsets inside the window, and its size.
struct Window {
  std::uint64_t chunk;  ///< elements
  std::uint64_t area;   ///< elements of the first of the parts drawn above
  std::uint64_t signals;
  std::uint64_t epoch;
  std::uint64_t bytes;
};

constexpr Window window_of(Mode mode, std::uint64_t ranks, std::uint64_t count) {
  const std::uint64_t chunks = chunks_of(mode, ranks);
  const std::uint64_t chunk = (count + chunks - 1) / chunks;
  const std::uint64_t area = ranks * chunk;
  const std::uint64_t areas = mode == Mode::kIbing ? 1 : kSets;
  const std::uint64_t cells = mode == Mode::kOnephase || mode == Mode::kTwophase ? ranks
                              : mode == Mode::kBidirectionalRing                 ? 2
                                                                                 : 1;
  const std::uint64_t data = areas * area * sizeof(float);
  const std::uint64_t signals = (data + kLineBytes - 1) / kLineBytes * kLineBytes;
  const std::uint64_t epoch = signals + cells * kLineBytes;
  return {chunk, area, signals, epoch, epoch + kLineBytes};
}

/// Elements [begin, begin + size) of chunk `index`.
struct Chunk {
  std::int64_t begin;
  std::int64_t size;
};

constexpr Chunk chunk_of(const Window& window, std::int64_t count, std::int64_t index) {
  const auto chunk = static_cast<std::int64_t>(window.chunk);
  const std::int64_t begin = index * chunk < count ? index * chunk : count;
  return {begin, count - begin < chunk ? count - begin : chunk};
}

}  // namespace allreduce
