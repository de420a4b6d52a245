// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The kernel in the file TESTED_KERNEL where its data moves as late as the portable contract allows: at its drains and
// fences and when it ends, but not at a TNOTIFY.

#include <pto/pto-inst.hpp>

// Hidden: an entry that another object could replace cannot be inlined, which kernels ask for.
extern "C" __attribute__((visibility("hidden"))) void tested_kernel_entry(__gm__ int64_t* args);
#define kernel_entry tested_kernel_entry
#include TESTED_KERNEL
#undef kernel_entry

#include "../../scene/kernels/deferring_observer.hpp"

extern "C" __aicore__ void kernel_entry(__gm__ int64_t* args) {
  tileput::machine::Core& core = tileput::machine::current_core();
  DeferringObserver deferring(/*strict=*/true);
  struct Attached {
    tileput::machine::Core& core;
    tileput::machine::Observer* before;
    ~Attached() { core.observer = before; }
  } const attached{core, core.observer};
  core.observer = &deferring;
  tested_kernel_entry(args);
  pipe_barrier(PIPE_ALL);  // the end of a kernel drains its pipes
}
