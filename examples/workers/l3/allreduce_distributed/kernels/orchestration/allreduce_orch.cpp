// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits the allreduce of this rank: one AIV task, func_id 0. One entry per mode, which differ in the window.

#include "../../../common/kernels/refusals.hpp"
#include "../allreduce_window.hpp"
#include "pto_orchestration_api.h"

namespace {

constexpr int kArguments = 5;  // in, out, scratch; n, CommContext

void submit(const ChipTaskArgs& args, allreduce::Mode mode) {
  const ChipTensor& in = args.tensor(0).ref();
  const ChipTensor& out = args.tensor(1).ref();
  const ChipTensor& scratch = args.tensor(2).ref();
  const std::uint64_t n = args.scalar(0);
  refusals::refuse_ranks(n, args.scalar(1));
  if (mode == allreduce::Mode::kIbing && n != 2) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "ibing with %llu ranks; it is an exchange of 2, use another mode",
                    static_cast<unsigned long long>(n));
  }
  if (in.ndims != 1 || out.ndims != 1 || in.shapes[0] != out.shapes[0]) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                    "in has %u dimensions and %u elements, out %u and %u; they have 1 dimension and equal elements",
                    in.ndims, in.shapes[0], out.ndims, out.shapes[0]);
  }
  if (in.dtype != DataType::FLOAT32 || out.dtype != DataType::FLOAT32) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "in is of %s and out of %s; FLOAT32 is what is summed",
                    get_dtype_name(in.dtype), get_dtype_name(out.dtype));
  }
  refusals::refuse_scratch(scratch, allreduce::window_of(mode, n, in.shapes[0]).bytes);
  CoreTaskArgs task;
  task.add_input(in);
  task.add_output(out);
  task.add_inout(scratch);
  task.add_scalar(n, args.scalar(1));
  rt_submit_aiv_task(0, task);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig allreduce_onephase_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}
__attribute__((visibility("default"))) void allreduce_onephase(const ChipTaskArgs& args) {
  submit(args, allreduce::Mode::kOnephase);
}

__attribute__((visibility("default"))) PTO2OrchestrationConfig allreduce_twophase_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}
__attribute__((visibility("default"))) void allreduce_twophase(const ChipTaskArgs& args) {
  submit(args, allreduce::Mode::kTwophase);
}

__attribute__((visibility("default"))) PTO2OrchestrationConfig allreduce_ring_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}
__attribute__((visibility("default"))) void allreduce_ring(const ChipTaskArgs& args) {
  submit(args, allreduce::Mode::kRing);
}

__attribute__((visibility("default"))) PTO2OrchestrationConfig allreduce_bidirectional_ring_config(
    const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}
__attribute__((visibility("default"))) void allreduce_bidirectional_ring(const ChipTaskArgs& args) {
  submit(args, allreduce::Mode::kBidirectionalRing);
}

__attribute__((visibility("default"))) PTO2OrchestrationConfig allreduce_ibing_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}
__attribute__((visibility("default"))) void allreduce_ibing(const ChipTaskArgs& args) {
  submit(args, allreduce::Mode::kIbing);
}

}  // extern "C"
