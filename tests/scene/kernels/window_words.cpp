// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Adds to words of this rank's window, which is zeroed, what a test wants them to hold.
//
// Arguments: words, pairs of a byte offset and a value; scratch (window).

#include <pto/pto-inst.hpp>

#include "tensor.h"

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ ChipTensor* words = reinterpret_cast<__gm__ ChipTensor*>(args[0]);
  __gm__ ChipTensor* scratch = reinterpret_cast<__gm__ ChipTensor*>(args[1]);
  __gm__ uint32_t* pairs = words->data_as<uint32_t>();
  __gm__ uint8_t* base = scratch->data_as<uint8_t>();
  for (uint64_t i = 0; i < words->numel(); i += 2) {
    pto::comm::Signal word(reinterpret_cast<__gm__ int32_t*>(base + pairs[i]));
    pto::comm::TNOTIFY(word, static_cast<int32_t>(pairs[i + 1]), pto::comm::NotifyOp::AtomicAdd);
  }
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
}
