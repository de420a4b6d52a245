// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: a tensor argument must be a variable that outlives the submit call

#include "pto_orchestration_api.h"

void submit(const ChipTensor& in, const ChipTensor& window) {
  CoreTaskArgs args;
#ifdef MISTAKE
  args.add_inout(in, ChipTensor(window));
#else
  const ChipTensor copy(window);
  args.add_inout(in, copy);
#endif
  rt_submit_aiv_task(0, args);
}
