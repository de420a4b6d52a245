// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// One step of a list whose tasks may complete later than their kernel; see deferred.hpp.
//
// Arguments: tensor (for its dependencies alone), out [int64], counters [int32], data [int32]; what, at, value,
// CommContext. The last words of counters count executions.

#include <pto/pto-inst.hpp>

#include <stdexcept>

#include "../deferred.hpp"
#include "kernel_support.hpp"
#include "pto_async_kernel_api.h"

namespace {

using pto::comm::NotifyOp;
using test_kernel::remote;

void publish() {
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ int64_t* out = test_kernel::data_of<int64_t>(args[1]);
  __gm__ int32_t* counters = test_kernel::data_of<int32_t>(args[2]);
  __gm__ int32_t* data = test_kernel::data_of<int32_t>(args[3]);
  const int64_t at = args[5];
  const int64_t value = args[6];
  __gm__ CommContext* ctx = test_kernel::context_of(args[7]);
  const int next = static_cast<int>((ctx->rankId + 1) % ctx->rankNum);
  __gm__ int32_t* executed = counters + kCountersMax;  // by kDeferNext, kPushNext, kCheckNext
  AsyncCtx context = get_async_ctx(args);

  switch (static_cast<Deferred>(args[4])) {
    case Deferred::kHostRead:
    case Deferred::kHostWrite:
    case Deferred::kReturn: break;
    case Deferred::kDefer: {
      AsyncCtx copy = context;
      save_expected_notification_counter(copy, counters + at + get_block_idx(args), static_cast<uint32_t>(value));
      break;
    }
    case Deferred::kDeferMany:
      for (int64_t i = 0; i < value; ++i) {
        register_completion_condition(context, counters + i, 1);
      }
      break;
    case Deferred::kDeferNext:
      save_expected_notification_counter(context, counters + at, static_cast<uint32_t>(++executed[0]));
      break;
    case Deferred::kRaiseOwn:
      send_notification(counters + at, static_cast<int32_t>(value), NotifyOp::AtomicAdd);
      save_expected_notification_counter(context, counters + at, static_cast<uint32_t>(value));
      break;
    case Deferred::kNotify:
      publish();
      send_notification(remote(ctx, counters + at, next), static_cast<int32_t>(value), NotifyOp::AtomicAdd);
      break;
    case Deferred::kNotifyMany:
      for (int64_t i = value; i-- > 0;) {
        send_notification(remote(ctx, counters + i, next), 1, NotifyOp::AtomicAdd);
      }
      break;
    case Deferred::kAwait: {
      pto::comm::Signal counter(counters + at);
      pto::comm::TWAIT(counter, static_cast<int32_t>(value), pto::comm::WaitCmp::GE);
      break;
    }
    case Deferred::kPush:
    case Deferred::kPushNext: {
      const bool is_next = static_cast<Deferred>(args[4]) == Deferred::kPushNext;
      test_kernel::sleep_ms(is_next ? 0 : 20);
      if (is_next) {  // meets the peer's look: it may be behind
        __atomic_store_n(remote(ctx, data, next), ++executed[1], __ATOMIC_RELAXED);
      } else {
        *remote(ctx, data, next) = static_cast<int32_t>(value);
      }
      publish();
      send_notification(remote(ctx, counters + at, next), 1, NotifyOp::AtomicAdd);
      break;
    }
    case Deferred::kSeeData: out[value] = *data; break;
    case Deferred::kSeeCounter: out[value] = __atomic_load_n(counters + at, __ATOMIC_RELAXED); break;
    case Deferred::kCheckNext:  // the peer may be ahead
      out[value] += __atomic_load_n(data, __ATOMIC_RELAXED) < ++executed[2] ? 1 : 0;
      break;
    case Deferred::kThrow: test_kernel::sleep_ms(value); throw std::runtime_error("on purpose");
    case Deferred::kNoTask: {
      AsyncCtx none;
      save_expected_notification_counter(none, counters, 1);
      break;
    }
    case Deferred::kUnaligned:
      save_expected_notification_counter(context, reinterpret_cast<char*>(counters) + 2, 1);
      break;
    case Deferred::kOutside:
      save_expected_notification_counter(context, reinterpret_cast<char*>(counters) - value, 1);
      break;
    case Deferred::kIsDeferred:
      out[0] = async_ctx_is_deferred(context) ? 1 : 0;
      out[1] = async_ctx_is_deferred(AsyncCtx()) ? 1 : 0;
      break;
  }
}
