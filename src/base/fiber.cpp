// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "base/fiber.hpp"

#include <cxxabi.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <boost/context/detail/fcontext.hpp>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/sanitizer.hpp"
#include "base/system.hpp"

#if TILEPUT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if TILEPUT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace tileput::base {

namespace {

// The switches of Boost.Context without its class: nothing of the body's stack runs after the last switch away from it,
// which the sanitizers' books need.
using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

/// Memory for a stack, with a page without access below it.
class Stack {
 public:
  explicit Stack(std::size_t bytes) : bytes_(round_up(bytes, page_bytes())) {
    void* const mapping = ::mmap(nullptr, bytes_ + page_bytes(), PROT_NONE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED) {
      throw_errno("mmap of a fiber's stack", "use fewer ranks or blocks at a time");
    }
    bottom_ = static_cast<std::byte*>(mapping) + page_bytes();
    if (::mprotect(bottom_, bytes_, PROT_READ | PROT_WRITE) != 0) {
      const int error = errno;
      unmap();
      errno = error;
      throw_errno("mprotect of a fiber's stack", "raise vm.max_map_count, or use fewer ranks or blocks at a time");
    }
  }
  ~Stack() { unmap(); }
  Stack(Stack&& other) noexcept : bottom_(std::exchange(other.bottom_, nullptr)), bytes_(other.bytes_) {}
  Stack& operator=(Stack&& other) noexcept {
    std::swap(bottom_, other.bottom_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  [[nodiscard]] std::byte* bottom() const noexcept { return bottom_; }
  [[nodiscard]] std::byte* top() const noexcept { return bottom_ + bytes_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  void unmap() noexcept {
    if (bottom_ != nullptr) {
      ::munmap(bottom_ - page_bytes(), bytes_ + page_bytes());
    }
  }

  std::byte* bottom_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Stacks of fibers of this thread that have ended: a mapping costs more than a thousand switches.
class StackPool {
 public:
  static constexpr std::size_t kStacksMax = 256;

  StackPool() { exists = true; }
  ~StackPool() { exists = false; }
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  Stack take(std::size_t bytes) {
    if (bytes == Fiber::kStackBytes && !stacks_.empty()) {
      Stack stack = std::move(stacks_.back());
      stacks_.pop_back();
      return stack;
    }
    return Stack(bytes);
  }
  void give(Stack stack) {
    if (stack.bytes() == Fiber::kStackBytes && stacks_.size() < kStacksMax) {
      stacks_.push_back(std::move(stack));
    }
  }

  /// False after the end of this thread's pool; objects of static storage may hold fibers still.
  static thread_local bool exists;

 private:
  std::vector<Stack> stacks_;
};
thread_local bool StackPool::exists = false;
thread_local StackPool stack_pool;

/// The C++ run-time system's record of a thread's exceptions: those being handled, and how many are in flight.
struct ExceptionState {
  void* caught = nullptr;
  unsigned int uncaught = 0;

  void swap() noexcept {
    auto* const globals = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
    std::swap(caught, globals->caught);
    std::swap(uncaught, globals->uncaught);
  }
};

struct Locals {
  std::mutex mutex;
  std::array<Fiber::ExchangeLocal, Fiber::kLocalsMax> all{};
  std::atomic<std::size_t> count{0};
};
Locals& known_locals() {
  static Locals instance;
  return instance;
}

/// What every switch tells the sanitizers: which stack goes on, and that the other one is left for good or for now.
class Side {
 public:
#if TILEPUT_ASAN
  void leave_for(const Side& target, bool for_good) noexcept {
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, target.bottom_, target.bytes_);
  }
  /// `from` is told where its stack lies when it is a thread's.
  void arrive(Side& from) noexcept {
    const void* bottom = nullptr;
    std::size_t bytes = 0;
    __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &bytes);
    from.bottom_ = bottom;
    from.bytes_ = bytes;
  }
  void create(const Stack& stack) noexcept {
    bottom_ = stack.bottom();
    bytes_ = stack.bytes();
  }
  static void destroy(const Stack& stack) noexcept { __asan_unpoison_memory_region(stack.bottom(), stack.bytes()); }

 private:
  void* fake_stack_ = nullptr;
  const void* bottom_ = nullptr;
  std::size_t bytes_ = 0;
#elif TILEPUT_TSAN
  void leave_for(const Side& target, bool /*for_good*/) noexcept {
    fiber_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(target.fiber_, 0);
  }
  void arrive(Side& /*from*/) noexcept {}
  void create(const Stack& /*stack*/) noexcept { fiber_ = __tsan_create_fiber(0); }
  void destroy(const Stack& /*stack*/) noexcept { __tsan_destroy_fiber(fiber_); }

 private:
  void* fiber_ = nullptr;
#else
  void leave_for(const Side& /*target*/, bool /*for_good*/) noexcept {}
  void arrive(Side& /*from*/) noexcept {}
  void create(const Stack& /*stack*/) noexcept {}
  void destroy(const Stack& /*stack*/) noexcept {}
#endif
};

/// What unwinds a body that has not returned.
struct Unwind {};

}  // namespace

struct Fiber::Impl {
  Impl(Fiber* owner, std::function<void()> function, std::size_t stack_bytes);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// Runs the body until it suspends or ends.
  void enter();
  /// Goes back to who entered.
  void leave(bool for_good);
  void swap_locals() noexcept;
  [[noreturn]] static void start(transfer_t from);

  Fiber* self;
  std::function<void()> body;
  Stack stack;
  fcontext_t context = nullptr;  ///< where the body goes on
  fcontext_t caller = nullptr;   ///< where who entered goes on
  Side own_side;
  Side caller_side;
  std::array<void*, kLocalsMax> locals{};  ///< while the body runs those of who entered, else those of the body
  ExceptionState exceptions;               ///< the same
  Fiber* outer = nullptr;                  ///< the fiber that entered
  std::exception_ptr error;
  bool started = false;
  bool done = false;
  bool unwinds = false;
};

namespace {

thread_local Fiber* running = nullptr;

}  // namespace

Fiber::Impl::Impl(Fiber* owner, std::function<void()> function, std::size_t stack_bytes)
    : self(owner), body(std::move(function)), stack(stack_pool.take(stack_bytes)) {
  own_side.create(stack);
  context = make_fcontext(stack.top(), stack.bytes(), &Impl::start);
}

Fiber::Impl::~Impl() {
  own_side.destroy(stack);
  if (StackPool::exists) {
    stack_pool.give(std::move(stack));
  }
}

void Fiber::Impl::swap_locals() noexcept {
  const Locals& known = known_locals();
  const std::size_t count = known.count.load(std::memory_order_acquire);  // pairs with the release in keep_local()
  for (std::size_t i = 0; i < count; ++i) {
    locals[i] = known.all[i](locals[i]);
  }
  exceptions.swap();
}

void Fiber::Impl::enter() {
  outer = std::exchange(running, self);
  swap_locals();
  caller_side.leave_for(own_side, false);
  context = jump_fcontext(context, this).fctx;
  caller_side.arrive(own_side);
  swap_locals();
  running = outer;
}

void Fiber::Impl::leave(bool for_good) {
  own_side.leave_for(caller_side, for_good);
  caller = jump_fcontext(caller, nullptr).fctx;
  own_side.arrive(caller_side);
}

void Fiber::Impl::start(transfer_t from) {
  auto* const impl = static_cast<Impl*>(from.data);
  impl->caller = from.fctx;
  impl->own_side.arrive(impl->caller_side);
  try {
    impl->body();
  } catch (const Unwind&) {  // ~Fiber() asked for it
  } catch (...) {
    impl->error = std::current_exception();
  }
  impl->done = true;
  impl->leave(true);
  std::terminate();  // nobody enters a body that is done
}

Fiber::Fiber(std::function<void()> body, std::size_t stack_bytes)
    : impl_(std::make_unique<Impl>(this, std::move(body), stack_bytes)) {}

Fiber::~Fiber() {
  impl_->unwinds = true;
  while (impl_->started && !impl_->done) {  // more than once when a body catches everything and suspends again
    impl_->enter();
  }
}

void Fiber::resume() {
  if (impl_->done) {
    throw std::logic_error("resume() of a fiber whose body has returned");
  }
  impl_->started = true;
  impl_->enter();
  if (impl_->error) {
    std::rethrow_exception(std::exchange(impl_->error, nullptr));
  }
}

bool Fiber::is_done() const noexcept { return impl_->done; }

void Fiber::suspend() {
  Impl& impl = *running->impl_;
  if (!impl.unwinds) {
    impl.leave(false);
  }
  if (impl.unwinds) {
    throw Unwind{};
  }
}

Fiber* Fiber::current() noexcept { return running; }

bool Fiber::keep_local(ExchangeLocal exchange) {
  Locals& known = known_locals();
  const std::scoped_lock lock(known.mutex);
  const std::size_t count = known.count.load(std::memory_order_relaxed);  // written under the lock only
  if (count == kLocalsMax) {
    throw std::logic_error("more fiber-local values than Fiber::kLocalsMax");
  }
  known.all[count] = exchange;
  known.count.store(count + 1, std::memory_order_release);
  return true;
}

}  // namespace tileput::base
