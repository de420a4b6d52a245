// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits the reduce-scatter of this rank: one AIV task, func_id 0.

#include "../../../common/kernels/refusals.hpp"
#include "../../../common/kernels/slot_window.hpp"
#include "pto_orchestration_api.h"

namespace {

constexpr int kArguments = 5;  // in, out, scratch; n, CommContext

}  // namespace

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig reduce_scatter_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}

__attribute__((visibility("default"))) void reduce_scatter(const ChipTaskArgs& args) {
  const ChipTensor& in = args.tensor(0).ref();
  const ChipTensor& out = args.tensor(1).ref();
  const ChipTensor& scratch = args.tensor(2).ref();
  const std::uint64_t n = args.scalar(0);
  refusals::refuse_ranks(n, args.scalar(1));
  refusals::refuse_other_dimensions(in, out);
  const std::uint64_t count = out.shapes[0];
  if (in.shapes[0] != n * count || in.dtype != DataType::FLOAT32 || out.dtype != DataType::FLOAT32) {
    rt_report_fatal(
        PTO2_ERROR_EXPLICIT_ORCH_FATAL,
        "in has %llu %s and out %llu %s for %llu ranks; both are float, and in has what out has for each rank",
        static_cast<unsigned long long>(in.shapes[0]), get_dtype_name(in.dtype), static_cast<unsigned long long>(count),
        get_dtype_name(out.dtype), static_cast<unsigned long long>(n));
  }
  refusals::refuse_scratch(scratch, slot_window::window_of(n, count).bytes);
  CoreTaskArgs task;
  task.add_input(in);
  task.add_output(out);
  task.add_inout(scratch);
  task.add_scalar(n, args.scalar(1));
  rt_submit_aiv_task(0, task);
}

}  // extern "C"
