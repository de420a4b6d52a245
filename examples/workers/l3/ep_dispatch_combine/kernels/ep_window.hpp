// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The window of dispatch and combine, in one place for kernels, orchestration and host. n ranks have L experts each;
/// an expert has room for R rows of D elements.
///
///     [ pub_counts: n x n x L ][ count_done: n cells ][ data_done: n cells ][ combine_done: n cells ]
///     [ previous: n x n x L ][ counts: n x n x L ][ cursor: n x L ][ state: 1 line ]        this rank's alone
///     [ recv_x: L x R x D ][ recv_w: L x R x 8 ][ recv_idx: L x R x 8 ][ routed_y_buf: T x TOPK x D ]
///
/// Every part begins at a multiple of 64 bytes. pub_counts[s][d][e] is how many rows rank s has ever sent to expert e
/// of rank d; only TNOTIFY of rank s adds to it. A cell is one 64-byte line; its first int32 counts what one peer has
/// signalled. What is written by scalar stores shares no line with anything that another rank writes. Only the last
/// part depends on how many tokens there are, so that a kernel finds the state without knowing that.

#include <cstdint>

namespace ep {

inline constexpr std::uint64_t kLineBytes = 64;
inline constexpr std::uint64_t kPadded = 8;  ///< columns of w_padded and idx_padded: one 32-byte block

/// Elements of one on-chip tile, by which rows are cut.
inline constexpr int kRowTileElements = 8192;
/// Elements of the tiles that are computed with: three of them, two in float, stay in a 32 KiB cache.
inline constexpr int kMathTileElements = 2048;
/// Elements of the tile through which whole blocks of rows are copied: 64 KiB of bfloat16.
inline constexpr int kBlockTileElements = 32768;
/// Rows of the tiles that compact weights and indices.
inline constexpr int kCompactRows = 256;

/// This rank's own line: what one call leaves to the next kernel and to the next call.
struct State {
  std::uint32_t dispatch_epoch;
  std::uint32_t combine_epoch;
  std::uint32_t topk;
  std::uint32_t refused;  ///< 1: an expert got more rows than fit, and the latest dispatch moved nothing
};
static_assert(sizeof(State) <= kLineBytes);

/// What the offsets depend on.
struct Sizes {
  std::uint64_t ranks;
  std::uint64_t experts;  ///< of one rank
  std::uint64_t capacity;
  std::uint64_t hidden;
  std::uint64_t routes;  ///< tokens * topk; matters for the size only
};

/// Byte offsets inside the window, and its size.
struct Window {
  std::uint64_t pub_counts;
  std::uint64_t count_done;
  std::uint64_t data_done;
  std::uint64_t combine_done;
  std::uint64_t previous;
  std::uint64_t counts;
  std::uint64_t cursor;
  std::uint64_t state;
  std::uint64_t recv_x;
  std::uint64_t recv_w;
  std::uint64_t recv_idx;
  std::uint64_t routed_y;
  std::uint64_t bytes;
};

constexpr std::uint64_t whole_lines(std::uint64_t bytes) { return (bytes + kLineBytes - 1) / kLineBytes * kLineBytes; }

constexpr Window window_of(const Sizes& sizes) {
  constexpr std::uint64_t kWordBytes = 4;
  constexpr std::uint64_t kHalfBytes = 2;
  const std::uint64_t table = whole_lines(sizes.ranks * sizes.ranks * sizes.experts * kWordBytes);
  const std::uint64_t cells = sizes.ranks * kLineBytes;
  const std::uint64_t rows = sizes.experts * sizes.capacity;
  Window window{};
  window.count_done = window.pub_counts + table;
  window.data_done = window.count_done + cells;
  window.combine_done = window.data_done + cells;
  window.previous = window.combine_done + cells;
  window.counts = window.previous + table;
  window.cursor = window.counts + table;
  window.state = window.cursor + whole_lines(sizes.ranks * sizes.experts * kWordBytes);
  window.recv_x = window.state + kLineBytes;
  window.recv_w = window.recv_x + whole_lines(rows * sizes.hidden * kHalfBytes);
  window.recv_idx = window.recv_w + whole_lines(rows * kPadded * kWordBytes);
  window.routed_y = window.recv_idx + whole_lines(rows * kPadded * kWordBytes);
  window.bytes = window.routed_y + whole_lines(sizes.routes * sizes.hidden * kHalfBytes);
  return window;
}

}  // namespace ep
