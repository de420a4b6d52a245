// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The least that an exchange among all ranks can be: each sets one flag for every peer, then looks for the flags of
// all and lets others run while one is missing. Plain stores, plain loads and sched_yield, no instruction.
//
// Arguments: bare_machine::FlagsArgument. A sample is `calls` such rounds, after `skip` rounds that are not timed.

#include "cells.hpp"

namespace bm = bare_machine;

extern "C" __aicore__ void kernel_entry(__gm__ int64_t* args) {
  const auto& context = *reinterpret_cast<const CommContext*>(args[bm::kFlagsContext]);
  const bm::Cells cells(bm::tensor_of(args[bm::kFlagsCells]), context);
  const std::int64_t skip = args[bm::kFlagsSkip];
  const std::int64_t calls = skip + args[bm::kFlagsCalls];
  const std::uint32_t n = cells.ranks();
  const std::uint32_t me = cells.me();
  std::uint32_t& count = cells.count(bm::kBare);
  std::int64_t start = 0;
  for (std::int64_t call = 0; call < calls; ++call) {
    if (call == skip) {
      start = bm::now_ns();
    }
    ++count;
    for (std::uint32_t i = 1; i <= n; ++i) {
      // Pairs with the acquire in await_yielding().
      __atomic_store_n(cells.to(bm::kBare, (me + i) % n), static_cast<std::int32_t>(count), __ATOMIC_RELEASE);
    }
    for (std::uint32_t i = 1; i <= n; ++i) {
      bm::Cells::await_yielding(cells.from(bm::kBare, (me + i) % n), count);
    }
  }
  bm::tensor_of(args[bm::kFlagsSamples]).data_as<std::int64_t>()[args[bm::kFlagsSample]] = bm::now_ns() - start;
}
