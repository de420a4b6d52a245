// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits the all-to-all of this rank: one AIV task, func_id 0. One entry per variant, which differ in the window.

#include "../all_to_all_window.hpp"
#include "platform_comm/comm_context.h"
#include "pto_orchestration_api.h"

namespace {

constexpr int kArguments = 5;  // in, out, scratch; n, CommContext

void submit(const ChipTaskArgs& args, std::uint64_t slot_sets) {
  const ChipTensor& in = args.tensor(0).ref();
  const ChipTensor& out = args.tensor(1).ref();
  const ChipTensor& scratch = args.tensor(2).ref();
  const std::uint64_t n = args.scalar(0);
  if (n < 1 || n > 64) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%llu ranks; a CommContext has room for 1 to 64",
                    static_cast<unsigned long long>(n));
  }
  const std::uint64_t members = reinterpret_cast<const CommContext*>(args.scalar(1))->rankNum;
  if (n != members) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%llu ranks in a domain of %llu",
                    static_cast<unsigned long long>(n), static_cast<unsigned long long>(members));
  }
  if (in.ndims != 1 || out.ndims != 1) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "in has %u and out %u dimensions; they have one: dest * count + i",
                    static_cast<unsigned>(in.ndims), static_cast<unsigned>(out.ndims));
  }
  const std::uint64_t elements = in.shapes[0];
  const std::uint64_t bytes = elements / n * get_element_size(in.dtype);
  if (elements % n != 0 || bytes % all_to_all::kWordBytes != 0 || out.shapes[0] != elements || out.dtype != in.dtype) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                    "in has %llu and out %llu elements for %llu ranks; they must be equal, of one type, divide by the "
                    "ranks, and give each rank whole 4-byte words",
                    static_cast<unsigned long long>(elements), static_cast<unsigned long long>(out.shapes[0]),
                    static_cast<unsigned long long>(n));
  }
  const std::uint64_t needed = all_to_all::window_of(slot_sets, n, bytes / all_to_all::kWordBytes).bytes;
  if (scratch.buffer.size < needed) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "scratch has %llu bytes and needs %llu",
                    static_cast<unsigned long long>(scratch.buffer.size), static_cast<unsigned long long>(needed));
  }
  if (scratch.buffer.addr % all_to_all::kLineBytes != 0) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "scratch is not aligned to %llu bytes; make it the first buffer",
                    static_cast<unsigned long long>(all_to_all::kLineBytes));
  }
  CoreTaskArgs task;
  task.add_input(in);
  task.add_output(out);
  task.add_inout(scratch);
  task.add_scalar(n, args.scalar(1));
  rt_submit_aiv_task(0, task);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig all_to_all_push_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}
__attribute__((visibility("default"))) void all_to_all_push(const ChipTaskArgs& args) {
  submit(args, all_to_all::kPushSlotSets);
}

__attribute__((visibility("default"))) PTO2OrchestrationConfig all_to_all_pull_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}
__attribute__((visibility("default"))) void all_to_all_pull(const ChipTaskArgs& args) {
  submit(args, all_to_all::kPullSlotSets);
}

}  // extern "C"
