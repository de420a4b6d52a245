// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: a tensor argument must be a variable that outlives the submit call

#include "pto_orchestration_api.h"

void submit(const ChipTensor& out, const uint32_t* shapes) {
  CoreTaskArgs args;
#ifdef MISTAKE
  args.add_output(out, TensorCreateInfo(shapes, 1));
#else
  const TensorCreateInfo info(shapes, 1);
  args.add_output(out, info);
#endif
  rt_submit_aiv_task(0, args);
}
