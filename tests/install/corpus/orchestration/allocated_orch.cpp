// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// An output that the runtime allocates, in a scope, between a deferred task that is named as dependency and a task that
// follows from the tensor; elements that the orchestration reads and writes itself.

#include "pto_orchestration_api.h"

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig aicpu_orchestration_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = 5};
}

__attribute__((visibility("default"))) void aicpu_orchestration_entry(const ChipTaskArgs& args) {
  const ChipTensor& in = args.tensor(0).ref();
  const ChipTensor& out = args.tensor(1).ref();
  const ChipTensor& scratch = args.tensor(2).ref();

  CoreTaskArgs push;
  push.add_input(in);
  push.add_no_dep(scratch);
  push.add_scalar(args.scalar(0), args.scalar(1));
  const TaskOutputTensors pushed = rt_submit_aiv_task(2, push);
  if (pushed.size() != 0) {
    LOG_ERROR("push: %zu outputs that nobody asked for", pushed.size());
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%s", "the push has outputs");
  }

  PTO2_SCOPE() {
    const uint32_t shapes[2] = {2, 64};
    TensorCreateInfo arrived_info(shapes, 2, DataType::FLOAT32);
    CoreTaskArgs arrive;
    arrive.add_no_dep(scratch);
    arrive.add_output(arrived_info);
    PTO2TaskId after[1] = {pushed.task_id()};
    arrive.set_dependencies(after, 1);
    TaskOutputTensors outputs = rt_submit_aiv_task(0, arrive);
    const ChipTensor arrived = outputs.get_ref(0);

    const uint32_t last[2] = {0, 63};
    const uint32_t next[2] = {1, 0};
    const float value = get_tensor_data<float>(arrived, 2, last);
    if (get_tensor_data<float>(arrived, 2, next) != value) {
      LOG_WARN("task %llu: %g is not repeated", (unsigned long long)outputs.task_id().raw, (double)value);
      return;
    }
    set_tensor_data<float>(arrived, 2, next, 0.0f);

    PTO2_SCOPE() {
      CoreTaskArgs deliver;
      deliver.add_input(arrived);
      deliver.add_output(out);
      rt_submit_aiv_task(0, deliver);
    }
  }
  LOG_DEBUG("submitted");
}

}  // extern "C"
