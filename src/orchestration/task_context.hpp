// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the exported functions of pto_orchestration_api.h work on: the task that the calling thread executes.

#include <cstdint>
#include <map>
#include <string>

#include "orchestration/block_team.hpp"
#include "orchestration/checked_platform.hpp"
#include "orchestration/kernel_object.hpp"
#include "orchestration/output_buffers.hpp"
#include "orchestration/pending_tasks.hpp"
#include "rank/control.hpp"

namespace tileput::orchestration {

using KernelEntry = void (*)(std::int64_t* args);

struct Kernel {
  KernelObject object;
  KernelEntry entry = nullptr;
  bool is_cube = false;
  std::string name;  ///< file name, for messages
};

/// One callable as a rank has loaded it.
struct LoadedCallable {
  std::uint64_t id = 0;
  KernelObject orchestration;
  void* entry = nullptr;
  void* config = nullptr;
  std::string name;
  std::map<std::int32_t, Kernel> kernels;
};

class TaskMemory;

/// The running task of a rank; set around every call of an orchestration.
struct TaskContext {
  const LoadedCallable* callable = nullptr;
  int rank = 0;
  rank::RankSlot* slot = nullptr;      ///< says what the rank executes
  BlockTeam* team = nullptr;           ///< what runs its kernels
  CheckedPlatform* checked = nullptr;  ///< the machine that they run on; null: the CPU
  std::uint64_t submitted = 0;         ///< core tasks so far, across calls
  TaskMemory* memory = nullptr;        ///< what its kernels may address
  PendingTasks pending = {};
  OutputBuffers outputs = {};
  CompletionConditions conditions = {};  ///< of the core task that runs

  /// Waits for all deferred tasks.
  void await_pending();
  /// After each call of the orchestration but the last: waits for all deferred tasks, and gives back what was
  /// allocated.
  void end_call();
  /// After the last one: what the completion of the task still waits for. Waits itself where a pending task has memory
  /// that was allocated for it.
  std::vector<CompletionCondition> end_task();
};

/// Makes a task the calling thread's, and no task afterwards.
class ScopedTaskContext {
 public:
  explicit ScopedTaskContext(TaskContext& context) noexcept;
  ~ScopedTaskContext();
  ScopedTaskContext(const ScopedTaskContext&) = delete;
  ScopedTaskContext& operator=(const ScopedTaskContext&) = delete;

 private:
  TaskContext& context_;
};

}  // namespace tileput::orchestration
