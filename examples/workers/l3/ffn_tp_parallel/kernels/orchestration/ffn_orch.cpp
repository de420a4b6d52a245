// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Two orchestrations: ffn_linear submits this rank's matrix product, one AIC task; ffn_sum the sum over the ranks, one
// AIV task. Each has its kernel as func_id 0.

#include "../../../common/kernels/refusals.hpp"
#include "../../../common/kernels/slot_window.hpp"
#include "pto_orchestration_api.h"

namespace {

constexpr int kLinearArguments = 3;  // x, w, partial
constexpr int kSumArguments = 5;     // partial, y, scratch; n, CommContext

void refuse_unless_matrix(const ChipTensor& tensor, const char* name) {
  if (tensor.ndims != 2 || tensor.dtype != DataType::FLOAT32 || !tensor.is_contiguous) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                    "%s has %u dimensions of %s; it must be a dense matrix of FLOAT32, 2 dimensions", name,
                    static_cast<unsigned>(tensor.ndims), get_dtype_name(tensor.dtype));
  }
  if (tensor.shapes[0] == 0 || tensor.shapes[1] == 0) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%s is %u x %u; a product needs at least 1 of each", name,
                    tensor.shapes[0], tensor.shapes[1]);
  }
}

void submit_linear(const ChipTaskArgs& args) {
  const ChipTensor& x = args.tensor(0).ref();
  const ChipTensor& w = args.tensor(1).ref();
  const ChipTensor& partial = args.tensor(2).ref();
  refuse_unless_matrix(x, "x");
  refuse_unless_matrix(w, "w");
  refuse_unless_matrix(partial, "partial");
  if (x.shapes[1] != w.shapes[0] || partial.shapes[0] != x.shapes[0] || partial.shapes[1] != w.shapes[1]) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                    "x is %u x %u, w %u x %u and partial %u x %u; they must be M x K, K x N and M x N", x.shapes[0],
                    x.shapes[1], w.shapes[0], w.shapes[1], partial.shapes[0], partial.shapes[1]);
  }
  CoreTaskArgs task;
  task.add_input(x, w);
  task.add_output(partial);
  rt_submit_aic_task(0, task);
}

void submit_sum(const ChipTaskArgs& args) {
  const ChipTensor& partial = args.tensor(0).ref();
  const ChipTensor& y = args.tensor(1).ref();
  const ChipTensor& scratch = args.tensor(2).ref();
  refuse_unless_matrix(partial, "partial");
  refuse_unless_matrix(y, "y");
  if (partial.shapes[0] != y.shapes[0] || partial.shapes[1] != y.shapes[1]) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "partial is %u x %u and y %u x %u; they must be equal",
                    partial.shapes[0], partial.shapes[1], y.shapes[0], y.shapes[1]);
  }
  const std::uint64_t n = args.scalar(0);
  refusals::refuse_ranks(n, args.scalar(1));
  refusals::refuse_scratch(scratch, slot_window::window_of(n, std::uint64_t{y.shapes[0]} * y.shapes[1]).bytes);
  CoreTaskArgs task;
  task.add_input(partial);
  task.add_output(y);
  task.add_inout(scratch);
  task.add_scalar(n, args.scalar(1));
  rt_submit_aiv_task(0, task);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig ffn_linear_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kLinearArguments};
}
__attribute__((visibility("default"))) void ffn_linear(const ChipTaskArgs& args) { submit_linear(args); }

__attribute__((visibility("default"))) PTO2OrchestrationConfig ffn_sum_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kSumArguments};
}
__attribute__((visibility("default"))) void ffn_sum(const ChipTaskArgs& args) { submit_sum(args); }

}  // extern "C"
