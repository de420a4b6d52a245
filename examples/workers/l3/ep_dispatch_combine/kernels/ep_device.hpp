// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the three kernels have in common. Included after pto/pto-inst.hpp.

#include <pto/pto-inst.hpp>

#include "ep_window.hpp"
#include "platform_comm/comm_context.h"
#include "tensor.h"

namespace ep {

using RowShape = pto::Shape<1, 1, 1, 1, pto::DYNAMIC>;
using RowStride = pto::Stride<1, 1, 1, 1, 1>;
template <class T>
using Row = pto::GlobalTensor<T, RowShape, RowStride>;
template <class T, int kElements>
using RowTile = pto::Tile<pto::TileType::Vec, T, 1, kElements, pto::BLayout::RowMajor, 1, pto::DYNAMIC>;

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  const uint64_t offset = reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId];
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] + offset);
}

AICORE inline __gm__ ChipTensor* tensor_of(__gm__ int64_t arg) { return reinterpret_cast<__gm__ ChipTensor*>(arg); }

template <typename T>
AICORE inline __gm__ T* data_of(__gm__ int64_t arg) {
  __gm__ ChipTensor* tensor = tensor_of(arg);
  return reinterpret_cast<__gm__ T*>(tensor->buffer.addr) + tensor->start_offset;
}

AICORE inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/// Writes this core's cached lines of [data, data + bytes) back and forgets them: what scalar stores wrote is in memory
/// after the next dsb, and scalar loads see what has been published since.
template <typename T>
AICORE inline void clean_lines(__gm__ T* data, uint64_t bytes) {
  __gm__ uint8_t* first = reinterpret_cast<__gm__ uint8_t*>(data);
  for (uint64_t done = 0; done < bytes; done += kLineBytes) {
    dcci(first + done, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
  }
}

/// Everything issued before is drained and visible to whoever leaves the same barrier. `cells` has one line for each
/// rank, this one included, so that what it notified itself is there too. `epoch` counts the uses of these cells.
AICORE inline void MeshBarrier(__gm__ CommContext* ctx, __gm__ uint8_t* cells, int n, uint32_t epoch) {
  const int me = static_cast<int>(ctx->rankId);
  const auto cell_of = [&](int source) { return reinterpret_cast<__gm__ int32_t*>(cells + source * kLineBytes); };
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  for (int i = 1; i <= n; ++i) {
    pto::comm::Signal arrived(CommRemotePtr(ctx, cell_of(me), (me + i) % n));
    pto::comm::TNOTIFY(arrived, 1, pto::comm::NotifyOp::AtomicAdd);
  }
  for (int i = 1; i <= n; ++i) {
    pto::comm::Signal arrived(cell_of((me + i) % n));
    pto::comm::TWAIT(arrived, static_cast<int32_t>(epoch - 1), pto::comm::WaitCmp::NE);
  }
}

}  // namespace ep
