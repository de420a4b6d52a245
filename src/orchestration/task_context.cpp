// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/task_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/fiber.hpp"
#include "base/log.hpp"
#include "intrinsic.h"
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
  for (int i = 0; i < task.tensor_count(); ++i) {
    args[next++] = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(task.tensor(i)));
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
}

}  // namespace

void TaskContext::await_pending() {
  if (!pending.empty()) {
    pending.await_all(team->waiting(), team->core().heap_base);
  }
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

std::uint64_t tileput_submit_task(int is_cube, std::int32_t func_id, const CoreTaskArgs* args) {
  TaskContext& task = require_task("rt_submit_*_task");
  const Kernel& kernel = require_kernel(task, func_id, is_cube != 0);
  check_args(task, kernel, *args);
  if (!task.pending.empty()) {
    task.pending.await_predecessors(*args, task.team->waiting(), task.team->core().heap_base);
  }
  task.conditions.clear();
  {
    const InKernel in_kernel(*task.slot, func_id);
    run_blocks({task, kernel, *args, task.conditions});
  }
  if (!task.conditions.all().empty()) {
    task.pending.add(task.submitted, *args, task.conditions.all(), task.team->waiting(), task.team->core().heap_base);
  }
  return task.submitted++;
}

void tileput_fail_argument(const char* what, long long index, long long count) {
  throw Error(ErrorCode::kTooFewArguments, fmt::format("the orchestration asks for {} {} of {}", what, index, count),
              "pass as many arguments as the orchestration reads");
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
