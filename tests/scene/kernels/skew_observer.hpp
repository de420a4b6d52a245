// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An observer that makes one rank late, at the points of a call where being late has exposed wrong protocols.

#include <time.h>

#include <cstdint>

#include "repeated_calls.hpp"
#include "tileput/machine/instruction.hpp"

/// Which rank is late in a call, where, and for how long. The same on all ranks.
struct Skew {
  enum class Point : std::uint8_t { kBetweenCalls, kBeforeFirstNotify, kBeforeCopyOut };
  static constexpr std::uint64_t kLongestNs = 200'000;  // some ten calls

  std::uint64_t rank;
  Point point;
  std::uint64_t ns;

  static Skew of_call(std::uint64_t seed, std::uint64_t call, std::uint64_t ranks) {
    const std::uint64_t bits = repeated_calls::mix(repeated_calls::mix(seed) + call);
    return {(bits & 0xffffU) % ranks, static_cast<Point>((bits >> 16U & 0xffffU) % 3),
            (bits >> 32U) % (kLongestNs + 1)};
  }

  void sleep() const {
    const timespec time{0, static_cast<long>(ns)};
    nanosleep(&time, nullptr);
  }
};

/// Sleeps once at the point it was armed for, and leaves every effect to `next` (null: runs it at once).
class SkewObserver final : public tileput::machine::Observer {
 public:
  explicit SkewObserver(tileput::machine::Observer* next) : next_(next) {}

  void begin_call(const Skew& skew, bool armed) {
    skew_ = skew;
    armed_ = armed;
    waited_ = false;
  }

  bool on_instruction(const tileput::machine::Instruction& instruction) override {
    using tileput::machine::Opcode;
    waited_ = waited_ || instruction.opcode == Opcode::kTwait;
    const bool here = (skew_.point == Skew::Point::kBeforeFirstNotify && instruction.opcode == Opcode::kTnotify) ||
                      (skew_.point == Skew::Point::kBeforeCopyOut && instruction.opcode == Opcode::kTload && waited_);
    if (armed_ && here) {
      armed_ = false;
      skew_.sleep();
      ++sleeps_;
    }
    return next_ != nullptr ? next_->on_instruction(instruction) : instruction.run();
  }

  [[nodiscard]] std::int64_t sleeps() const { return sleeps_; }

 private:
  tileput::machine::Observer* next_;
  Skew skew_{};
  bool armed_ = false;
  bool waited_ = false;
  std::int64_t sleeps_ = 0;
};
