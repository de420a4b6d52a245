// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What scenes need to fill their host tensors and to compare them with what must come out.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "scene.hpp"

namespace example {

/// What every byte of an output is before a run.
inline constexpr unsigned char kPoison = 0xcd;

template <class T>
void poison(std::span<T> elements) {
  if (!elements.empty()) {
    std::memset(elements.data(), kPoison, elements.size_bytes());
  }
}

template <class T>
void poison(std::vector<T>& elements) {
  poison(std::span<T>(elements));
}

/// A well-mixed 64 bits from the position of an element: no two positions are likely to hold the same.
inline std::uint64_t mixed(std::uint64_t round, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0) {
  std::uint64_t x = round;
  for (const std::uint64_t part : {a, b, c}) {
    x = (x ^ part) + 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    x ^= x >> 31U;
  }
  return x;
}

/// 32 of those bits as a float, any bit pattern.
inline float mixed_float(std::uint64_t round, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0) {
  const auto bits = static_cast<std::uint32_t>(mixed(round, a, b, c));
  float word = 0;
  std::memcpy(&word, &bits, sizeof(word));
  return word;
}

/// How far an element may be from its golden: absolute + relative * |expected|. Both 0: not one bit.
struct Tolerance {
  double absolute = 0;
  double relative = 0;

  [[nodiscard]] bool is_exact() const { return absolute == 0 && relative == 0; }
};

/// One element as text, with its bits: two NaNs look alike otherwise.
template <class T>
std::string element_text(const T& element) {
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    Bits bits = 0;
    std::memcpy(&bits, &element, sizeof(element));
    return fmt::format("{} (0x{:0{}x})", element, bits, 2 * sizeof(T));
  } else {
    return fmt::format("{}", element);
  }
}

/// Adds elements out[i], i < out.size(), to one rank's check; `expected(i)` is a T. May be called for several outputs;
/// `name` says which one differs.
template <class T, class Expected>
void compare(RankCheck& check, const std::string& name, std::span<const T> out, const Expected& expected,
             const Tolerance& tolerance = {}) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const T golden = expected(i);
    if (std::memcmp(&out[i], &golden, sizeof(T)) == 0) {
      continue;
    }
    const double difference = std::abs(static_cast<double>(out[i]) - static_cast<double>(golden));
    const double error = std::isfinite(difference) && (difference > 0 || !tolerance.is_exact())
                             ? difference
                             : std::numeric_limits<double>::infinity();
    check.max_error = std::max(check.max_error, error);
    const double allowed = tolerance.absolute + tolerance.relative * std::abs(static_cast<double>(golden));
    if (tolerance.is_exact() || !(error <= allowed)) {
      if (check.matches) {
        check.detail = fmt::format("{}[{}] is {}, expected {}", name, i, element_text(out[i]), element_text(golden));
      }
      check.matches = false;
    }
  }
}

/// 0..n-1: a scene runs on the first ranks of its worker, which may have more.
inline std::vector<int> first_ranks(int ranks) {
  std::vector<int> all(static_cast<std::size_t>(ranks));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Error kBadArgument for rank counts, and for tensors of `parts` times `count` elements, that no kernel can be given.
inline void refuse_sizes(int ranks, std::uint64_t count, std::uint64_t parts) {
  constexpr std::uint64_t kElementsMax = 0xffffffffU;
  if (ranks < 1 || ranks > tileput::kRanksMax) {
    throw tileput::Error(tileput::ErrorCode::kBadArgument, fmt::format("{} ranks", ranks),
                         fmt::format("use 1 to {}", tileput::kRanksMax));
  }
  if (parts != 0 && count > kElementsMax / parts) {
    throw tileput::Error(tileput::ErrorCode::kBadArgument, fmt::format("{} times {} elements", parts, count),
                         "a tensor of the kernel ABI has fewer than 2^32 elements");
  }
}

/// The slowest rank's median time of a call, in microseconds.
inline double call_us(const tileput::SubmissionReport& report) {
  double slowest = 0;
  for (const tileput::RankReport& rank : report.ranks) {
    slowest = std::max(slowest, static_cast<double>(rank.median.count()) / 1000);
  }
  return slowest;
}

}  // namespace example
