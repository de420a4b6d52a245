// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "base/system.hpp"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "tileput/error.hpp"

namespace tileput::base {

void throw_errno(std::string_view call, std::string_view hint) {
  const int error = errno;
  throw Error(ErrorCode::kSystem,
              fmt::format("{} failed: {} (errno {})", call, std::generic_category().message(error), error),
              std::string(hint));
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 6) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.4g} {}", value, kUnits[unit]);
}

std::uint64_t now_ns() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t deadline_ns(std::chrono::nanoseconds limit) noexcept {
  return limit.count() > 0 ? now_ns() + static_cast<std::uint64_t>(limit.count()) : 0;
}

std::uint64_t page_bytes() noexcept {
  static const auto kBytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return kBytes;
}

}  // namespace tileput::base
