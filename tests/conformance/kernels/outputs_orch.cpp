// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What the orchestration interface has beside tasks over tensors of the host; see outputs.hpp. Under the default names.
//
// Arguments: in, out (256 int32 each), scratch; what, value, CommContext. `out` holds what the test compares.

#include "../outputs.hpp"

#include <stdexcept>

#include "platform_comm/comm_context.h"
#include "pto_orchestration_api.h"

namespace {

constexpr uint32_t kElements = 256;

/// Element i of `to` = element i of `from` + number.
void copy(const ChipTensor& from, const ChipTensor& to, int count, int number) {
  CoreTaskArgs task;
  task.add_input(from);
  task.add_inout(to);
  task.add_scalar(count, number);
  rt_submit_aiv_task(0, task);
}

/// The same into a tensor that the runtime allocates.
ChipTensor copied(const ChipTensor& from, uint32_t count, int number) {
  const TensorCreateInfo info(&count, 1, DataType::INT32);
  CoreTaskArgs task;
  task.add_input(from);
  task.add_output(info);
  task.add_scalar(static_cast<int>(count), number);
  const TaskOutputTensors outputs = rt_submit_aiv_task(0, task);
  return outputs.get_ref(0);
}

void put(const ChipTensor& out, uint32_t index, int32_t value) { set_tensor_data(out, 1, &index, value); }

void mixed(const ChipTensor& in, const ChipTensor& out) {
  const uint32_t part[] = {64};
  const uint32_t other[] = {4, 16};
  const uint32_t first[] = {0};
  const ChipTensor head = out.view(part, first);
  const TensorCreateInfo line(part, 1, DataType::INT32);
  const TensorCreateInfo square(other, 2, DataType::INT16, true);
  copy(in, head, 64, 1);
  CoreTaskArgs task;
  task.add_output(head, line);
  task.add_scalar(64, 1);
  const TaskOutputTensors added = rt_submit_aiv_task(0, task);

  CoreTaskArgs makes;
  makes.add_output(line, square);
  makes.add_scalar(0, 0);
  const TaskOutputTensors outputs = rt_submit_aiv_task(0, makes);
  const ChipTensor& a = outputs.get_ref(0);
  const ChipTensor& b = outputs.get_ref(1);
  put(out, 100, static_cast<int32_t>(outputs.size()));
  put(out, 101, static_cast<int32_t>(outputs.task_id().raw));
  put(out, 102, static_cast<int32_t>(a.nbytes()));
  put(out, 103, static_cast<int32_t>(b.ndims * 1000 + b.shapes[1] * 10 + (b.manual_dep ? 1 : 0)));
  put(out, 104, b.dtype == DataType::INT16 && b.is_contiguous ? 1 : 0);
  put(out, 105, static_cast<int32_t>((a.buffer.addr | b.buffer.addr) % 64));
  put(out, 106, a.owner_task_id.raw == outputs.task_id().raw ? 1 : 0);
  copy(added.get_ref(0), a, 64, 5);
  const ChipTensor local = a;
  const uint32_t middle[] = {128};
  copy(local, out.view(part, middle), 64, 6);
}

void empty(const ChipTensor& in, const ChipTensor& out) {
  const ChipTensor nothing = copied(in, 0, 1);
  copy(nothing, out, 0, 1);
  put(out, 0, nothing.buffer.addr != 0 && nothing.nbytes() == 0 ? 1 : 0);
}

void many_sizes(const ChipTensor& in, const ChipTensor& out) {
  uint32_t at = 0;
  for (uint32_t count = 1; count <= (1U << 20U); count *= 4) {
    const ChipTensor made = copied(in, count < kElements ? count : kElements, static_cast<int>(at));
    const TensorCreateInfo info(&count, 1, DataType::INT32);
    CoreTaskArgs task;
    task.add_input(made);
    task.add_output(info);
    task.add_scalar(static_cast<int>(count < kElements ? count : kElements), 1);
    const TaskOutputTensors outputs = rt_submit_aiv_task(0, task);
    const uint32_t last[] = {count - 1};
    set_tensor_data(outputs.get_ref(0), 1, last, static_cast<int32_t>(count));
    put(out, at++, get_tensor_data<int32_t>(outputs.get_ref(0), 1, last));
  }
}

void scopes(const ChipTensor& in, const ChipTensor& out) {
  const ChipTensor outer = copied(in, 64, 1);
  uint32_t rounds = 0;
  for (int i = 0; i < 10; ++i) {
    PTO2_SCOPE() {
      const ChipTensor inner = copied(outer, 64, 1);
      if (i == 3) {
        continue;
      }
      if (i == 6) {
        break;
      }
      PTO2_SCOPE() copy(inner, out, 64, 1);
      PTO2_SCOPE() {
        PTO2_SCOPE() { copy(inner, out, 64, 10); }
        copy(copied(inner, 64, 20), out, 64, 100);
      }
      ++rounds;
    }
  }
  try {
    PTO2_SCOPE() {
      copied(outer, 64, 1);
      throw std::runtime_error("leaves the scope");
    }
  } catch (const std::runtime_error&) {
    ++rounds;
  }
  copy(outer, out, 32, 1);
  put(out, 100, static_cast<int32_t>(rounds));
}

void after_scope(const ChipTensor& in, const ChipTensor& out) {
  ChipTensor kept;
  PTO2_SCOPE() { kept = copied(in, 64, 1); }
  copy(kept, out, 64, 1);
}

void large(const ChipTensor& in, const ChipTensor& out, int64_t times) {
  for (int64_t i = 0; i < times; ++i) {
    PTO2_SCOPE() {
      const uint32_t count = 1U << 20U;
      const TensorCreateInfo info(&count, 1, DataType::INT32);
      CoreTaskArgs task;
      task.add_input(in);
      task.add_output(info);
      task.add_scalar(64, 1);
      const TaskOutputTensors outputs = rt_submit_aiv_task(0, task);
      copy(outputs.get_ref(0), out, 64, 1);
    }
  }
}

void create(const uint32_t* shapes, uint32_t ndims, DataType dtype) {
  const TensorCreateInfo info(shapes, ndims, dtype);
  CoreTaskArgs task;
  task.add_output(info);
  rt_submit_aiv_task(0, task);
}

void host_elements(const ChipTensor& in, const ChipTensor& out, int64_t mistake) {
  const uint32_t square[] = {16, 16};
  const ChipTensor turned = in.reshape(square, 2).transpose(0, 1);
  const uint32_t at[] = {3, 5};
  switch (mistake) {
    case 0: {
      put(out, 0, get_tensor_data<int32_t>(turned, 2, at));
      set_tensor_data(out.reshape(square, 2), 2, at, 77);
      copy(out, out, 64, 1);  // sees it
      return;
    }
    case 1: get_tensor_data<int32_t>(in, 2, at); return;
    case 2: get_tensor_data<int64_t>(in, 1, at); return;
    case 3: {
      const uint32_t beyond[] = {3, 16};
      set_tensor_data(turned, 2, beyond, 1);
      return;
    }
    default: {
      ChipTensor wild = in;
      wild.buffer.addr += uint64_t{1} << 20U;
      get_tensor_data<int32_t>(wild, 1, at);
    }
  }
}

void arguments(const ChipTensor& in, const ChipTensor& out) {
  CoreTaskArgs task;
  task.add_scalar(1);
  task.add_input(in);
  put(out, 0, task.has_error && task.error_msg != nullptr ? 1 : 0);
  task.launch_spec.set_block_num(1000);
  task.reset();
  put(out, 1, task.has_error || task.error_msg != nullptr ? 1 : 0);
  put(out, 2, task.tensor_count() + task.scalar_count());
  task.add_input(in);
  task.add_inout(out);
  const uint64_t scalars[] = {32};
  const int32_t number[] = {-1};
  task.add_scalars(scalars, 1);
  task.add_scalars_i32(number, 1);
  const PTO2TaskId none;
  task.set_dependencies(&none, 1);
  rt_submit_aiv_task(0, task);
}

void bad_arguments(const ChipTensor& in, int64_t mistake) {
  CoreTaskArgs task;
  const TensorCreateInfo info(in.shapes, 1, DataType::INT32);
  switch (mistake) {
    case 0:
      for (int i = 0; i < 33; ++i) {
        task.add_output(info);
      }
      break;
    case 1:
      for (int i = 0; i < 17; ++i) {
        task.add_scalar(i);
      }
      break;
    case 2: task.add_scalars(nullptr, 1); break;
    case 3: task.set_dependencies(nullptr, 1); break;
    default: task.add_scalar(1); task.add_output(info);
  }
  rt_submit_aiv_task(0, task);
}

void race(const ChipTensor& in, const ChipTensor& out, const ChipTensor& scratch, const CommContext& context) {
  const uint32_t first[] = {0};
  if (context.rankId == 0) {
    ChipTensor peer = scratch;
    peer.buffer.addr = context.windowsIn[1];
    copy(in, peer, 1, 0);
  } else {
    put(out, 0, get_tensor_data<int32_t>(scratch, 1, first));
  }
}

void log_all() {
  LOG_ERROR("error %d", 1);
  LOG_WARN("warning %s", "two");
  LOG_INFO("information");
  LOG_DEBUG("detail");
  LOG_TIMING("time");
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig aicpu_orchestration_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = 6};
}

__attribute__((visibility("default"))) void aicpu_orchestration_entry(const ChipTaskArgs& args) {
  const ChipTensor& in = args.tensor(0).ref();
  const ChipTensor& out = args.tensor(1).ref();
  const auto value = from_u64<int64_t>(args.scalar(1));
  const uint32_t huge[] = {1U << 20U, 1U << 20U, 1U << 3U};
  const uint32_t countless[] = {~0U, ~0U};
  const uint32_t some[] = {63};
  switch (static_cast<Outputs>(args.scalar(0))) {
    case Outputs::kNothing: return;
    case Outputs::kMixed: return mixed(in, out);
    case Outputs::kEmpty: return empty(in, out);
    case Outputs::kManySizes: return many_sizes(in, out);
    case Outputs::kScopes: return scopes(in, out);
    case Outputs::kAfterScope: return after_scope(in, out);
    case Outputs::kLarge: return large(in, out, value);
    case Outputs::kTooLarge: return create(huge, 3, DataType::INT64);
    case Outputs::kNoMemoryOrder: return create(countless, 2, DataType::INT64);
    case Outputs::kBeyond: {
      const ChipTensor made = copied(in, 64, 1);
      return copy(made, out, 65, 1);
    }
    case Outputs::kNoSuchOutput: {
      const TensorCreateInfo info(some, 1);
      CoreTaskArgs task;
      task.add_output(info);
      task.add_output(out);
      task.add_scalar(0, 0);
      const TaskOutputTensors outputs = rt_submit_aiv_task(0, task);
      outputs.get_ref(1);
      return;
    }
    case Outputs::kHostElements: return host_elements(in, out, value);
    case Outputs::kArguments: return arguments(in, out);
    case Outputs::kBadArguments: return bad_arguments(in, value);
    case Outputs::kRace:
      return race(in, out, args.tensor(2).ref(), *reinterpret_cast<const CommContext*>(args.scalar(2)));
    case Outputs::kLog: return log_all();
  }
}

}  // extern "C"
