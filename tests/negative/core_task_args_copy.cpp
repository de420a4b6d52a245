// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect deleted: CoreTaskArgs

#include "pto_orchestration_api.h"

#ifdef MISTAKE
void submit(const CoreTaskArgs& args) {
  CoreTaskArgs copy = args;
  rt_submit_aiv_task(0, copy);
}
#else
void submit(const CoreTaskArgs& args) { rt_submit_aiv_task(0, args); }
#endif
