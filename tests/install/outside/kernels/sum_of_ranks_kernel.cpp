// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Every rank adds its number plus one to a counter of every rank and waits until all have; public style: macros of its
// own before the include, the namespace opened.

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

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] +
                                     (reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId]));
}

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* out = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* scratch = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ CommContext* ctx = reinterpret_cast<__gm__ CommContext*>(args[3]);
  __gm__ int32_t* counter = reinterpret_cast<__gm__ int32_t*>(scratch->buffer.addr);
  const int n = static_cast<int>(args[2]);
  for (int peer = 0; peer < n; ++peer) {
    comm::Signal signal(CommRemotePtr(ctx, counter, peer));
    comm::TNOTIFY(signal, static_cast<int32_t>(ctx->rankId) + 1, comm::NotifyOp::AtomicAdd);
  }
  comm::Signal own(counter);
  comm::TWAIT(own, n * (n + 1) / 2, comm::WaitCmp::EQ);
  *(reinterpret_cast<__gm__ int32_t*>(out->buffer.addr) + out->start_offset) = *counter;
}
