// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Passes everything on to func_id 0.

#include "pto_orchestration_api.h"

extern "C" __attribute__((visibility("default"))) void fault_orch(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  for (int i = 0; i < args.tensor_count(); ++i) {
    task.add_inout(args.tensor(i).ref());
  }
  for (int i = 0; i < args.scalar_count(); ++i) {
    task.add_scalar(args.scalar(i));
  }
  rt_submit_aiv_task(0, task);
}
