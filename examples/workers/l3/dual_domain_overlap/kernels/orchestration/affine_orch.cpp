// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits out = reduced * scale + bias: one AIV task, func_id 0.

#include "../affine_shape.hpp"
#include "pto_orchestration_api.h"

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig affine_map_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = 4};  // reduced, scale, bias, out
}

__attribute__((visibility("default"))) void affine_map(const ChipTaskArgs& args) {
  constexpr const char* kNames[] = {"reduced", "scale", "bias", "out"};
  for (int i = 0; i < 4; ++i) {
    const ChipTensor& tensor = args.tensor(i).ref();
    if (tensor.numel() != affine::kElements || tensor.dtype != DataType::FLOAT32 || !tensor.is_contiguous) {
      rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%s has %llu elements of %s; it needs %u of FLOAT32, dense",
                      kNames[i], static_cast<unsigned long long>(tensor.numel()), get_dtype_name(tensor.dtype),
                      affine::kElements);
    }
  }
  CoreTaskArgs task;
  task.add_input(args.tensor(0).ref(), args.tensor(1).ref(), args.tensor(2).ref());
  task.add_output(args.tensor(3).ref());
  rt_submit_aiv_task(0, task);
}

}  // extern "C"
