// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Deferred completion (spec section 17.4): a kernel returns, and its task is complete when counters have risen. Global
/// namespace; for kernels.

#include <cstdint>

#include "intrinsic.h"
#include "pto/pto-inst.hpp"

/// Private to tileput: how a kernel reaches the conditions of its task.
extern "C" void tileput_register_condition(void* conditions, const volatile void* counter, uint32_t expected,
                                           const void* site);

/// Where the task of this invocation registers what its completion waits for. Copies stand for the same task; so do the
/// contexts of all its blocks.
PTO_INST AsyncCtx get_async_ctx(int64_t* args) { return tileput_local_context(args).async_ctx; }

/// Whether the context belongs to a task, whose completion can then be deferred.
PTO_INST bool async_ctx_is_deferred(const AsyncCtx& ctx) noexcept { return ctx.conditions != nullptr; }

/// The task is not complete before the unsigned 32-bit number at `counter` is `expected` or more.
///
/// Shapes:     one 32-bit word, 4-byte aligned, in a window or a tensor of the task; up to 64 conditions for a task,
///             those of all its blocks together.
/// Effect:     the kernel goes on and returns. Later tasks run, except those that depend on this one: by memory of
///             their tensors or by set_dependencies(). They, and the end of the orchestration, wait for the counter.
/// Ordering:   what was released by the notifications that raised the counter is visible to whatever waited for it.
/// Completion: of the task: when the number was seen high enough, once. It may be raised before or after this call.
/// Errors:     kBadArgument for a context of no task, an address that is not aligned, and the 65th condition;
///             kOutOfWindow outside every window and tensor of the task.
/// Source:     spec section 17.4.
PTO_INST void register_completion_condition(AsyncCtx& ctx, volatile void* counter, uint32_t expected) {
  tileput_register_condition(ctx.conditions, counter, expected, tileput::machine::site());
}

/// The same as register_completion_condition(), as kernels spell it.
PTO_INST void save_expected_notification_counter(AsyncCtx& ctx, volatile void* counterAddr, uint32_t expected) {
  register_completion_condition(ctx, counterAddr, expected);
}

/// TNOTIFY on the int32 at `addr`.
///
/// Ordering, Completion, Errors: as TNOTIFY.
/// Source:     spec section 17.4.
///
/// Example:
///     int32_t counter = 0;  // in a kernel: in a peer's window, whose task registered it
///     pipe_barrier(PIPE_ALL);
///     dsb(DSB_DDR);
///     send_notification(&counter, 1, pto::comm::NotifyOp::AtomicAdd);
///     assert(counter == 1);
PTO_INST void send_notification(volatile void* addr, int32_t value, pto::comm::NotifyOp op) {
  pto::comm::Signal signal(static_cast<__gm__ int32_t*>(const_cast<void*>(addr)));
  pto::comm::TNOTIFY(signal, value, op);
}
