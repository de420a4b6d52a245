// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Plain values in and out of a byte string: the messages between a worker and its ranks, which are always the same
/// build on the same machine.

#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "tileput/error.hpp"

namespace tileput::base {

class Writer {
 public:
  template <class T>
    requires(std::is_trivially_copyable_v<T>)
  Writer& put(const T& value) {
    append_bytes(&value, sizeof(T));
    return *this;
  }
  Writer& put(const std::string& text) { return put_all(text); }
  template <class T>
  Writer& put(const std::vector<T>& values) {
    return put_all(values);
  }

  void append(const Writer& other) { append_bytes(other.bytes_.data(), other.bytes_.size()); }

  [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

 private:
  void append_bytes(const void* bytes, std::size_t count) {
    const std::size_t size = bytes_.size();
    bytes_.resize(size + count);
    if (count == 0) {
      return;
    }
    std::memcpy(bytes_.data() + size, bytes, count);
  }
  template <class Sequence>
  Writer& put_all(const Sequence& values) {
    put(static_cast<std::uint64_t>(values.size()));
    for (const auto& value : values) {
      put(value);
    }
    return *this;
  }

  std::vector<std::byte> bytes_;
};

class Reader {
 public:
  explicit Reader(const std::vector<std::byte>& bytes) noexcept : next_(bytes.data()), left_(bytes.size()) {}

  template <class T>
    requires(std::is_trivially_copyable_v<T>)
  void get(T& value) {
    need(sizeof(T));
    std::memcpy(&value, next_, sizeof(T));
    next_ += sizeof(T);
    left_ -= sizeof(T);
  }
  void get(std::string& text) { get_all(text); }
  template <class T>
  void get(std::vector<T>& values) {
    get_all(values);
  }
  /// The number of elements that follow; each has at least one byte.
  std::size_t take_count() {
    const auto count = take<std::uint64_t>();
    need(count);
    return count;
  }
  template <class T>
  T take() {
    T value{};
    get(value);
    return value;
  }

 private:
  template <class Sequence>
  void get_all(Sequence& values) {
    values.resize(take_count());
    for (auto& value : values) {
      get(value);
    }
  }
  void need(std::uint64_t bytes) const {
    if (bytes > left_) {
      throw Error(ErrorCode::kInternal, "a message between worker and rank is shorter than its contents",
                  "worker and rank helper must be of one build");
    }
  }

  const std::byte* next_;
  std::size_t left_;
};

}  // namespace tileput::base
