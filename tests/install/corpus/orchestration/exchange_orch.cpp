// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// One AIV kernel with all arguments of the chip task, under the default symbols.

#include "pto_orchestration_api.h"

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig aicpu_orchestration_config(const ChipTaskArgs& args) {
  (void)args;
  return PTO2OrchestrationConfig{
      .expected_arg_count = 5,
  };
}

__attribute__((visibility("default"))) void aicpu_orchestration_entry(const ChipTaskArgs& args) {
  if (args.tensor_count() != 3 || args.scalar_count() != 2) {
    LOG_ERROR("exchange: %d tensors and %d scalars", (int)args.tensor_count(), (int)args.scalar_count());
    return;
  }
  const ChipTensor& in = args.tensor(0).ref();
  const ChipTensor& out = args.tensor(1).ref();
  const ChipTensor& scratch = args.tensor(2).ref();
  CoreTaskArgs task;
  task.add_input(in);
  task.add_output(out);
  task.add_inout(scratch);
  task.add_scalar(args.scalar(0));
  task.add_scalar(args.scalar(1));
  rt_submit_aiv_task(7, task);
}

}  // extern "C"
