// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// A cube kernel and a vector kernel under func_ids that are neither dense nor in order, and symbols of its own.

#include "pto_orchestration_api.h"

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig linear_orchestration_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = 5};
}

__attribute__((visibility("default"))) void linear_orchestration(const ChipTaskArgs& args) {
  const ChipTensor& in = args.tensor(0).ref();
  const ChipTensor& out = args.tensor(1).ref();
  const ChipTensor& scratch = args.tensor(2).ref();

  CoreTaskArgs product;
  product.add_input(in);
  product.add_inout(scratch);
  rt_submit_aic_task(40, product);

  CoreTaskArgs sum;
  sum.add_inout(scratch);
  sum.add_output(out);
  sum.add_scalar(args.scalar(0), args.scalar(1));
  rt_submit_aiv_task(3, sum);
}

}  // extern "C"
