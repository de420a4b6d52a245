// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Tensors a, b, bias, product, result: product = a times b by kernel 0 on the cube core, then result = product + bias
// by kernel 1 on a vector core.

#include "pto_orchestration_api.h"

extern "C" __attribute__((visibility("default"))) void layer(const ChipTaskArgs& args) {
  CoreTaskArgs multiply;
  multiply.add_input(args.tensor(0).ref());
  multiply.add_input(args.tensor(1).ref());
  multiply.add_output(args.tensor(3).ref());
  rt_submit_aic_task(0, multiply);
  CoreTaskArgs add;
  add.add_input(args.tensor(3).ref());
  add.add_input(args.tensor(2).ref());
  add.add_output(args.tensor(4).ref());
  rt_submit_aiv_task(1, add);
}
