// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include "rank/control.hpp"

namespace tileput::rank {

/// Makes this process note in its slot why it dies of SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGABRT, before it does.
/// For rank processes; call it on the thread that runs kernels;
/// other threads that do so need a CrashStack each. Not under a sanitizer that reports such signals itself.
void install_crash_handler(RankSlot& slot);

/// Gives the calling thread a stack for that handler, for as long as this lives: a kernel that overflows its own stack
/// has none left. Does nothing where no handler is installed. Made and destroyed on one thread.
class CrashStack {
 public:
  CrashStack();
  ~CrashStack();
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  std::unique_ptr<std::byte[]> memory_;
};

}  // namespace tileput::rank
