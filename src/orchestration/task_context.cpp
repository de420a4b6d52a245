// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/task_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "base/fiber.hpp"
#include "base/log.hpp"
#include "intrinsic.h"
#include "orchestration/task_memory.hpp"
#include "pto_orchestration_api.h"
#include "tileput/error.hpp"
#include "tileput/machine/core.hpp"

namespace tileput::orchestration {

namespace {

thread_local TaskContext* current_task = nullptr;
[[maybe_unused]] const bool kKept = base::Fiber::keep_local(
    [](void* task) noexcept -> void* { return std::exchange(current_task, static_cast<TaskContext*>(task)); });

TaskContext& require_task(const char* call) {
  if (current_task == nullptr) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{} outside an orchestration", call),
                "call it from the entry function, on the thread that runs it");
  }
  return *current_task;
}

const Kernel& require_kernel(const TaskContext& task, std::int32_t func_id, bool is_cube) {
  const auto found = task.callable->kernels.find(func_id);
  if (found == task.callable->kernels.end()) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("{} submits func_id {}, which no kernel has", task.callable->name, func_id),
                "register a kernel under that func_id when the callable is loaded");
  }
  if (found->second.is_cube != is_cube) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("{} submits func_id {} as an {} task, but {} is an {} kernel", task.callable->name, func_id,
                            is_cube ? "AIC" : "AIV", found->second.name, is_cube ? "AIV" : "AIC"),
                "use rt_submit_aiv_task for AIV kernels and rt_submit_aic_task for AIC kernels");
  }
  return found->second;
}

std::string rank_text() { return current_task == nullptr ? "host" : fmt::format("rank {}", current_task->rank); }

std::string format_text(const char* format, va_list arguments) {
  char text[1024];
  std::vsnprintf(text, sizeof(text), format, arguments);
  return text;
}

/// Says that the rank executes a kernel, for reports.
class InKernel {
 public:
  InKernel(rank::RankSlot& slot, std::int32_t func_id) noexcept : slot_(slot) {
    slot_.func_id.store(func_id, std::memory_order_relaxed);
    slot_.activity.store(rank::Activity::kKernel, std::memory_order_relaxed);
  }
  ~InKernel() { slot_.activity.store(rank::Activity::kOrchestration, std::memory_order_relaxed); }
  InKernel(const InKernel&) = delete;
  InKernel& operator=(const InKernel&) = delete;

 private:
  rank::RankSlot& slot_;
};

/// A task's kernel with its arguments.
struct Invocation {
  const TaskContext& context;
  const Kernel& kernel;
  const CoreTaskArgs& task;
  std::span<const ChipTensor* const> tensors;
  CompletionConditions& conditions;
};

/// Throws what a kernel threw, with its name and the place it ran.
[[noreturn]] void rethrow(const std::exception_ptr& failure, const Kernel& kernel, const std::string& place) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{} on {}: {}", kernel.name, place, error.detail()), error.hint());
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kKernel, fmt::format("{} on {} threw: {}", kernel.name, place, error.what()),
                "correct the kernel");
  } catch (...) {
    throw Error(ErrorCode::kKernel, fmt::format("{} on {} threw", kernel.name, place), "correct the kernel");
  }
}

std::string place_of(const Invocation& invocation, int block) {
  return invocation.task.launch_spec.block_num == 1 ? fmt::format("rank {}", invocation.context.rank)
                                                    : fmt::format("rank {}, block {}", invocation.context.rank, block);
}

/// One block on the checked machine, where others of the task may wait for it without ever looking whether it failed.
void run_checked(const Invocation& invocation, int block, std::int64_t* args) {
  CheckedPlatform& checked = *invocation.context.checked;
  try {
    checked.run_kernel(invocation.context.rank, invocation.kernel.is_cube, tileput::machine::current_core(),
                       [&] { invocation.kernel.entry(args); });
  } catch (...) {
    // What unwinds the block comes when the rank's own stack, and the invocation with it, may be gone already.
    if (checked.ends() || invocation.task.launch_spec.block_num == 1) {
      throw;
    }
    try {
      rethrow(std::current_exception(), invocation.kernel, place_of(invocation, block));
    } catch (const Error& error) {
      checked.note_failure(error);
    }
    throw;
  }
}

/// One block of it: the args array of spec section 17.2.
void run_block(const Invocation& invocation, int block) {
  constexpr int kLocalIndex = tileput::abi::kLocalContextIndex;
  constexpr int kGlobalIndex = tileput::abi::kGlobalContextIndex;
  static_assert(CoreTaskArgs::kTensorsMax + CoreTaskArgs::kScalarsMax == kLocalIndex);
  const CoreTaskArgs& task = invocation.task;
  LocalContext local{};
  local.block_idx = block;
  local.block_num = task.launch_spec.block_num;
  local.async_ctx.conditions = &invocation.conditions;
  GlobalContext global{};
  std::int64_t args[tileput::abi::kTaskArgumentCount];
  int next = 0;
  for (const ChipTensor* const tensor : invocation.tensors) {
    args[next++] = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(tensor));
  }
  for (int i = 0; i < task.scalar_count(); ++i) {
    args[next++] = static_cast<std::int64_t>(task.scalar(i));
  }
  std::fill(args + next, args + kLocalIndex, 0);
  args[kLocalIndex] = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(&local));
  args[kGlobalIndex] = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(&global));
  if (invocation.context.checked != nullptr) {
    run_checked(invocation, block, args);
    return;
  }
  invocation.kernel.entry(args);
}

void run_blocks(const Invocation& invocation) {
  const TaskContext& context = invocation.context;
  const int count = invocation.task.launch_spec.block_num;
  if (context.checked != nullptr) {
    context.checked->begin_kernel(context.rank);
  }
  if (count == 1) {
    try {
      run_block(invocation, 0);
    } catch (...) {
      rethrow(std::current_exception(), invocation.kernel, place_of(invocation, 0));
    }
    return;
  }
  const BlockWork work{[](const void* of, int block) { run_block(*static_cast<const Invocation*>(of), block); },
                       &invocation};
  const BlockTeam::Failure failure = context.team->run(count, work);
  if (failure.error) {
    rethrow(failure.error, invocation.kernel, place_of(invocation, failure.block));
  }
}

void check_args(const TaskContext& context, const Kernel& kernel, const CoreTaskArgs& args) {
  if (args.has_error) {
    throw Error(ErrorCode::kOrchestration,
                fmt::format("the arguments for {} do not fit: {}", kernel.name, args.error_msg),
                "a core task takes up to 32 tensors, then up to 16 scalars");
  }
  const int blocks = args.launch_spec.block_num;
  if (blocks < 1 || blocks > tileput::rank::kBlocksMax) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{} is submitted with {} blocks", kernel.name, blocks),
                fmt::format("a task has 1 to {} blocks", tileput::rank::kBlocksMax));
  }
  for (std::int64_t i = 0; i < args.dependency_count(); ++i) {
    const PTO2TaskId id = args.dependency(i);
    if (id.raw >= context.submitted && id.raw != PTO2TaskId().raw) {
      throw Error(
          ErrorCode::kBadArgument,
          fmt::format("{} is submitted with a dependency on task {} of {}", kernel.name, id.raw, context.submitted),
          "name tasks by the ids that their submit calls returned");
    }
  }
  for (int i = 0; i < args.tensor_count(); ++i) {
    if (args.direction(i) != TensorArgType::OUTPUT) {
      context.outputs.require_live(*args.tensor(i));
    }
  }
}

/// The address of an element that an orchestration accesses.
std::uintptr_t element_address(const TaskContext& task, const char* call, const ChipTensor& tensor, std::uint32_t ndims,
                               const std::uint32_t* indices, std::uint64_t value_bytes) {
  const auto fail = [call](const std::string& text, const char* hint) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{}: {}", call, text), hint);
  };
  const std::uint64_t element_bytes = get_element_size(tensor.dtype);
  if (value_bytes != element_bytes) {
    fail(fmt::format("a value of {} bytes for elements of {}, which have {}", value_bytes, get_dtype_name(tensor.dtype),
                     element_bytes),
         "use the type of the tensor's elements");
  }
  if (ndims != tensor.ndims || ndims > static_cast<std::uint32_t>(MAX_TENSOR_DIMS) || ndims == 0) {
    fail(fmt::format("{} indices for a tensor of {} dimensions", ndims, tensor.ndims), "give one for each dimension");
  }
  task.outputs.require_live(tensor);
  std::uint64_t offset = tensor.start_offset;
  for (std::uint32_t d = 0; d < ndims; ++d) {
    if (indices[d] >= tensor.shapes[d]) {
      fail(fmt::format("index {} of dimension {}, which has {} elements", indices[d], d, tensor.shapes[d]),
           "indices are below the tensor's shape");
    }
    offset += std::uint64_t{indices[d]} * tensor.strides[d];
  }
  const std::uintptr_t address = tensor.buffer.addr + offset * element_bytes;
  const std::optional<machine::KnownRange> range = task.memory->find(address);
  if (!range || element_bytes > range->end - address) {
    throw Error(ErrorCode::kOutOfWindow,
                fmt::format("{}: the {} bytes at {:#x} are not inside a window or tensor of this task; {}", call,
                            element_bytes, address, task.memory->describe(address)),
                "check the tensor's address and shape");
  }
  return address;
}

/// Makes `access` once no pending task is in its way.
void access_element(TaskContext& task, const ChipTensor& tensor, std::uintptr_t address, bool writes, const void* site,
                    const std::function<void()>& access) {
  if (!task.pending.empty()) {
    const std::uint64_t element_bytes = get_element_size(tensor.dtype);
    const std::uintptr_t begin = tensor.buffer.addr + tensor.start_offset * element_bytes;
    task.pending.await_access(begin, begin + tensor.extent_elements * element_bytes, writes, task.team->waiting(),
                              task.team->core().heap_base);
  }
  if (task.checked != nullptr) {
    task.checked->access_from_host(task.rank, task.team->core(), address, get_element_size(tensor.dtype), writes, site,
                                   access);
  } else {
    access();
  }
}

/// The tensors of a task in the order of its kernel's arguments.
class TaskTensors {
 public:
  TaskTensors(const CoreTaskArgs& args, std::span<const ChipTensor> allocated) : count_(args.tensor_count()) {
    std::size_t next = 0;
    for (int i = 0; i < args.tensor_count(); ++i) {
      tensors_[i] = args.direction(i) == TensorArgType::OUTPUT ? &allocated[next++] : args.tensor(i);
    }
  }
  [[nodiscard]] std::span<const ChipTensor* const> all() const noexcept {
    return {tensors_, static_cast<std::size_t>(count_)};
  }

 private:
  int count_;
  const ChipTensor* tensors_[CoreTaskArgs::kTensorsMax];  // filled up to the count
};

}  // namespace

void TaskContext::await_pending() {
  if (!pending.empty()) {
    pending.await_all(team->waiting(), team->core().heap_base);
  }
}

void TaskContext::end_call() {
  await_pending();
  outputs.end_call(pending);
}

std::vector<CompletionCondition> TaskContext::end_task() {
  outputs.end_call(pending);
  if (outputs.size() != 0) {
    end_call();
  }
  return pending.take_unmet();
}

// relaxed: only reports read what a rank executes
ScopedTaskContext::ScopedTaskContext(TaskContext& context) noexcept : context_(context) {
  current_task = &context_;
  context_.slot->callable.store(context_.callable->id, std::memory_order_relaxed);
  context_.slot->activity.store(rank::Activity::kOrchestration, std::memory_order_relaxed);
}

ScopedTaskContext::~ScopedTaskContext() {
  context_.slot->activity.store(rank::Activity::kIdle, std::memory_order_relaxed);
  current_task = nullptr;
}

}  // namespace tileput::orchestration

namespace {

using tileput::Error;
using tileput::ErrorCode;
using namespace tileput::orchestration;  // NOLINT(google-build-using-namespace): the C entry points of this file

}  // namespace

extern "C" {

tileput_submitted_task tileput_submit(int is_cube, std::int32_t func_id, const CoreTaskArgs* args) {
  TaskContext& task = require_task("rt_submit_*_task");
  const Kernel& kernel = require_kernel(task, func_id, is_cube != 0);
  check_args(task, kernel, *args);
  task.outputs.collect(task.pending);
  const std::span<const ChipTensor> allocated = task.outputs.allocate(task.submitted, func_id, *args);
  const TaskTensors tensors(*args, allocated);
  if (!task.pending.empty()) {
    task.pending.await_predecessors({*args, tensors.all()}, task.team->waiting(), task.team->core().heap_base);
  }
  task.conditions.clear();
  {
    const InKernel in_kernel(*task.slot, func_id);
    run_blocks({task, kernel, *args, tensors.all(), task.conditions});
  }
  if (!task.conditions.all().empty()) {
    task.pending.add(task.submitted, {*args, tensors.all()}, task.conditions.all(), task.team->waiting(),
                     task.team->core().heap_base);
  }
  return {task.submitted++, allocated.data(), static_cast<std::int64_t>(allocated.size())};
}

void tileput_begin_scope(void) { require_task("PTO2_SCOPE").outputs.begin_scope(); }

void tileput_end_scope(void) noexcept {
  if (current_task != nullptr) {  // it is: the scope began in this task
    current_task->outputs.end_scope(current_task->pending);
  }
}

void tileput_get_element(const ChipTensor* tensor, std::uint32_t ndims, const std::uint32_t* indices, void* value,
                         std::uint64_t value_bytes) {
  const char* const site = static_cast<const char*>(__builtin_return_address(0)) - 1;
  TaskContext& task = require_task("get_tensor_data");
  const std::uintptr_t address = element_address(task, "get_tensor_data", *tensor, ndims, indices, value_bytes);
  access_element(task, *tensor, address, false, site,
                 [=] { std::memcpy(value, reinterpret_cast<const void*>(address), value_bytes); });
}

void tileput_set_element(const ChipTensor* tensor, std::uint32_t ndims, const std::uint32_t* indices, const void* value,
                         std::uint64_t value_bytes) {
  const char* const site = static_cast<const char*>(__builtin_return_address(0)) - 1;
  TaskContext& task = require_task("set_tensor_data");
  const std::uintptr_t address = element_address(task, "set_tensor_data", *tensor, ndims, indices, value_bytes);
  access_element(task, *tensor, address, true, site,
                 [=] { std::memcpy(reinterpret_cast<void*>(address), value, value_bytes); });
}

void tileput_fail_argument(const char* what, long long index, long long count) {
  throw Error(ErrorCode::kTooFewArguments,
              fmt::format("the orchestration asks for {} {} (the first is 0), and there are {}", what, index, count),
              "pass as many arguments as the orchestration reads");
}

void tileput_fail_output(unsigned long long task, long long index, long long count) {
  throw Error(
      ErrorCode::kBadArgument,
      fmt::format("the orchestration asks for output {} of the {} that were allocated for task {}", index, count, task),
      "get_ref() counts the TensorCreateInfo objects of the task, from 0");
}

void tileput_report_fatal(int code, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const std::string text = format_text(format, arguments);
  va_end(arguments);
  const TaskContext& task = require_task("rt_report_fatal");
  throw Error(ErrorCode::kOrchestration,
              fmt::format("{} on rank {} reported code {}: {}", task.callable->name, task.rank, code, text),
              "correct what the orchestration was given, or the orchestration");
}

void tileput_log(int level, const char* file, int line, const char* format, ...) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::err, spdlog::level::warn, spdlog::level::info,
                                                   spdlog::level::debug};
  va_list arguments;
  va_start(arguments, format);
  const std::string text = format_text(format, arguments);
  va_end(arguments);
  const char* const name = std::strrchr(file, '/');
  tileput::base::logger().log(kLevels[level], "{}: {}:{}: {}", rank_text(), name != nullptr ? name + 1 : file, line,
                              text);
}

}  // extern "C"
