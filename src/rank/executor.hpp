// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace tileput::rank {

/// Runs ranks and blocks in turn on one thread, each on a stack of its own: nobody may block that thread.
class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  /// Returns once `condition` holds; others run meanwhile. Throws what unwinds the caller when it is ended.
  virtual void wait_until(std::function<bool()> condition) = 0;
  /// Runs `body`, which throws nothing, beside the caller. It may be ended in any of its waits, after the caller.
  virtual void spawn(std::function<void()> body) = 0;
};

}  // namespace tileput::rank
