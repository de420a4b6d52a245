// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the exported functions of pto_orchestration_api.h work on: the task that the calling thread executes.

#include <cstdint>
#include <map>
#include <string>

#include "orchestration/kernel_object.hpp"

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
  KernelObject orchestration;
  void* entry = nullptr;
  void* config = nullptr;
  std::string name;
  std::map<std::int32_t, Kernel> kernels;
};

/// The running task of a rank; set around every call of an orchestration.
struct TaskContext {
  const LoadedCallable* callable = nullptr;
  int rank = 0;
  std::uint64_t submitted = 0;  ///< core tasks so far, across calls
};

/// Runs config, check and entry as spec section 18.1 orders: the check once, then the entry.
class ScopedTaskContext {
 public:
  explicit ScopedTaskContext(TaskContext& context) noexcept;
  ~ScopedTaskContext();
  ScopedTaskContext(const ScopedTaskContext&) = delete;
  ScopedTaskContext& operator=(const ScopedTaskContext&) = delete;
};

}  // namespace tileput::orchestration
