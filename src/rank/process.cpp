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
  if (const char* const override = std::getenv("TILEPUT_RANK_HELPER"); override != nullptr) {
    places.emplace_back(override);
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

Process::Process(const std::filesystem::path& helper, int channel_fd, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{helper.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  // dup2 onto itself clears close-on-exec in posix_spawn, so any number works for channel_fd.
  posix_spawn_file_actions_adddup2(&actions, channel_fd, kHelperChannelFd);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  const int error = posix_spawn(&pid_, helper.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    errno = error;
    base::throw_errno("posix_spawn of " + helper.string(), "raise the limit of processes (ulimit -u)");
  }
  pidfd_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  return *this;
}

Process::~Process() {
  if (pid_ > 0) {
    kill();
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
}

void Process::kill() const noexcept {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);  // not reaped yet, so the number is still ours
  }
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
  const char* const name = sigdescr_np(WTERMSIG(status));
  return fmt::format("was killed by signal {} ({})", WTERMSIG(status), name != nullptr ? name : "?");
}

bool Process::wait_for(int timeout_ms) {
  if (!pidfd_) {
    return false;
  }
  pollfd entry{pidfd_.get(), POLLIN, 0};
  return poll(&entry, 1, timeout_ms) > 0;
}

}  // namespace tileput::rank
