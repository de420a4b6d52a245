// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/pending_tasks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/source_line.hpp"
#include "pto_orchestration_api.h"
#include "tileput/error.hpp"
#include "tileput/machine/known_memory.hpp"

namespace tileput::orchestration {

namespace {

const std::int32_t* unmet(const void* condition) { return static_cast<const CompletionCondition*>(condition)->unmet(); }

}  // namespace

void CompletionConditions::add(const CompletionCondition& condition) {
  const std::uint32_t index = count_.load(std::memory_order_relaxed) < kConditionsMax
                                  ? count_.fetch_add(1, std::memory_order_relaxed)  // read after the blocks have ended
                                  : kConditionsMax;
  if (index >= kConditionsMax) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("the task registers more than {} completion conditions", kConditionsMax),
                "wait for the others in the kernel, or let several notifies add up in one counter");
  }
  list_[index] = condition;
}

std::vector<PendingTasks::Access> PendingTasks::accesses_of(const TaskArguments& arguments) {
  std::vector<Access> accesses;
  for (std::size_t i = 0; i < arguments.tensors.size(); ++i) {
    const ChipTensor& tensor = *arguments.tensors[i];
    if (tensor.extent_elements != 0) {
      const TensorArgType direction = arguments.args.direction(static_cast<int>(i));
      const std::uint64_t element_bytes = get_element_size(tensor.dtype);
      const std::uintptr_t begin = tensor.buffer.addr + tensor.start_offset * element_bytes;
      accesses.push_back({begin, begin + tensor.extent_elements * element_bytes, direction != TensorArgType::INPUT,
                          direction == TensorArgType::NO_DEP ? Order::kNone
                          : tensor.manual_dep                ? Order::kManual
                                                             : Order::kAutomatic});
    }
  }
  return accesses;
}

bool PendingTasks::names(std::uintptr_t begin, std::uintptr_t end) const noexcept {
  return std::any_of(tasks_.begin(), tasks_.end(), [begin, end](const Task& task) {
    return std::any_of(task.accesses.begin(), task.accesses.end(),
                       [begin, end](const Access& access) { return access.overlaps(begin, end); }) ||
           std::any_of(task.conditions.begin(), task.conditions.end(),
                       [begin, end](const CompletionCondition& condition) {
                         const auto counter = reinterpret_cast<std::uintptr_t>(condition.counter);
                         return counter >= begin && counter < end;
                       });
  });
}

void PendingTasks::add(std::uint64_t id, const TaskArguments& arguments,
                       std::span<const CompletionCondition> conditions, rank::Waiting& waiting,
                       std::uintptr_t heap_base) {
  Task task{id, accesses_of(arguments), {conditions.begin(), conditions.end()}, 0};
  if (advance(task)) {
    return;
  }
  if (tasks_.size() == kTasksMax) {
    await(tasks_.front(), waiting, heap_base);
    std::erase_if(tasks_, [this](Task& earlier) { return advance(earlier); });
  }
  tasks_.push_back(std::move(task));
}

std::vector<CompletionCondition> PendingTasks::take_unmet() {
  std::vector<CompletionCondition> unmet;
  for (Task& task : tasks_) {
    advance(task);
    unmet.insert(unmet.end(), task.conditions.begin() + static_cast<std::ptrdiff_t>(task.met), task.conditions.end());
  }
  tasks_.clear();
  return unmet;
}

bool PendingTasks::advance(Task& task) const noexcept {
  while (!await_ && task.met < task.conditions.size() && task.conditions[task.met].unmet() == nullptr) {
    ++task.met;
  }
  return task.met == task.conditions.size();
}

void PendingTasks::await(Task& task, rank::Waiting& waiting, std::uintptr_t heap_base) const {
  while (!advance(task)) {
    const CompletionCondition& condition = task.conditions[task.met];
    if (await_) {
      await_(condition);
      ++task.met;
      continue;
    }
    waiting.until({heap_base, static_cast<std::int32_t>(condition.expected), rank::kCompareCounter, condition.site},
                  &unmet, &condition);
    ++task.met;  // seen high enough once, which is what counts
  }
}

bool PendingTasks::depends(const Task& earlier, const CoreTaskArgs& args, const std::vector<Access>& accesses) {
  for (std::int64_t i = 0; i < args.dependency_count(); ++i) {
    if (args.dependency(i).raw == earlier.id) {
      return true;
    }
  }
  for (const Access& a : earlier.accesses) {
    for (const Access& b : accesses) {
      if ((a.writes || b.writes) && a.order == Order::kAutomatic && b.order == Order::kAutomatic &&
          a.overlaps(b.begin, b.end)) {
        return true;
      }
    }
  }
  return false;
}

void PendingTasks::await_predecessors(const TaskArguments& arguments, rank::Waiting& waiting,
                                      std::uintptr_t heap_base) {
  const std::vector<Access> accesses = accesses_of(arguments);
  for (Task& task : tasks_) {
    if (depends(task, arguments.args, accesses)) {
      await(task, waiting, heap_base);
    }
  }
  std::erase_if(tasks_, [this](Task& task) { return advance(task); });
}

void PendingTasks::await_access(std::uintptr_t begin, std::uintptr_t end, bool writes, rank::Waiting& waiting,
                                std::uintptr_t heap_base) {
  for (Task& task : tasks_) {
    if (std::any_of(task.accesses.begin(), task.accesses.end(), [&](const Access& access) {
          return (access.writes || writes) && access.order != Order::kNone && access.overlaps(begin, end);
        })) {
      await(task, waiting, heap_base);
    }
  }
  std::erase_if(tasks_, [this](Task& task) { return advance(task); });
}

void PendingTasks::await_all(rank::Waiting& waiting, std::uintptr_t heap_base) {
  for (Task& task : tasks_) {
    await(task, waiting, heap_base);
  }
  tasks_.clear();
}

}  // namespace tileput::orchestration

extern "C" void tileput_register_condition(void* conditions, const volatile void* counter, std::uint32_t expected,
                                           const void* site) {
  using tileput::Error;
  using tileput::ErrorCode;
  namespace machine = tileput::machine;
  const auto call = [site] {
    const std::string line = tileput::base::line_here(site);
    return "register_completion_condition" + (line.empty() ? line : " at " + line);
  };
  if (conditions == nullptr) {
    throw Error(ErrorCode::kBadArgument, call() + ": the context belongs to no task",
                "use the context that get_async_ctx(args) returns in a kernel that a task runs");
  }
  const auto address = reinterpret_cast<std::uintptr_t>(counter);
  if (address % sizeof(std::int32_t) != 0) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{}: the counter at {:#x} is not aligned", call(), address),
                "a counter is a 32-bit number at a multiple of 4 bytes");
  }
  if (const machine::KnownMemory* const memory = machine::current_core().memory; memory != nullptr) {
    const std::optional<machine::KnownRange> range = memory->find(address);
    if (!range || range->end - address < sizeof(std::int32_t)) {
      throw Error(ErrorCode::kOutOfWindow,
                  fmt::format("{}: the counter at {:#x} is not inside a window or tensor of this task; {}", call(),
                              address, memory->describe(address)),
                  "use a word of the own window, which peers can raise");
    }
  }
  static_cast<tileput::orchestration::CompletionConditions*>(conditions)
      ->add({const_cast<const std::int32_t*>(static_cast<const volatile std::int32_t*>(counter)), expected, site});
}
