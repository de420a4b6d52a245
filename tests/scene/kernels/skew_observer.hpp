// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An observer that makes one rank late, at the points of a call where being late has exposed wrong protocols.

#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "repeated_calls.hpp"
#include "tileput/machine/instruction.hpp"

/// Which rank is late in a call, where, and for how long. Rank and place are the same on all ranks.
struct Skew {
  enum class Point : std::uint8_t { kBetweenCalls, kBeforeFirstNotify, kBeforeCopyOut };
  static constexpr std::uint64_t kLongestCalls = 10;      ///< the longest sleep, in call times
  static constexpr std::uint64_t kLongestNs = 4'000'000;  ///< and at most so long

  std::uint64_t rank;
  Point point;
  std::uint64_t ns;

  static Skew of_call(std::uint64_t seed, std::uint64_t call, std::uint64_t ranks, std::uint64_t call_ns) {
    const std::uint64_t bits = repeated_calls::mix(repeated_calls::mix(seed) + call);
    const std::uint64_t longest_ns = std::min(kLongestCalls * call_ns, kLongestNs);
    return {(bits & 0xffffU) % ranks, static_cast<Point>((bits >> 16U & 0xffffU) % 3),
            (bits >> 32U) % (longest_ns + 1)};
  }
};

inline std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

/// The time of a call: the median of the first kCalls, in which nobody is late.
class CallTime {
 public:
  static constexpr std::size_t kCalls = 5;

  void add(std::uint64_t ns) {
    if (count_ < kCalls) {
      ns_[count_++] = ns;
      std::sort(ns_.begin(), ns_.begin() + static_cast<std::ptrdiff_t>(count_));
    }
  }
  [[nodiscard]] bool is_known() const { return count_ == kCalls; }
  [[nodiscard]] std::uint64_t median_ns() const { return ns_[kCalls / 2]; }

 private:
  std::array<std::uint64_t, kCalls> ns_{};
  std::size_t count_ = 0;
};

/// Sleeps once at the point it was armed for, and leaves every effect to `next` (null: runs it at once).
class SkewObserver final : public tileput::machine::Observer {
 public:
  explicit SkewObserver(tileput::machine::Observer* next) : next_(next) {}

  /// Before a call in which this rank is late by `skew`.
  void begin_late_call(const Skew& skew) {
    begin_call();
    skew_ = skew;
    armed_ = true;
    if (skew.point == Skew::Point::kBetweenCalls) {
      sleep();
    }
  }
  /// Before a call in which it is not.
  void begin_call() { armed_ = waited_ = false; }

  bool on_instruction(const tileput::machine::Instruction& instruction) override {
    using tileput::machine::Opcode;
    waited_ = waited_ || instruction.opcode == Opcode::kTwait;
    const bool here = (skew_.point == Skew::Point::kBeforeFirstNotify && instruction.opcode == Opcode::kTnotify) ||
                      (skew_.point == Skew::Point::kBeforeCopyOut && instruction.opcode == Opcode::kTload && waited_);
    if (armed_ && here) {
      sleep();
    }
    return next_ != nullptr ? next_->on_instruction(instruction) : instruction.run();
  }

  [[nodiscard]] std::int64_t sleeps(Skew::Point point) const { return sleeps_[static_cast<std::size_t>(point)]; }

 private:
  void sleep() {
    const timespec time{0, static_cast<long>(skew_.ns)};
    nanosleep(&time, nullptr);
    ++sleeps_[static_cast<std::size_t>(skew_.point)];
    armed_ = false;
  }

  tileput::machine::Observer* next_;
  Skew skew_{};
  bool armed_ = false;
  bool waited_ = false;
  std::array<std::int64_t, 3> sleeps_{};
};
