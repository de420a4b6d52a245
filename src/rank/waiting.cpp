// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank/waiting.hpp"

#include <fmt/format.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include "base/system.hpp"
#include "tileput/error.hpp"

namespace tileput::rank {

namespace {

constexpr long kSleepNs = 1'000'000;  // the longest a change that does not ring stays unnoticed

std::uint32_t* futex_word(std::atomic<std::uint32_t>& word) noexcept { return reinterpret_cast<std::uint32_t*>(&word); }

// Shared futexes (no FUTEX_PRIVATE_FLAG): waiter and waker are different processes.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, long timeout_ns) noexcept {
  const timespec timeout{0, timeout_ns};
  syscall(SYS_futex, futex_word(word), FUTEX_WAIT, expected, &timeout, nullptr, 0);
}

void pause_core() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Looks until `duration_ns` have passed, calling `between` after every look; true as soon as nothing is unsatisfied.
/// The clock is asked only after some looks have failed: what is awaited is mostly about to come.
template <class Between>
bool look_for(std::uint64_t duration_ns, int looks_per_clock, Waiting::Unsatisfied unsatisfied, const void* context,
              Between&& between) {
  std::uint64_t end = 0;
  std::uint64_t now = 0;
  do {
    for (int i = 0; i < looks_per_clock; ++i) {
      if (unsatisfied(context) == nullptr) {
        return true;
      }
      between();
    }
    now = base::now_ns();
    end = end == 0 ? now + duration_ns : end;
  } while (now < end);
  return false;
}

}  // namespace

WaitPolicy WaitPolicy::of(int ranks, int cores) noexcept {
  return ranks <= cores ? WaitPolicy{50'000, 50'000} : WaitPolicy{0, 300'000};
}

void ring(Doorbell& doorbell) noexcept {
  doorbell.bell.fetch_add(1, std::memory_order_relaxed);  // carries no data; futex_wait compares it in the kernel
  syscall(SYS_futex, futex_word(doorbell.bell), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void Waiting::throw_if_aborted() const {
  const std::uint64_t run = slot_.current_run.load(std::memory_order_relaxed);  // our own word
  // pairs with the store in Control::abort; seq_cst for the same store/load pattern as the awaited word
  if (slot_.aborted_run.load(std::memory_order_seq_cst) >= run && run != 0) {
    throw Error(ErrorCode::kAborted, fmt::format("run {} was ended while this rank waited for a signal", run),
                "the worker reports what ended it");
  }
  if (task_failed_ != nullptr && task_failed_->load(std::memory_order_seq_cst)) {  // pairs with BlockTeam::fail
    throw Error(ErrorCode::kAborted, "another block of the task failed while this one waited for a signal",
                "the task reports what that block met with");
  }
}

void Waiting::until(const WaitPoint& point, Unsatisfied unsatisfied, const void* context) {
  if (executor_ != nullptr) {
    executor_->wait_until([=] { return unsatisfied(context) == nullptr; });
    return;
  }
  if (policy_.spin_ns != 0 && look_for(policy_.spin_ns, 64, unsatisfied, context, pause_core)) {
    return;
  }
  if (look_for(policy_.yield_ns, 4, unsatisfied, context, [] { sched_yield(); })) {
    return;
  }

  WaitReport& report = report_;
  // relaxed: a report is a snapshot of a block that does not move; `sleeping` publishes what stands before it
  report.expected.store(point.expected, std::memory_order_relaxed);
  report.compare.store(point.compare, std::memory_order_relaxed);
  report.site.store(reinterpret_cast<std::uintptr_t>(point.site), std::memory_order_relaxed);
  report.since_ns.store(base::now_ns(), std::memory_order_relaxed);
  report.episode.fetch_add(1, std::memory_order_release);  // pairs with the load of StuckRanks
  report.sleeping.store(1, std::memory_order_release);
  struct Awake {
    WaitReport& report;
    ~Awake() { report.sleeping.store(0, std::memory_order_relaxed); }
  } const awake{report};

  for (;;) {
    const std::uint32_t bell = doorbell_.bell.load(std::memory_order_relaxed);
    doorbell_.sleepers.fetch_add(1, std::memory_order_seq_cst);  // pairs with the load in ring_owner()
    struct Up {
      Doorbell& doorbell;
      ~Up() { doorbell.sleepers.fetch_sub(1, std::memory_order_seq_cst); }
    } const up{doorbell_};
    const std::int32_t* const word = unsatisfied(context);
    if (word == nullptr) {
      return;
    }
    throw_if_aborted();
    if (between_) {
      between_();
    }
    report.word.store(reinterpret_cast<std::uintptr_t>(word) - point.heap_base, std::memory_order_relaxed);
    report.seen.store(__atomic_load_n(word, __ATOMIC_RELAXED), std::memory_order_relaxed);
    report.looks.fetch_add(1, std::memory_order_release);  // pairs with the load of StuckRanks
    futex_wait(doorbell_.bell, bell, kSleepNs);
  }
}

}  // namespace tileput::rank
