// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits window_words.cpp: one AIV task, func_id 0.

#include "pto_orchestration_api.h"

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig window_words_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = 2};
}

__attribute__((visibility("default"))) void window_words(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  task.add_input(args.tensor(0).ref());
  task.add_inout(args.tensor(1).ref());
  rt_submit_aiv_task(0, task);
}

}  // extern "C"
