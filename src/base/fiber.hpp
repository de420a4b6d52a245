// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace tileput::base {

/// A function that runs on a stack of its own and can stop in the middle. One thread at a time may use it;
/// AddressSanitizer and ThreadSanitizer are told of every switch. The stack ends in a page without access, so running
/// out of it is a fault, not a write into something else; stacks are kept for the next fiber of the thread.
class Fiber {
 public:
  static constexpr std::size_t kStackBytes = 1U << 20U;

  /// `body` starts at the first resume(). Error kSystem when the system gives no stack.
  explicit Fiber(std::function<void()> body, std::size_t stack_bytes = kStackBytes);
  /// A body that has not returned is unwound: its pending suspend(), and each that follows, throws something that is
  /// not a std::exception and that only this destructor catches for good.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Runs the body until it suspends or returns; what it throws comes out of here. A fiber may resume another one.
  void resume();
  [[nodiscard]] bool is_done() const noexcept;

  /// Only inside a body: goes back to who resumed it.
  static void suspend();
  /// The fiber the calling thread runs; null outside.
  [[nodiscard]] static Fiber* current() noexcept;

  static constexpr std::size_t kLocalsMax = 8;
  /// Gives a thread-local pointer the value and returns the one it had.
  using ExchangeLocal = void* (*)(void* value) noexcept;
  /// From now on each fiber, and each thread outside of fibers, has a value of its own of that pointer; a fiber's is
  /// null at first. At most kLocalsMax; call it when the program starts: `static const bool kKept =
  /// Fiber::keep_local(...)`. Exceptions that are being handled are kept so too.
  static bool keep_local(ExchangeLocal exchange);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tileput::base
