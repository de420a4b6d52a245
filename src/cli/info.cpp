// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/info.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "base/fd.hpp"
#include "base/memory.hpp"
#include "base/system.hpp"
#include "cli/command_line.hpp"
#include "orchestration/kernel_object.hpp"
#include "rank/placement.hpp"
#include "rank/process.hpp"
#include "tileput/error.hpp"
#include "tileput/worker.hpp"

namespace tileput::cli {

namespace fs = std::filesystem;

namespace {

struct Pipe {
  base::UniqueFd out;
  base::UniqueFd in;
  Pipe() {
    std::array<int, 2> fds{};
    if (pipe2(fds.data(), O_CLOEXEC) != 0) {
      base::throw_errno("pipe", "raise the limit of open files (ulimit -n)");
    }
    out.reset(fds[0]);
    in.reset(fds[1]);
  }
};

volatile std::uint64_t probe_word = 0;

/// 0 or the errno of writing into a sibling that allowed it, tried with two children of this process.
int probe_single_copy() {
  Pipe ready;
  Pipe leave;
  const pid_t target = fork();
  if (target < 0) {
    return errno;
  }
  if (target == 0) {
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    leave.in.reset();
    char byte = 1;
    const bool told = write(ready.in.get(), &byte, 1) == 1;
    _exit(told && read(leave.out.get(), &byte, 1) == 0 && probe_word == 1 ? 0 : 1);
  }
  const pid_t writer = fork();
  int refused = errno;
  if (writer == 0) {
    leave.in.reset();
    char byte = 0;
    std::uint64_t one = 1;
    iovec local{&one, sizeof(one)};
    iovec remote{const_cast<std::uint64_t*>(&probe_word), sizeof(one)};
    const bool there = read(ready.out.get(), &byte, 1) == 1;
    _exit(there && process_vm_writev(target, &local, 1, &remote, 1, 0) == sizeof(one) ? 0 : errno & 0xff);
  }
  if (writer > 0) {
    int status = 0;
    waitpid(writer, &status, 0);
    refused = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
  }
  leave.in.reset();  // the target reads the end of the pipe, and leaves
  int written = 0;
  waitpid(target, &written, 0);
  return refused != 0 || (WIFEXITED(written) && WEXITSTATUS(written) == 0) ? refused : EIO;
}

std::string describe_kernels() {
  std::string text;
  for (const fs::path& directory : orchestration::object_directories()) {
    std::vector<std::string> found;
    std::error_code error;
    for (const fs::path& place : {directory / "kernels", directory}) {
      for (const fs::directory_entry& entry : fs::directory_iterator(place, error)) {
        try {
          if (entry.path().extension() == ".so" && orchestration::exports_symbol(entry.path(), "kernel_entry")) {
            found.push_back(entry.path().stem().string());
          }
        } catch (const Error&) {  // some other file
        }
      }
    }
    std::sort(found.begin(), found.end());
    text += fmt::format("kernels in {}: {}\n", directory.string(),
                        found.empty() ? "none" : fmt::format("{}", fmt::join(found, " ")));
  }
  return text;
}

std::string helper_text() {
  try {
    return rank::find_helper().string();
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

std::string describe_machine() {
  const std::vector<int> cores = rank::allowed_cores();
  const base::MemoryBudget budget = base::memory_budget(std::nullopt);
  const int refused = probe_single_copy();
  const std::optional<fs::path> mpirun = find_program("mpirun");
  std::string text;
  text += fmt::format("tileput: {}\n", version());
  text +=
      fmt::format("cores: {} allowed ({}), {} NUMA node(s)\n", cores.size(), fmt::join(cores, " "), rank::numa_nodes());
  text += fmt::format("memory: {} in all; {} may be used now ({})\n", base::format_bytes(base::total_memory_bytes()),
                      base::format_bytes(budget.usable_bytes()), budget.describe());
  text += fmt::format(
      "single copy between processes: {}\n",
      refused == 0 ? "yes (process_vm_writev)" : fmt::format("refused ({})", std::generic_category().message(refused)));
  text += fmt::format("MPI: {}\n", mpirun ? mpirun->string() : "no mpirun in PATH");
  text += fmt::format("rank helper: {}\n", helper_text());
  text += describe_kernels();
  return text;
}

}  // namespace tileput::cli
