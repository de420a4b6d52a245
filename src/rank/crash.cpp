// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank/crash.hpp"

#include <execinfo.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace tileput::rank {

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
constexpr std::size_t kStackBytes = std::size_t{64} * 1024;
constexpr unsigned kGraceSeconds = 1;  // an unwinder that stumbles over a broken stack is ended by SIGALRM

RankSlot* crash_slot = nullptr;

std::uint64_t program_counter(const void* context) {
  const auto* const state = static_cast<const ucontext_t*>(context);
#if defined(__x86_64__)
  return static_cast<std::uint64_t>(state->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return state->uc_mcontext.pc;
#else
  return 0;
#endif
}

/// Only the first thread that faults reports. Another one waits for the end that the first brings, within the grace
/// period; the first itself, met by a fault in its handler, ends at once.
void wait_for_the_end(pid_t owner, int number) {
  if (owner == gettid()) {
    signal(number, SIG_DFL);
    return;
  }
  for (;;) {
    pause();
  }
}

void note_and_die(int number, siginfo_t* info, void* context) {
  static std::atomic<pid_t> owner{0};
  pid_t nobody = 0;
  if (!owner.compare_exchange_strong(nobody, gettid(), std::memory_order_relaxed)) {  // only one has to win
    wait_for_the_end(nobody, number);
    return;
  }
  CrashReport& crash = crash_slot->crash;
  // A positive code is the kernel's: a fault of our own. Else somebody sent the signal, and there is no address.
  const bool is_fault = info->si_code > 0;
  crash.sender.store(is_fault ? 0 : info->si_pid, std::memory_order_relaxed);
  const bool has_address = is_fault && info->si_code != SI_KERNEL && (number == SIGSEGV || number == SIGBUS);
  crash.has_address.store(has_address ? 1 : 0, std::memory_order_relaxed);
  crash.address.store(has_address ? reinterpret_cast<std::uintptr_t>(info->si_addr) : 0, std::memory_order_relaxed);
  crash.frames[0].store(program_counter(context), std::memory_order_relaxed);
  crash.frame_count.store(1, std::memory_order_relaxed);
  crash.signal.store(number, std::memory_order_release);  // the worker reads when this process is gone

  // The fault may lie in a library function, so the kernel's line is further out. A fault in here ends the process; the
  // reports up to then count.
  alarm(kGraceSeconds);
  void* frames[CrashReport::kFramesMax + 3] = {};
  const int count = backtrace(frames, static_cast<int>(std::size(frames)));
  std::uint32_t kept = 1;
  for (int i = 3; i < count && kept < CrashReport::kFramesMax; ++i) {  // without handler, trampoline, frames[0]
    crash.frames[kept++].store(reinterpret_cast<std::uintptr_t>(frames[i]) - 1, std::memory_order_relaxed);
  }
  crash.frame_count.store(kept, std::memory_order_release);
  signal(number, SIG_DFL);
  raise(number);  // this time it kills
}

}  // namespace

void install_crash_handler(RankSlot& slot) {
  crash_slot = &slot;
  void* frame = nullptr;
  backtrace(&frame, 1);  // loads the unwinder, which a handler must not

  static CrashStack stack;

  struct sigaction action {};
  action.sa_sigaction = &note_and_die;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int number : kSignals) {
    sigaction(number, &action, nullptr);
  }
}

CrashStack::CrashStack() {
  if (crash_slot != nullptr) {
    memory_ = std::make_unique<std::byte[]>(kStackBytes);
    stack_t alternate{};
    alternate.ss_sp = memory_.get();
    alternate.ss_size = kStackBytes;
    sigaltstack(&alternate, nullptr);
  }
}

CrashStack::~CrashStack() {
  if (memory_) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
}

}  // namespace tileput::rank
