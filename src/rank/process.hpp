// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Rank processes: the installed helper, started with posix_spawn (no fork, so a worker may have threads).

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace tileput::rank {

/// The descriptor at which the helper finds its channel.
inline constexpr int kHelperChannelFd = 3;

/// Where the helper is: $TILEPUT_RANK_HELPER, else libexec/tileput/rank of the tree that this library (a static one:
/// the program) lies in, else of the configured install prefix. Throws Error kNotFound with every place looked at.
std::filesystem::path find_helper();

/// "was killed by signal 9 (Killed)".
std::string killed_by(int signal);

/// One child. Reaps it when destroyed; a child that still runs then is killed.
class Process {
 public:
  Process() = default;
  /// Starts `helper` with `channel_fd` as its descriptor 3, our stdout and stderr, no other descriptor of ours, and a
  /// process group of its own, so that Ctrl-C reaches only the worker, which ends its ranks.
  Process(const std::filesystem::path& helper, int channel_fd, const std::vector<std::string>& arguments);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  explicit operator bool() const noexcept { return pid_ > 0; }

  void kill() const noexcept;
  /// Waits for the end; "exited with code 3" or "was killed by signal 9 (Killed)".
  std::string wait();
  /// Waits at most `timeout_ms`; false: it still runs.
  bool wait_for(int timeout_ms);

 private:
  /// Kills and reaps it.
  void end() noexcept;

  pid_t pid_ = -1;
  base::UniqueFd pidfd_;
};

}  // namespace tileput::rank
