// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Rows of "ours against bare", from samples that were taken in turns, and how they are shown.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

/// What a row asks of ours/bare, or of ours alone.
struct Target {
  enum class Bound : std::uint8_t { kAtLeast, kAtMost };
  enum class Of : std::uint8_t { kRatio, kOurs };
  Bound bound = Bound::kAtMost;
  double limit = 0;
  Of of = Of::kRatio;  ///< kOurs: the limit is in the row's unit
};

/// One comparison: the value of each round, ours and bare, in the same unit.
struct Samples {
  std::vector<double> ours;
  std::vector<double> bare;
};

struct Row {
  std::string measure;
  int ranks = 0;  ///< 0: the row is about one core
  std::uint64_t bytes = 0;
  std::string unit;
  Target target;
  std::size_t rounds = 0;
  double ours = 0;    ///< median
  double bare = 0;    ///< median
  double ratio = 0;   ///< median of the rounds' ratios: what the machine does slowly over time cancels out
  double spread = 0;  ///< third quartile of bare over its first

  [[nodiscard]] bool meets_target() const;
  /// Whether the rounds of the bare measure differ too much to say anything about ours.
  [[nodiscard]] bool is_noisy() const;
  /// "ok", "missed" or "noisy".
  [[nodiscard]] std::string state() const;
};

/// Rounds beyond this spread of the bare measure do not tell a ratio.
inline constexpr double kSpreadMax = 1.25;

double median(std::vector<double> values);

/// Fills in what follows from the samples. There is at least one round, and as many of each.
Row row_of(Row head, const Samples& samples);

std::string table_of(const std::vector<Row>& rows);
std::string csv_of(const std::vector<Row>& rows);

/// Prints the table and what it says, and writes the CSV. Whether a target was missed.
bool report(const std::vector<Row>& rows, std::uint32_t rounds, const std::filesystem::path& csv);

}  // namespace bench
