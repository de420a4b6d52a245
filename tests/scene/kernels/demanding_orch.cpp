// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Stands in for the example's orchestration and wants more arguments than the program has. Its entry must not run.

#include "pto_orchestration_api.h"

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig all_to_all_push_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = 9};
}

__attribute__((visibility("default"))) void all_to_all_push(const ChipTaskArgs&) {
  rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "the entry was called");
}

}  // extern "C"
