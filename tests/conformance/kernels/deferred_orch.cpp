// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits a task for each step of a list; see deferred.hpp.
//
// Arguments: out, counters, data, side; CommContext, number of steps, then the fields of each.

#include "../deferred.hpp"
#include "pto_orchestration_api.h"

extern "C" __attribute__((visibility("default"))) void steps(const ChipTaskArgs& args) {
  const ChipTensor data = args.tensor(2).ref();
  const uint32_t half[] = {data.shapes[0] / 2};
  const uint32_t first[] = {0};
  const ChipTensor& out = args.tensor(0).ref();
  ChipTensor manual = data;
  manual.manual_dep = true;
  const uint32_t square[] = {4, 4};
  const uint32_t columns[] = {4, 2};
  const uint32_t row[] = {1, 4};
  const uint32_t origin[] = {0, 0};
  const uint32_t last[] = {3, 0};
  const ChipTensor matrix = data.reshape(square, 2);
  ChipTensor tensors[] = {data,        data.view(half, first),       data.view(half, half),  args.tensor(3).ref(),
                          manual,      matrix.view(columns, origin), matrix.view(row, last), ChipTensor(),
                          ChipTensor()};
  const TensorCreateInfo fresh[] = {{half, 1, DataType::INT32}, {half, 1, DataType::INT32, true}};
  const auto count = from_u64<int32_t>(args.scalar(1));
  PTO2TaskId ids[16];
  for (int32_t i = 0; i < count; ++i) {
    const auto field = [&](int index) { return args.scalar(2 + i * kStepScalars + index); };
    ChipTensor& tensor = tensors[field(3)];
    const auto at = static_cast<uint32_t>(field(1));
    const auto result = static_cast<uint32_t>(field(2));
    if (static_cast<Deferred>(field(0)) == Deferred::kHostRead) {
      set_tensor_data<int64_t>(out, 1, &result, get_tensor_data<int32_t>(tensor, 1, &at));
      continue;
    }
    if (static_cast<Deferred>(field(0)) == Deferred::kHostWrite) {
      set_tensor_data(tensor, 1, &at, from_u64<int32_t>(field(2)));
      continue;
    }
    const bool is_fresh = tensor.ndims == 0;
    CoreTaskArgs task;
    switch (static_cast<Use>(field(4))) {
      case Use::kInput: task.add_input(tensor); break;
      case Use::kOutput:
        if (is_fresh) {
          task.add_output(fresh[field(3) - static_cast<int>(Which::kFresh)]);
        } else {
          task.add_output(tensor);
        }
        break;
      case Use::kInOut: task.add_inout(tensor); break;
      case Use::kNoDep: task.add_no_dep(tensor); break;
    }
    task.add_no_dep(args.tensor(0).ref(), args.tensor(1).ref(), args.tensor(2).ref());
    task.add_scalar(field(0), field(1), field(2), args.scalar(0));
    PTO2TaskId after[2] = {PTO2TaskId(), PTO2TaskId()};
    if (const auto index = from_u64<int32_t>(field(5)); index >= 0) {
      after[1] = index < i ? ids[index] : PTO2TaskId{static_cast<uint64_t>(index)};
      task.set_dependencies(after, 2);
    }
    task.launch_spec.set_block_num(from_u64<int32_t>(field(6)));
    const TaskOutputTensors outputs = rt_submit_aiv_task(0, task);
    ids[i] = outputs.task_id();
    if (outputs.size() != 0) {
      tensor = outputs.get_ref(0);
    }
  }
}
