// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the orchestrations of several examples refuse alike, before they submit anything.

#include <cstdint>

#include "platform_comm/comm_context.h"
#include "pto_orchestration_api.h"
#include "slot_window.hpp"

namespace refusals {

/// A rank count that no context holds, or that is not the domain's. `context` is the scalar with the CommContext.
inline void refuse_ranks(std::uint64_t n, std::uint64_t context) {
  if (n < 1 || n > COMM_MAX_RANK_NUM) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%llu ranks; a CommContext has room for 1 to 64",
                    static_cast<unsigned long long>(n));
  }
  const std::uint64_t members = reinterpret_cast<const CommContext*>(context)->rankNum;
  if (n != members) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%llu ranks in a domain of %llu",
                    static_cast<unsigned long long>(n), static_cast<unsigned long long>(members));
  }
}

inline void refuse_other_dimensions(const ChipTensor& in, const ChipTensor& out) {
  if (in.ndims != 1 || out.ndims != 1) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "in has %u and out %u dimensions; they have one",
                    static_cast<unsigned>(in.ndims), static_cast<unsigned>(out.ndims));
  }
}

/// A window of less than `needed` bytes, or whose lines are not those of the caches.
inline void refuse_scratch(const ChipTensor& scratch, std::uint64_t needed) {
  if (scratch.buffer.size < needed) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "scratch has %llu bytes and needs %llu",
                    static_cast<unsigned long long>(scratch.buffer.size), static_cast<unsigned long long>(needed));
  }
  if (scratch.buffer.addr % slot_window::kLineBytes != 0) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "scratch is not aligned to %llu bytes; make it the first buffer",
                    static_cast<unsigned long long>(slot_window::kLineBytes));
  }
}

}  // namespace refusals
