// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// bare_machine_forward passes everything on to func_id 0. bare_machine_call submits the all-to-all kernel as its own
// orchestration does, and writes down when the call that ends the warm-up began and the last one ended; between them it
// only counts.

#include "bare_machine.hpp"
#include "pto_orchestration_api.h"

namespace {

namespace bm = bare_machine;

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void bare_machine_forward(const ChipTaskArgs& args) {
  CoreTaskArgs task;
  for (int i = 0; i < args.tensor_count(); ++i) {
    task.add_inout(args.tensor(i).ref());
  }
  for (int i = 0; i < args.scalar_count(); ++i) {
    task.add_scalar(args.scalar(i));
  }
  rt_submit_aiv_task(0, task);
}

__attribute__((visibility("default"))) PTO2OrchestrationConfig bare_machine_call_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = int{bm::kCallTensors} + bm::kCallScalars};
}

__attribute__((visibility("default"))) void bare_machine_call(const ChipTaskArgs& args) {
  // Of this sample: its time in the end, calls so far, start.
  int64_t* const sample = args.tensor(bm::kCallSamples).ref().data_as<int64_t>() + 3 * args.scalar(bm::kCallSample);
  const auto skip = static_cast<int64_t>(args.scalar(bm::kCallSkip));
  const auto calls = static_cast<int64_t>(args.scalar(bm::kCallCalls));
  if (sample[1] == skip) {
    sample[2] = bm::now_ns();
  }
  CoreTaskArgs task;
  task.add_input(args.tensor(bm::kCallIn).ref());
  task.add_output(args.tensor(bm::kCallOut).ref());
  task.add_inout(args.tensor(bm::kCallScratch).ref());
  task.add_scalar(args.scalar(bm::kCallRanks), args.scalar(bm::kCallContext));
  rt_submit_aiv_task(0, task);
  if (++sample[1] == skip + calls) {
    sample[0] = bm::now_ns() - sample[2];
  }
}

}  // extern "C"
