// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: what the runtime allocates is an output

#include "pto_orchestration_api.h"

void submit(const uint32_t* shapes) {
  CoreTaskArgs args;
  const TensorCreateInfo info(shapes, 1);
#ifdef MISTAKE
  args.add_inout(info);
#else
  args.add_output(info);
#endif
  rt_submit_aiv_task(0, args);
}
