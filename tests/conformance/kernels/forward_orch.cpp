// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Hands all arguments of the chip task to func_id 0, in order; and the ways an orchestration can go wrong.

#include "pto_orchestration_api.h"

#include <stdexcept>

namespace {

void forward_to(CoreTaskArgs& task, const ChipTaskArgs& args) {
  for (int i = 0; i < args.tensor_count(); ++i) {
    task.add_inout(args.tensor(i).ref());
  }
  for (int i = 0; i < args.scalar_count(); ++i) {
    task.add_scalar(args.scalar(i));
  }
}

}  // namespace

#define ENTRY extern "C" __attribute__((visibility("default"))) void

ENTRY forward(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  forward_to(task, args);
  rt_submit_aiv_task(0, task);
}

extern "C" __attribute__((visibility("default"))) PTO2OrchestrationConfig expect_six_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = 6};
}
ENTRY expect_six(const ChipTaskArgs& args) { forward(args); }

ENTRY read_tensor_nine(const ChipTaskArgs& args) { args.tensor(9).ref(); }

ENTRY unknown_kernel(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  forward_to(task, args);
  rt_submit_aiv_task(77, task);
}

ENTRY wrong_core(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  forward_to(task, args);
  rt_submit_aic_task(0, task);
}

ENTRY too_many_blocks(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  forward_to(task, args);
  task.launch_spec.set_block_num(65);
  rt_submit_aiv_task(0, task);
}

ENTRY scalar_first(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  task.add_scalar(1);
  task.add_input(args.tensor(0).ref());
  rt_submit_aiv_task(0, task);
}

ENTRY throws(const ChipTaskArgs&) { throw std::runtime_error("orchestration says no"); }

ENTRY fatal(const ChipTaskArgs&) { rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%d things are wrong", 42); }
