// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the tests of the instruction headers share: guarded memory, observers, and the slow model of a strided view.

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

#include "tileput/error.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/instruction.hpp"

namespace tileput::test {

/// The code of the Error that `action` throws; kInternal when it throws none.
template <class Action>
ErrorCode error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_FALSE(error.detail().empty());
    EXPECT_FALSE(error.hint().empty());
    return error.code();
  }
  ADD_FAILURE() << "no Error was thrown";
  return ErrorCode::kInternal;
}

/// `count` elements between two canary zones; all bytes start as poison.
template <class T>
class Guarded {
 public:
  static constexpr std::size_t kCanary = 64;
  static constexpr unsigned char kPoison = 0xA5;

  explicit Guarded(std::size_t count) : count_(count), bytes_((count + 2 * kCanary) * sizeof(T), kPoison) {}

  T* data() { return reinterpret_cast<T*>(bytes_.data()) + kCanary; }
  std::size_t size() const { return count_; }
  T get(std::size_t i) {
    T value;
    std::memcpy(&value, data() + i, sizeof(T));
    return value;
  }

  /// Element i becomes `first + i`.
  void number(T first) {
    for (std::size_t i = 0; i < count_; ++i) {
      const T value = static_cast<T>(first + static_cast<T>(i));
      std::memcpy(data() + i, &value, sizeof(T));
    }
  }

  bool canaries_intact() const {
    for (std::size_t i = 0; i < kCanary * sizeof(T); ++i) {
      if (bytes_[i] != kPoison || bytes_[bytes_.size() - 1 - i] != kPoison) {
        return false;
      }
    }
    return true;
  }
  const std::vector<unsigned char>& bytes() const { return bytes_; }

 private:
  std::size_t count_;
  std::vector<unsigned char> bytes_;
};

using Extents = std::array<std::int64_t, 5>;

/// Calls visit(i0, ..., i4 as Extents) for every index of the shape, innermost last.
template <class Visit>
void for_each_index(const Extents& shape, Visit&& visit) {
  Extents i;
  for (i[0] = 0; i[0] < shape[0]; ++i[0]) {
    for (i[1] = 0; i[1] < shape[1]; ++i[1]) {
      for (i[2] = 0; i[2] < shape[2]; ++i[2]) {
        for (i[3] = 0; i[3] < shape[3]; ++i[3]) {
          for (i[4] = 0; i[4] < shape[4]; ++i[4]) {
            visit(i);
          }
        }
      }
    }
  }
}

inline std::int64_t offset_of(const Extents& index, const Extents& stride) {
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < 5; ++d) {
    offset += index[d] * stride[d];
  }
  return offset;
}

inline std::int64_t product(const Extents& shape) { return shape[0] * shape[1] * shape[2] * shape[3] * shape[4]; }

/// Row-major strides with `gap` extra elements after every row and plane.
inline Extents strides_for(const Extents& shape, std::int64_t gap = 0) {
  Extents stride{};
  std::int64_t step = 1;
  for (std::size_t d = 5; d-- > 0;) {
    stride[d] = step;
    step = step * std::max<std::int64_t>(1, shape[d]) + gap;
  }
  return stride;
}

/// Elements that a view with non-negative strides reaches over.
inline std::int64_t reach(const Extents& shape, const Extents& stride) {
  std::int64_t last = 0;
  for (std::size_t d = 0; d < 5; ++d) {
    last += std::max<std::int64_t>(0, shape[d] - 1) * stride[d];
  }
  return last + 1;
}

/// Attaches an observer to this thread's core for its lifetime.
class Observe {
 public:
  explicit Observe(machine::Observer& observer) { machine::current_core().observer = &observer; }
  Observe(const Observe&) = delete;
  Observe& operator=(const Observe&) = delete;
  ~Observe() { machine::current_core().observer = nullptr; }
};

/// Keeps a copy of every record and does what `action` says with it (nothing by default).
class Recorder : public machine::Observer {
 public:
  Recorder() = default;
  explicit Recorder(std::function<bool(const machine::Instruction&)> action) : action_(std::move(action)) {}
  bool on_instruction(const machine::Instruction& instruction) override {
    records.push_back(instruction);
    return action_ ? action_(instruction) : false;
  }
  std::vector<machine::Instruction> records;

 private:
  std::function<bool(const machine::Instruction&)> action_;
};

}  // namespace tileput::test
