// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Hands all arguments of the chip task to func_id 0, in order.

#include "pto_orchestration_api.h"

extern "C" __attribute__((visibility("default"))) void forward(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  for (int i = 0; i < args.tensor_count(); ++i) {
    task.add_inout(args.tensor(i).ref());
  }
  for (int i = 0; i < args.scalar_count(); ++i) {
    task.add_scalar(args.scalar(i));
  }
  rt_submit_aiv_task(0, task);
}
