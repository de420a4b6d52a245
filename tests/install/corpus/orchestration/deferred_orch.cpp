// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// A task whose completion is deferred, and the one that depends on it.

#include "pto_orchestration_api.h"

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig aicpu_orchestration_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = 5};
}

__attribute__((visibility("default"))) void aicpu_orchestration_entry(const ChipTaskArgs& args) {
  const ChipTensor& in = args.tensor(0).ref();
  const ChipTensor& out = args.tensor(1).ref();
  const ChipTensor& scratch = args.tensor(2).ref();
  {
    CoreTaskArgs push;
    push.add_input(in);
    push.add_inout(scratch);
    push.add_scalar(args.scalar(0), args.scalar(1));
    rt_submit_aiv_task(2, push);
  }
  CoreTaskArgs consume;
  consume.add_input(scratch);
  consume.add_output(out);
  rt_submit_aiv_task(0, consume);
}

}  // extern "C"
