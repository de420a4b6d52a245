// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Every rank writes one word into a table of every rank: scalar accesses to windows, uncached on a device build.

#ifndef __gm__
#define __gm__
#endif
#ifndef __aicore__
#define __aicore__ [aicore]
#endif

#include <pto/pto-inst.hpp>

#include "platform_comm/comm_context.h"
#include "tensor.h"

using namespace pto;  // NOLINT(build/namespaces)

static constexpr uint64_t kOffTable = 0;
static constexpr uint64_t kOffDone = 4096;

template <typename T>
static __aicore__ inline __gm__ T* remote_ptr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] + ((uint64_t)local - ctx->windowsIn[ctx->rankId]));
}

static __aicore__ inline void store_i32(__gm__ int32_t* p, int32_t value) {
#if defined(__CCE_AICORE__) || defined(__CCE_KT_TEST__) || defined(__DAV_C220__)
  st_dev(static_cast<uint32_t>(value), reinterpret_cast<__gm__ uint32_t*>(p), 0);
#else
  *reinterpret_cast<volatile __gm__ int32_t*>(p) = value;
#endif
}

static __aicore__ inline int32_t load_i32(__gm__ int32_t* p) {
#if defined(__CCE_AICORE__) || defined(__CCE_KT_TEST__) || defined(__DAV_C220__)
  return static_cast<int32_t>(ld_dev(reinterpret_cast<__gm__ uint32_t*>(p), 0));
#else
  return *reinterpret_cast<volatile __gm__ int32_t*>(p);
#endif
}

static __aicore__ inline void ddr_fence(__gm__ int32_t* p) {
#if defined(__CCE_AICORE__) || defined(__CCE_KT_TEST__) || defined(__DAV_C220__)
  dcci((void*)p, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);  // NOLINT(readability/casting)
  dcci((__gm__ int32_t*)p, ENTIRE_DATA_CACHE, CACHELINE_OUT);
#else
  dcci(p, SINGLE_CACHE_LINE);
#endif
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* out_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ ChipTensor* scratch_tensor = reinterpret_cast<__gm__ ChipTensor*>(args[2]);
  const int n = static_cast<int>(args[3]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[4]);
  __gm__ float* out = reinterpret_cast<__gm__ float*>(out_tensor->buffer.addr) + out_tensor->start_offset;
  __gm__ uint8_t* window = reinterpret_cast<__gm__ uint8_t*>(scratch_tensor->buffer.addr);
  __gm__ int32_t* table = reinterpret_cast<__gm__ int32_t*>(window + kOffTable);
  __gm__ int32_t* done = reinterpret_cast<__gm__ int32_t*>(window + kOffDone);
  const int me = static_cast<int>(ctx->rankId);

  for (int peer = 0; peer < n; ++peer) {
    store_i32(remote_ptr(ctx, table + me, peer), (me + 1) * (peer + 3));
  }
  ddr_fence(table);
  for (int peer = 0; peer < n; ++peer) {
    comm::Signal out_signal(remote_ptr(ctx, done, peer));
    comm::TNOTIFY(out_signal, 1, comm::NotifyOp::AtomicAdd);
  }
  comm::Signal in_signal(done);
  if (!comm::TTEST(in_signal, n, comm::WaitCmp::GE)) {
    comm::TWAIT(in_signal, n, comm::WaitCmp::GE);
  }
  dcci(table, ENTIRE_DATA_CACHE, CACHELINE_OUT);
  for (int src = 0; src < n; ++src) {
    out[src] = static_cast<float>(load_i32(table + src));
  }
}
