// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits the broadcast of this rank: one AIV task, func_id 0.

#include "../../../common/kernels/refusals.hpp"
#include "../broadcast_window.hpp"
#include "pto_orchestration_api.h"

namespace {

constexpr int kArguments = 6;  // in, out, scratch; n, root, CommContext

}  // namespace

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig broadcast_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}

__attribute__((visibility("default"))) void broadcast(const ChipTaskArgs& args) {
  const ChipTensor& in = args.tensor(0).ref();
  const ChipTensor& out = args.tensor(1).ref();
  const ChipTensor& scratch = args.tensor(2).ref();
  const std::uint64_t n = args.scalar(0);
  refusals::refuse_ranks(n, args.scalar(2));
  refusals::refuse_other_dimensions(in, out);
  const std::uint64_t root = args.scalar(1);
  if (root >= n) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "root %llu of %llu ranks", static_cast<unsigned long long>(root),
                    static_cast<unsigned long long>(n));
  }
  const std::uint64_t count = in.shapes[0];
  const std::uint64_t bytes = count * get_element_size(in.dtype);
  if (bytes % broadcast_window::kWordBytes != 0 || out.shapes[0] != count || out.dtype != in.dtype) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                    "in has %llu and out %llu elements; they must be equal, of one type, and whole 4-byte words",
                    static_cast<unsigned long long>(count), static_cast<unsigned long long>(out.shapes[0]));
  }
  refusals::refuse_scratch(scratch, broadcast_window::window_of(n, bytes / broadcast_window::kWordBytes).bytes);
  CoreTaskArgs task;
  task.add_input(in);
  task.add_output(out);
  task.add_inout(scratch);
  task.add_scalar(n, root, args.scalar(2));
  rt_submit_aiv_task(0, task);
}

}  // extern "C"
