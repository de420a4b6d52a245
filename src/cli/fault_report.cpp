// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/fault_report.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdint>

#include "base/source_line.hpp"
#include "tileput/error.hpp"

namespace tileput::cli {

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
constexpr std::size_t kStackBytes = std::size_t{512} * 1024;
constexpr unsigned kGraceSeconds = 5;

std::string& hint_of_process() {
  static std::string hint;
  return hint;
}

const void* program_counter(const void* context) {
  const auto* const state = static_cast<const ucontext_t*>(context);
#if defined(__x86_64__)
  return reinterpret_cast<const void*>(state->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<const void*>(state->uc_mcontext.pc);
#else
  return nullptr;
#endif
}

void write_out(const std::string& text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());  // the process ends anyhow
}

/// Not everything here is allowed in a signal's handler. The process ends in any case, at worst by SIGALRM or by a
/// second fault, so what needs no memory comes first.
void report_and_end(int number, siginfo_t* info, void* context) {
  alarm(kGraceSeconds);
  static constexpr char kWhat[] = "tileput: rank-died: a kernel on the checked machine faulted";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kWhat, sizeof(kWhat) - 1);
  const std::string line = base::line_here(program_counter(context));
  const bool has_address = number == SIGSEGV || number == SIGBUS;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  write_out(fmt::format("{}{}: signal {} ({}){} ({})\n", line.empty() ? "" : " at ", line, number, sigdescr_np(number),
                        has_address ? fmt::format(", accessing {:#x}", address) : "", hint_of_process()));
  _exit(static_cast<int>(ExitCode::kRankDied));
}

}  // namespace

FaultReport::FaultReport(const std::string& hint) : stack_(std::make_unique<std::byte[]>(kStackBytes)) {
  hint_of_process() = hint;
  stack_t alternate{};
  alternate.ss_sp = stack_.get();
  alternate.ss_size = kStackBytes;
  struct sigaction action {};
  action.sa_sigaction = &report_and_end;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int number : kSignals) {
    struct sigaction before {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler == SIG_DFL) {
      sigaltstack(&alternate, nullptr);
      sigaction(number, &action, nullptr);
    }
  }
}

FaultReport::~FaultReport() {
  for (const int number : kSignals) {
    struct sigaction now {};
    sigaction(number, nullptr, &now);
    if (now.sa_sigaction == &report_and_end) {
      signal(number, SIG_DFL);
      stack_t none{};
      none.ss_flags = SS_DISABLE;
      sigaltstack(&none, nullptr);
    }
  }
}

}  // namespace tileput::cli
