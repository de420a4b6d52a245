// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the kernels of the conformance tests share.

#include <pto/pto-inst.hpp>

#include <ctime>

#include "platform_comm/comm_context.h"
#include "tensor.h"

namespace test_kernel {

template <class T>
AICORE inline __gm__ T* remote(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  const uint64_t offset = reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId];
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] + offset);
}

inline void sleep_ms(int64_t ms) {
  const timespec time{ms / 1000, ms % 1000 * 1'000'000};
  nanosleep(&time, nullptr);
}

template <class T>
AICORE inline __gm__ T* data_of(int64_t arg) {
  __gm__ ChipTensor* tensor = reinterpret_cast<__gm__ ChipTensor*>(arg);
  return reinterpret_cast<__gm__ T*>(tensor->buffer.addr) + tensor->start_offset;
}

AICORE inline __gm__ CommContext* context_of(int64_t arg) { return reinterpret_cast<__gm__ CommContext*>(arg); }

/// Everybody's effects of before are visible to everybody after. `words` holds one word per rank, zero at first;
/// `epoch` counts the barriers on them, from 1.
AICORE inline void barrier(__gm__ CommContext* ctx, __gm__ int32_t* words, int32_t epoch) {
  const int n = static_cast<int>(ctx->rankNum);
  const int me = static_cast<int>(ctx->rankId);
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  for (int peer = 0; peer < n; ++peer) {
    pto::comm::Signal signal(remote(ctx, words + me, peer));
    pto::comm::TNOTIFY(signal, 1, pto::comm::NotifyOp::AtomicAdd);
  }
  for (int peer = 0; peer < n; ++peer) {
    pto::comm::Signal signal(words + peer);
    pto::comm::TWAIT(signal, epoch, pto::comm::WaitCmp::GE);
  }
  dcci(words, cache_line_t::ENTIRE_DATA_CACHE, dcci_dst_t::CACHELINE_OUT);
}

}  // namespace test_kernel
