// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect deleted: get_ref

#include "pto_orchestration_api.h"

void submit(const CoreTaskArgs& args, ChipTensor& made) {
#ifdef MISTAKE
  made = rt_submit_aiv_task(0, args).get_ref(0);
#else
  const TaskOutputTensors outputs = rt_submit_aiv_task(0, args);
  made = outputs.get_ref(0);
#endif
}
