// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What `tileput run` submits without an orchestration of the user: func 0 with all tensors, then all scalars. Chip
// arguments carry no directions, so every tensor is one that the task may read and write.

#include "pto_orchestration_api.h"

namespace {

void add_all(CoreTaskArgs& task, const ChipTaskArgs& args) {
  for (int32_t i = 0; i < args.tensor_count(); ++i) {
    task.add_inout(args.tensor(i).ref());
  }
  for (int32_t i = 0; i < args.scalar_count(); ++i) {
    task.add_scalar(args.scalar(i));
  }
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void run_aiv(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  add_all(task, args);
  rt_submit_aiv_task(0, task);
}

extern "C" __attribute__((visibility("default"))) void run_aic(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  add_all(task, args);
  rt_submit_aic_task(0, task);
}
