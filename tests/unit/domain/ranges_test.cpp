// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "domain/ranges.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <random>
#include <vector>

namespace tileput::domain {
namespace {

constexpr std::uint64_t kPage = 4096;

/// The slow model: one flag per page, first fit, one free page behind each range.
class PageModel {
 public:
  explicit PageModel(std::uint64_t pages) : taken_(pages, false) {}

  std::optional<std::uint64_t> allocate(std::uint64_t bytes) {
    const std::uint64_t pages = std::max<std::uint64_t>(1, (bytes + kPage - 1) / kPage);
    for (std::uint64_t first = 0; first + pages + 1 <= taken_.size(); ++first) {
      const auto begin = taken_.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = begin + static_cast<std::ptrdiff_t>(pages + 1);
      if (std::none_of(begin, end, [](bool taken) { return taken; }) && (first == 0 || !guarded(first))) {
        std::fill(begin, end - 1, true);
        used_[first * kPage] = pages;
        return first * kPage;
      }
    }
    return std::nullopt;
  }
  void release(std::uint64_t offset) {
    const std::uint64_t first = offset / kPage;
    for (std::uint64_t i = 0; i < used_.at(offset); ++i) {
      taken_[first + i] = false;
    }
    used_.erase(offset);
  }
  [[nodiscard]] const std::map<std::uint64_t, std::uint64_t>& used() const { return used_; }
  [[nodiscard]] std::uint64_t used_bytes() const {
    std::uint64_t pages = 0;
    for (const auto& [offset, count] : used_) {
      pages += count;
    }
    return pages * kPage;
  }

 private:
  /// Whether the page before is the last of a range, so that this one is its guard.
  [[nodiscard]] bool guarded(std::uint64_t page) const { return taken_[page - 1]; }

  std::vector<bool> taken_;
  std::map<std::uint64_t, std::uint64_t> used_;
};

TEST(Ranges, AgreesWithThePageModelOverRandomOperations) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    constexpr std::uint64_t kPages = 40;
    Ranges ranges(kPages * kPage, kPage);
    PageModel model(kPages);
    for (int step = 0; step < 2000; ++step) {
      if (random() % 3 != 0 || model.used().empty()) {
        const std::uint64_t bytes = random() % (12 * kPage);
        const auto offset = ranges.allocate(bytes);
        ASSERT_EQ(offset, model.allocate(bytes)) << "seed " << seed << " step " << step << " bytes " << bytes;
        if (offset) {
          ASSERT_EQ(ranges.bytes_at(*offset), model.used().at(*offset) * kPage);
        }
      } else {
        const auto victim =
            std::next(model.used().begin(), static_cast<std::ptrdiff_t>(random() % model.used().size()));
        const std::uint64_t offset = victim->first;
        ranges.release(offset);
        model.release(offset);
      }
      ASSERT_EQ(ranges.used_bytes(), model.used_bytes()) << "seed " << seed << " step " << step;
    }
  }
}

TEST(Ranges, CapacityIncludesTheGuardPage) {
  Ranges ranges(4 * kPage, kPage);
  EXPECT_EQ(ranges.allocate(4 * kPage), std::nullopt);
  EXPECT_EQ(ranges.allocate(3 * kPage), 0U);
  EXPECT_EQ(ranges.allocate(0), std::nullopt);
}

TEST(Ranges, AbsurdSizesAreRefused) {
  Ranges ranges(16 * kPage, kPage);
  for (std::uint64_t less = 0; less < 3; ++less) {
    EXPECT_EQ(ranges.allocate(std::numeric_limits<std::uint64_t>::max() - less), std::nullopt);
  }
  EXPECT_EQ(ranges.used_bytes(), 0U);
}

TEST(Ranges, ReleaseOfWhatIsNotThereChangesNothing) {
  Ranges ranges(16 * kPage, kPage);
  ranges.allocate(kPage);
  ranges.release(kPage);
  EXPECT_EQ(ranges.used_bytes(), kPage);
}

}  // namespace
}  // namespace tileput::domain
