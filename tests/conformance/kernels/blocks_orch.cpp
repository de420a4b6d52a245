// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits func_id 0 once for each block count.
//
// Arguments: out, window; what, value, number of tasks, CommContext, then the block counts.

#include "pto_orchestration_api.h"

extern "C" __attribute__((visibility("default"))) void blocks(const ChipTaskArgs& args) {
  const auto tasks = from_u64<int32_t>(args.scalar(2));
  for (int32_t i = 0; i < tasks; ++i) {
    CoreTaskArgs task;
    task.add_inout(args.tensor(0).ref(), args.tensor(1).ref());
    task.add_scalar(args.scalar(0), args.scalar(1), i, args.scalar(3));
    task.launch_spec.set_block_num(from_u64<int32_t>(args.scalar(4 + i)));
    rt_submit_aiv_task(0, task);
  }
}
