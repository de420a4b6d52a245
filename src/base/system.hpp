// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tileput::base {

/// Throws Error kSystem: "<call> failed: <strerror> (errno <n>)" with what the caller should change.
/// Reads errno; call it directly after the failing call.
[[noreturn]] void throw_errno(std::string_view call, std::string_view hint);

/// "1.5 GiB", "4 KiB", "17 B".
std::string format_bytes(std::uint64_t bytes);

/// Nanoseconds of the monotonic clock; the same clock in every process of the machine.
std::uint64_t now_ns() noexcept;

/// `limit` from now on that clock; 0 for a limit of 0, which means none.
std::uint64_t deadline_ns(std::chrono::nanoseconds limit) noexcept;

/// 1, 2, 3, ... in this process: a sequence for each Tag.
template <class Tag>
std::uint64_t next_number() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;  // only has to differ
}

/// Bytes of a page.
std::uint64_t page_bytes() noexcept;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) noexcept {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace tileput::base
