// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "base/memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#include "base/system.hpp"

namespace tileput::base {

namespace {

namespace fs = std::filesystem;

constexpr auto kUnlimited = std::numeric_limits<std::uint64_t>::max();

std::uint64_t meminfo_bytes(std::string_view key) {
  std::ifstream file("/proc/meminfo");
  if (!file) {
    throw_errno("open of /proc/meminfo", "raise the limit of open files (ulimit -n), or mount /proc");
  }
  std::string name;
  std::uint64_t kib = 0;
  std::string unit;
  while (file >> name >> kib) {
    std::getline(file, unit);
    if (name.size() == key.size() + 1 && name.compare(0, key.size(), key) == 0) {
      return kib * 1024;
    }
  }
  return 0;
}

/// The number in a control group file; "max", a missing file and absurdly large values all mean no limit.
std::uint64_t read_limit(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  return (file >> value) && value < (std::uint64_t{1} << 60U) ? value : kUnlimited;
}

std::uint64_t read_stat(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (name == key) {
      return value;
    }
  }
  return 0;
}

/// Headroom of one control group directory: limit - use + what the kernel can drop at once.
std::uint64_t headroom_of(const fs::path& group, const char* limit_file, const char* usage_file,
                          const char* cache_key) {
  const std::uint64_t limit = read_limit(group / limit_file);
  if (limit == kUnlimited) {
    return kUnlimited;
  }
  const std::uint64_t usage = read_limit(group / usage_file);
  const std::uint64_t cache = read_stat(group / "memory.stat", cache_key);
  const std::uint64_t used = usage > cache ? usage - cache : 0;
  return limit > used ? limit - used : 0;
}

/// The tightest headroom of this process's group and all groups above it, version 1 and 2.
std::optional<std::uint64_t> cgroup_headroom() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  std::uint64_t least = kUnlimited;
  while (std::getline(file, line)) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool unified = controllers == ",,";
    if (!unified && controllers.find(",memory,") == std::string::npos) {
      continue;
    }
    const fs::path root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    fs::path group = root / fs::path(line.substr(second + 1)).relative_path();
    for (;;) {
      least = std::min(
          least, unified ? headroom_of(group, "memory.max", "memory.current", "inactive_file")
                         : headroom_of(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"));
      if (group == root || !group.has_relative_path() || group == group.parent_path()) {
        break;
      }
      group = group.parent_path();
    }
  }
  return least == kUnlimited ? std::nullopt : std::optional(least);
}

}  // namespace

std::uint64_t MemoryBudget::usable_bytes() const noexcept {
  std::uint64_t machine = available_bytes;
  if (cgroup_headroom_bytes) {
    machine = std::min(machine, *cgroup_headroom_bytes);
  }
  machine = machine > reserve_bytes ? machine - reserve_bytes : 0;
  return limit_bytes ? std::min(machine, *limit_bytes) : machine;
}

std::string MemoryBudget::describe() const {
  std::string text = fmt::format("MemAvailable {}", format_bytes(available_bytes));
  if (cgroup_headroom_bytes) {
    text += fmt::format(", control group {}", format_bytes(*cgroup_headroom_bytes));
  }
  if (limit_bytes) {
    text += fmt::format(", job limit {}", format_bytes(*limit_bytes));
  }
  return text + fmt::format(", reserve {}", format_bytes(reserve_bytes));
}

MemoryBudget memory_budget(std::optional<std::uint64_t> limit_bytes) {
  MemoryBudget budget;
  budget.available_bytes = meminfo_bytes("MemAvailable");
  budget.cgroup_headroom_bytes = cgroup_headroom();
  budget.limit_bytes = limit_bytes;
  budget.reserve_bytes = std::clamp<std::uint64_t>(budget.available_bytes / 20, 64U << 20U, 1U << 30U);
  return budget;
}

void SmallRequests::looked(const MemoryBudget& budget) {
  const std::lock_guard lock(mutex_);
  left_bytes_ = std::min(budget.usable_bytes(), budget.reserve_bytes / 64);
  until_ns_ = now_ns() + 100'000'000;
}

bool SmallRequests::take(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes > left_bytes_ || now_ns() >= until_ns_) {
    return false;
  }
  left_bytes_ -= bytes;
  return true;
}

std::uint64_t total_memory_bytes() { return meminfo_bytes("MemTotal"); }

NodeMemoryLock::NodeMemoryLock() : directory_(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  using namespace std::chrono_literals;
  for (int attempt = 0; directory_ && attempt < 500; ++attempt) {
    if (::flock(directory_.get(), LOCK_EX | LOCK_NB) == 0) {
      return;
    }
    std::this_thread::sleep_for(10ms);
  }
}

}  // namespace tileput::base
