// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank/process.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/system.hpp"
#include "tileput/error.hpp"

extern char** environ;

namespace tileput::rank {

namespace fs = std::filesystem;

std::filesystem::path find_helper() {
  std::vector<fs::path> places;
  if (const char* const named = std::getenv("TILEPUT_RANK_HELPER"); named != nullptr) {
    if (access(named, X_OK) != 0) {
      throw Error(ErrorCode::kNotFound, fmt::format("TILEPUT_RANK_HELPER names '{}', which cannot be executed", named),
                  "correct the variable, or unset it");
    }
    return named;
  }
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&find_helper), &info) != 0 && info.dli_fname != nullptr) {
    std::error_code error;
    const fs::path object = fs::canonical(info.dli_fname, error);
    if (!error) {
      places.push_back((object.parent_path() / TILEPUT_LIB_TO_LIBEXEC / "tileput/rank").lexically_normal());
      // A static build has this code in a program of the bin directory.
      places.push_back((object.parent_path() / "../libexec/tileput/rank").lexically_normal());
    }
  }
  places.emplace_back(TILEPUT_INSTALL_LIBEXEC "/tileput/rank");
  for (const fs::path& place : places) {
    if (access(place.c_str(), X_OK) == 0) {
      return place;
    }
  }
  std::vector<std::string> looked;
  looked.reserve(places.size());
  for (const fs::path& place : places) {
    looked.push_back(place.string());
  }
  throw Error(ErrorCode::kNotFound, fmt::format("no rank helper; looked at {}", fmt::join(looked, ", ")),
              "install tileput completely, or name the helper in TILEPUT_RANK_HELPER");
}

namespace {

constexpr const char* kSpawnHint = "raise the limit of processes (ulimit -u) or free some memory";

void require(int error, const std::string& call) {
  if (error != 0) {
    errno = error;
    base::throw_errno(call, kSpawnHint);
  }
}

/// What posix_spawn is to do in the child before the helper starts.
class SpawnActions {
 public:
  SpawnActions() { require(posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init"); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  void duplicate(int fd, int to) {
    require(posix_spawn_file_actions_adddup2(&actions_, fd, to), "posix_spawn_file_actions_adddup2");
  }
  void open_null(int fd, int flags) {
    require(posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", flags, 0), "posix_spawn_file_actions_addopen");
  }
  void close_from(int fd) {
    require(posix_spawn_file_actions_addclosefrom_np(&actions_, fd), "posix_spawn_file_actions_addclosefrom_np");
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// A signal mask without anything blocked, default actions, a process group of its own.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    require(posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
    sigset_t none;
    sigemptyset(&none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// Whether a child would have this descriptor of ours.
bool is_inherited(int fd) noexcept {
  const int flags = fcntl(fd, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

}  // namespace

Process::Process(const std::filesystem::path& helper, int channel_fd, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{helper.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);

  SpawnActions actions;
  // dup2 onto itself clears close-on-exec in posix_spawn, so any number works for channel_fd.
  actions.duplicate(channel_fd, kHelperChannelFd);
  actions.open_null(STDIN_FILENO, O_RDONLY);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    if (!is_inherited(fd)) {  // else the rank's first descriptor, a memfd, would be where text is printed to
      actions.open_null(fd, O_WRONLY);
    }
  }
  actions.close_from(kHelperChannelFd + 1);  // what the program forgot to mark close-on-exec is not for ranks
  const SpawnAttributes attributes;
  require(posix_spawn(&pid_, helper.c_str(), actions.get(), attributes.get(), argv.data(), environ),
          "posix_spawn of " + helper.string());
  pidfd_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_) {
    const int error = errno;
    end();
    errno = error;
    base::throw_errno("pidfd_open", "raise the limit of open files (ulimit -n)");
  }
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  return *this;
}

Process::~Process() { end(); }

void Process::end() noexcept {
  if (pid_ > 0) {
    kill();
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }
}

void Process::kill() const noexcept {
  if (pidfd_) {  // not by number: a program that collects its children elsewhere may have given that away
    syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  } else if (pid_ > 0) {  // in the constructor
    ::kill(pid_, SIGKILL);
  }
}

std::string killed_by(int signal) {
  const char* const name = sigdescr_np(signal);
  return fmt::format("was killed by signal {} ({})", signal, name != nullptr ? name : "?");
}

std::string Process::wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) {
      pid_ = -1;
      return "ended (its status was collected elsewhere)";
    }
  }
  pid_ = -1;
  if (WIFEXITED(status)) {
    return fmt::format("exited with code {}", WEXITSTATUS(status));
  }
  return killed_by(WTERMSIG(status));
}

bool Process::wait_for(int timeout_ms) {
  const std::uint64_t end_ns = base::now_ns() + static_cast<std::uint64_t>(timeout_ms) * 1'000'000;
  for (;;) {
    pollfd entry{pidfd_.get(), POLLIN, 0};
    const int ready = poll(&entry, 1, timeout_ms);
    if (ready >= 0 || errno != EINTR) {
      return ready > 0;
    }
    const std::uint64_t now = base::now_ns();
    timeout_ms = now < end_ns ? static_cast<int>((end_ns - now) / 1'000'000) : 0;
  }
}

}  // namespace tileput::rank
