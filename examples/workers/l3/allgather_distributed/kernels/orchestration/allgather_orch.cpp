// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits the allgather of this rank: one AIV task, func_id 0.

#include "../../../common/kernels/refusals.hpp"
#include "../../../common/kernels/slot_window.hpp"
#include "pto_orchestration_api.h"

namespace {

constexpr int kArguments = 5;  // in, out, scratch; n, CommContext

}  // namespace

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig allgather_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}

__attribute__((visibility("default"))) void allgather(const ChipTaskArgs& args) {
  const ChipTensor& in = args.tensor(0).ref();
  const ChipTensor& out = args.tensor(1).ref();
  const ChipTensor& scratch = args.tensor(2).ref();
  const std::uint64_t n = args.scalar(0);
  refusals::refuse_ranks(n, args.scalar(1));
  refusals::refuse_other_dimensions(in, out);
  const std::uint64_t count = in.shapes[0];
  const std::uint64_t bytes = count * get_element_size(in.dtype);
  if (bytes % slot_window::kWordBytes != 0 || out.shapes[0] != n * count || out.dtype != in.dtype) {
    rt_report_fatal(
        PTO2_ERROR_EXPLICIT_ORCH_FATAL,
        "in has %llu and out %llu elements for %llu ranks; out has those of all ranks, both are of one type, "
        "and in is whole 4-byte words",
        static_cast<unsigned long long>(count), static_cast<unsigned long long>(out.shapes[0]),
        static_cast<unsigned long long>(n));
  }
  refusals::refuse_scratch(scratch, slot_window::window_of(n, bytes / slot_window::kWordBytes).bytes);
  CoreTaskArgs task;
  task.add_input(in);
  task.add_output(out);
  task.add_inout(scratch);
  task.add_scalar(n, args.scalar(1));
  rt_submit_aiv_task(0, task);
}

}  // extern "C"
