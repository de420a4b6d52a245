// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/status.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <system_error>

#include "base/fd.hpp"
#include "base/system.hpp"
#include "orchestration/wait_table.hpp"
#include "tileput/error.hpp"

namespace tileput::cli {

namespace fs = std::filesystem;

namespace {

/// The memfds of a process whose name starts with `prefix`, by the rest of it.
std::map<std::string, fs::path> find_memory(const fs::path& descriptors, const std::string& prefix) {
  std::map<std::string, fs::path> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(descriptors, error)) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone).string();
    const std::string start = "/memfd:" + prefix;
    if (target.starts_with(start)) {
      found.emplace(target.substr(start.size(), target.find(' ') - start.size()), entry.path());
    }
  }
  if (error) {
    throw Error(error == std::errc::no_such_file_or_directory ? ErrorCode::kNotFound : ErrorCode::kSystem,
                fmt::format("the descriptors in {} cannot be read: {}", descriptors.string(), error.message()),
                "give the number of a worker process of your own");
  }
  return found;
}

base::UniqueFd open_memory(const fs::path& place) {
  base::UniqueFd fd(::open(place.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    base::throw_errno("open of " + place.string(), "only a process of your own can be looked into");
  }
  return fd;
}

}  // namespace

std::string describe_job(int process_id) {
  const fs::path descriptors = fmt::format("/proc/{}/fd", process_id);
  const auto boards = find_memory(descriptors, "tileput-job.");
  const auto controls = find_memory(descriptors, "tileput-control.");
  std::string text;
  for (const auto& [number, place] : boards) {
    const auto control_place = controls.find(number);
    if (control_place == controls.end()) {
      continue;
    }
    const orchestration::JobDescription job = orchestration::JobBoard::read(open_memory(place).get());
    const rank::Control control(open_memory(control_place->second).get(), static_cast<int>(job.ranks.size()), true);
    orchestration::WaitTable table(control, job);
    text += fmt::format("worker {} of process {}: {} ranks, run {}, {} domains\n", number, process_id, job.ranks.size(),
                        job.run, job.domains.size());
    for (int rank = 0; rank < control.ranks(); ++rank) {
      for (const std::string& line : table.lines_of(rank)) {
        text += fmt::format("process {}, {}\n", job.ranks[static_cast<std::size_t>(rank)].process_id, line);
      }
    }
  }
  if (text.empty()) {
    throw Error(ErrorCode::kNotFound, fmt::format("process {} has no tileput worker", process_id),
                "give the number of the program that owns the ranks, not of a rank");
  }
  return text;
}

}  // namespace tileput::cli
