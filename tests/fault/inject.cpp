// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Interposes system calls of start-up and domain set-up, and the channel between worker and ranks; see inject.hpp.

#include "inject.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#include "base/system.hpp"
#include "orchestration/protocol.hpp"
#include "rank/channel.hpp"

namespace {

using tileput::fault::Call;
using tileput::fault::Effect;
using tileput::fault::Plan;

constexpr const char* kPlanVariable = "TILEPUT_FAULT_PLAN";

Plan* plan = nullptr;
int self = tileput::fault::kWorker;
int joined = 0;                                  // the plan, after so many calls of arm()
std::atomic<int> request{tileput::fault::kAny};  // the kind of the last one received

void* map_plan(int fd) {
  void* const page = mmap(nullptr, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return page == MAP_FAILED ? nullptr : page;
}

/// In a rank: finds the plan and the rank's number, which the worker puts into the first argument.
__attribute__((constructor)) void join_plan(int argc, char** argv) {
  const char* const path = std::getenv(kPlanVariable);
  if (path == nullptr || argc < 2 || std::sscanf(argv[1], "rank %d of", &self) != 1) {
    return;
  }
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  plan = static_cast<Plan*>(map_plan(fd));
  close(fd);
  joined = plan != nullptr ? plan->armed.load() : 0;
}

/// Counts a call; true: this is the one.
bool is_due(Call call) {
  if (plan == nullptr) {
    return false;
  }
  const int who = plan->who;
  const bool meant = who >= 0 ? who == self && joined == plan->armed : who == (self >= 0 ? -getpid() : self);
  return meant && plan->call == static_cast<int>(call) &&
         (plan->request == tileput::fault::kAny || plan->request == request) && ++plan->seen == plan->nth;
}

void note_fired() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  plan->fired_pid = getpid();
  plan->fired_ns = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

void act() {
  note_fired();
  switch (static_cast<Effect>(plan->effect.load())) {
    case Effect::kFail: break;
    case Effect::kSignal:
    case Effect::kSignalAfter: raise(plan->value); break;
    case Effect::kWildStore: {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): nothing is there
      *reinterpret_cast<volatile int*>(std::uintptr_t{4096}) = 1;
      break;
    }
    case Effect::kExit: _exit(plan->value);
  }
}

/// The real call, or what the plan wants; `fail` makes the result of a call that fails with an errno.
template <class Real, class Fail>
auto around(Call call, Real&& real, Fail&& fail) -> decltype(real()) {
  const bool due = is_due(call);
  const auto effect = due ? static_cast<Effect>(plan->effect.load()) : Effect::kFail;
  if (due && effect == Effect::kFail) {
    note_fired();
    return fail(plan->value.load());
  }
  if (due && effect != Effect::kSignalAfter) {
    act();
  }
  auto result = real();
  if (due && effect == Effect::kSignalAfter) {
    act();
  }
  return result;
}

constexpr auto kSetErrno = [](int error) {
  errno = error;
  return -1;
};
constexpr auto kReturnError = [](int error) { return error; };

}  // namespace

// The next definition of the function around, the C library's.
#define NEXT(name) static auto* const next = reinterpret_cast<decltype(&::name)>(dlsym(RTLD_NEXT, #name))
#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT Plan* tileput_fault_plan() {
  if (plan == nullptr) {
    const int fd = static_cast<int>(syscall(SYS_memfd_create, "fault-plan", MFD_CLOEXEC));
    Dl_info info{};
    if (fd < 0 || ftruncate(fd, sizeof(Plan)) != 0 ||
        dladdr(reinterpret_cast<const void*>(&tileput_fault_point), &info) == 0) {
      std::abort();
    }
    char path[64];
    std::snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
    setenv(kPlanVariable, path, 1);
    setenv("LD_PRELOAD", info.dli_fname, 1);
    plan = new (map_plan(fd)) Plan;
  }
  return plan;
}

EXPORT void tileput_fault_point(int call) {
  if (is_due(static_cast<Call>(call))) {
    act();
  }
}

EXPORT int memfd_create(const char* name, unsigned flags) noexcept {
  NEXT(memfd_create);
  return around(
      Call::kMemfdCreate, [&] { return next(name, flags); }, kSetErrno);
}
EXPORT int ftruncate(int fd, off_t length) noexcept {
  NEXT(ftruncate);
  return around(
      Call::kFtruncate, [&] { return next(fd, length); }, kSetErrno);
}
EXPORT int fallocate(int fd, int mode, off_t offset, off_t length) {
  NEXT(fallocate);
  return around(
      Call::kFallocate, [&] { return next(fd, mode, offset, length); }, kSetErrno);
}
EXPORT void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) noexcept {
  NEXT(mmap);
  return around(
      Call::kMmap, [&] { return next(address, length, protection, flags, fd, offset); },
      [](int error) {
        errno = error;
        return MAP_FAILED;
      });
}
EXPORT int mprotect(void* address, size_t length, int protection) noexcept {
  NEXT(mprotect);
  return around(
      Call::kMprotect, [&] { return next(address, length, protection); }, kSetErrno);
}
EXPORT int socketpair(int domain, int type, int protocol, int fds[2]) noexcept {
  NEXT(socketpair);
  return around(
      Call::kSocketpair, [&] { return next(domain, type, protocol, fds); }, kSetErrno);
}
EXPORT ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  NEXT(sendmsg);
  return around(
      Call::kSendmsg, [&] { return next(fd, message, flags); }, kSetErrno);
}
EXPORT ssize_t recvmsg(int fd, msghdr* message, int flags) {
  NEXT(recvmsg);
  return around(
      Call::kRecvmsg, [&] { return next(fd, message, flags); }, kSetErrno);
}
EXPORT int poll(pollfd* fds, nfds_t count, int timeout) {
  NEXT(poll);
  return around(
      Call::kPoll, [&] { return next(fds, count, timeout); }, kSetErrno);
}
EXPORT int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                       const posix_spawnattr_t* attributes, char* const argv[], char* const envp[]) noexcept {
  NEXT(posix_spawn);
  return around(
      Call::kSpawn, [&] { return next(pid, path, actions, attributes, argv, envp); }, kReturnError);
}
EXPORT int posix_spawn_file_actions_init(posix_spawn_file_actions_t* actions) noexcept {
  NEXT(posix_spawn_file_actions_init);
  return around(
      Call::kSpawnActions, [&] { return next(actions); }, kReturnError);
}
EXPORT int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t* actions, int from, int to) noexcept {
  NEXT(posix_spawn_file_actions_adddup2);
  return around(
      Call::kSpawnActions, [&] { return next(actions, from, to); }, kReturnError);
}
EXPORT int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t* actions, int fd, const char* path, int flags,
                                            mode_t mode) noexcept {
  NEXT(posix_spawn_file_actions_addopen);
  return around(
      Call::kSpawnActions, [&] { return next(actions, fd, path, flags, mode); }, kReturnError);
}
EXPORT int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t* actions, int from) noexcept {
  NEXT(posix_spawn_file_actions_addclosefrom_np);
  return around(
      Call::kSpawnActions, [&] { return next(actions, from); }, kReturnError);
}
EXPORT long syscall(long number, ...) noexcept {  // NOLINT(google-runtime-int): the C library's
  NEXT(syscall);
  va_list arguments;
  va_start(arguments, number);
  std::uintptr_t a[6];
  for (std::uintptr_t& argument : a) {
    argument = va_arg(arguments, std::uintptr_t);
  }
  va_end(arguments);
  const auto real = [&] { return next(number, a[0], a[1], a[2], a[3], a[4], a[5]); };
  return number == SYS_pidfd_open ? around(Call::kPidfdOpen, real, kSetErrno) : real();
}
EXPORT int open(const char* path, int flags, ...) {
  NEXT(open);
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : mode_t{0};
  va_end(arguments);
  return around(
      Call::kOpen, [&] { return next(path, flags, mode); }, kSetErrno);
}
EXPORT int dup(int fd) noexcept {
  NEXT(dup);
  return around(
      Call::kDuplicate, [&] { return next(fd); }, kSetErrno);
}
EXPORT int dup2(int fd, int to) noexcept {
  NEXT(dup2);
  return around(
      Call::kDuplicate, [&] { return next(fd, to); }, kSetErrno);
}
EXPORT int fcntl(int fd, int command, ...) {
  NEXT(fcntl);
  va_list arguments;
  va_start(arguments, command);
  const auto argument = va_arg(arguments, std::uintptr_t);
  va_end(arguments);
  const auto real = [&] { return next(fd, command, argument); };
  return command == F_DUPFD_CLOEXEC ? around(Call::kDuplicate, real, kSetErrno) : real();
}
EXPORT int pipe2(int fds[2], int flags) noexcept {
  NEXT(pipe2);
  return around(
      Call::kPipe, [&] { return next(fds, flags); }, kSetErrno);
}
EXPORT int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                          void* argument) noexcept {
  NEXT(pthread_create);
  return around(
      Call::kThreadCreate, [&] { return next(thread, attributes, start, argument); }, kReturnError);
}

// Messages, which may go through memory. Only the shared library's calls of its own functions come here.

namespace tileput::rank {
namespace {

/// A member function's next definition, as a function whose first argument is the object.
template <class Result, class... Arguments>
auto next_member(const char* mangled) -> Result (*)(Channel*, Arguments...) {
  void* const next = dlsym(RTLD_NEXT, mangled);
  if (next == nullptr) {
    std::fprintf(stderr, "fault injection: there is no %s\n", mangled);
    std::abort();
  }
  return reinterpret_cast<Result (*)(Channel*, Arguments...)>(next);
}

}  // namespace

Channel::Sent Channel::send(std::span<const std::byte> bytes, std::span<const int> fds, bool block) {
  static auto* const next = next_member<Sent, std::span<const std::byte>, std::span<const int>, bool>(
      "_ZN7tileput4rank7Channel4sendESt4spanIKSt4byteLm18446744073709551615EES2_IKiLm18446744073709551615EEb");
  const auto real = [&] { return next(this, bytes, fds, block); };
  const auto fail = [](int error) -> Sent {
    errno = error;
    base::throw_errno("sending an answer", "raise the limit of open files or of socket memory");
  };
  return self < 0 ? real() : around(Call::kAnswer, real, fail);
}

std::optional<Message> Channel::receive(bool block, bool* would_block) {
  static auto* const next = next_member<std::optional<Message>, bool, bool*>("_ZN7tileput4rank7Channel7receiveEbPb");
  std::optional<Message> message = next(this, block, would_block);
  if (self >= 0 && message) {
    orchestration::RequestHeader header{};
    std::memcpy(&header, message->bytes.data(), std::min(sizeof(header), message->bytes.size()));
    request = static_cast<int>(header.kind);
  }
  return message;
}

}  // namespace tileput::rank
