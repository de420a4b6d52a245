// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits the reduce-scatter of this rank: one AIV task, func_id 0.

#include "../../../common/kernels/slot_window.hpp"
#include "platform_comm/comm_context.h"
#include "pto_orchestration_api.h"

namespace {

constexpr int kArguments = 5;  // in, out, scratch; n, CommContext

void refuse_ranks(std::uint64_t n, std::uint64_t members) {
  if (n < 1 || n > 64) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%llu ranks; a CommContext has room for 1 to 64",
                    static_cast<unsigned long long>(n));
  }
  if (n != members) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%llu ranks in a domain of %llu",
                    static_cast<unsigned long long>(n), static_cast<unsigned long long>(members));
  }
}

void refuse_scratch(const ChipTensor& scratch, std::uint64_t needed) {
  if (scratch.buffer.size < needed) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "scratch has %llu bytes and needs %llu",
                    static_cast<unsigned long long>(scratch.buffer.size), static_cast<unsigned long long>(needed));
  }
  if (scratch.buffer.addr % slot_window::kLineBytes != 0) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "scratch is not aligned to %llu bytes; make it the first buffer",
                    static_cast<unsigned long long>(slot_window::kLineBytes));
  }
}

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
  refuse_ranks(n, reinterpret_cast<const CommContext*>(args.scalar(1))->rankNum);
  if (in.ndims != 1 || out.ndims != 1) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "in has %u and out %u dimensions; they have one",
                    static_cast<unsigned>(in.ndims), static_cast<unsigned>(out.ndims));
  }
  const std::uint64_t count = out.shapes[0];
  if (in.shapes[0] != n * count || in.dtype != DataType::FLOAT32 || out.dtype != DataType::FLOAT32) {
    rt_report_fatal(
        PTO2_ERROR_EXPLICIT_ORCH_FATAL,
        "in has %llu %s and out %llu %s for %llu ranks; both are float, and in has what out has for each rank",
        static_cast<unsigned long long>(in.shapes[0]), get_dtype_name(in.dtype), static_cast<unsigned long long>(count),
        get_dtype_name(out.dtype), static_cast<unsigned long long>(n));
  }
  refuse_scratch(scratch, slot_window::window_of(n, count).bytes);
  CoreTaskArgs task;
  task.add_input(in);
  task.add_output(out);
  task.add_inout(scratch);
  task.add_scalar(n, args.scalar(1));
  rt_submit_aiv_task(0, task);
}

}  // extern "C"
