// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "ratio_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "tileput/error.hpp"

namespace bench {

namespace {

/// The value below which a share of the values lies.
double quantile(std::vector<double> values, double share) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kKib = 1024;
  if (bytes >= kKib * kKib && bytes % (kKib * kKib) == 0) {
    return fmt::format("{} MiB", bytes / (kKib * kKib));
  }
  return bytes >= kKib && bytes % kKib == 0 ? fmt::format("{} KiB", bytes / kKib) : fmt::format("{} B", bytes);
}

}  // namespace

double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

bool Row::meets_target() const {
  const double value = target.of == Target::Of::kRatio ? ratio : ours;
  return target.bound == Target::Bound::kAtLeast ? value >= target.limit : value <= target.limit;
}

bool Row::is_noisy() const { return spread > kSpreadMax; }

std::string Row::state() const { return is_noisy() ? "noisy" : meets_target() ? "ok" : "missed"; }

Row row_of(Row head, const Samples& samples) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < samples.ours.size(); ++round) {
    ratios.push_back(samples.ours[round] / samples.bare[round]);
  }
  head.rounds = ratios.size();
  head.ours = median(samples.ours);
  head.bare = median(samples.bare);
  head.ratio = median(ratios);
  head.spread = quantile(samples.bare, 0.75) / quantile(samples.bare, 0.25);
  return head;
}

std::string table_of(const std::vector<Row>& rows) {
  std::string text = fmt::format("{:<30} {:>5} {:>8} {:>9} {:>9} {:<5} {:>6} {:>8} {:>7}  {}\n", "measure", "ranks",
                                 "size", "ours", "bare", "", "ratio", "target", "spread", "state");
  for (const Row& row : rows) {
    const char* const bound = row.target.bound == Target::Bound::kAtLeast ? ">=" : "<=";
    const std::string unit = row.target.of == Target::Of::kOurs ? " " + row.unit : "";
    text +=
        fmt::format("{:<30} {:>5} {:>8} {:>9.3f} {:>9.3f} {:<5} {:>6.2f} {:>8} {:>7.2f}  {}\n", row.measure,
                    row.ranks == 0 ? "" : fmt::to_string(row.ranks), size_text(row.bytes), row.ours, row.bare, row.unit,
                    row.ratio, fmt::format("{} {:.4g}{}", bound, row.target.limit, unit), row.spread, row.state());
  }
  return text;
}

std::string csv_of(const std::vector<Row>& rows) {
  std::string text = "measure,ranks,bytes,unit,ours,bare,ratio,bound,target,spread,rounds,state\n";
  for (const Row& row : rows) {
    text += fmt::format("{},{},{},{},{:.6g},{:.6g},{:.4f},{},{},{:.3f},{},{}\n", row.measure, row.ranks, row.bytes,
                        row.unit, row.ours, row.bare, row.ratio,
                        row.target.bound == Target::Bound::kAtLeast ? "at least" : "at most", row.target.limit,
                        row.spread, row.rounds, row.state());
  }
  return text;
}

bool report(const std::vector<Row>& rows, std::uint32_t rounds, const std::filesystem::path& csv) {
  fmt::print("ours and bare in turns, {} rounds, medians; the ratio is the median of the rounds' ratios\n\n{}\n",
             rounds, table_of(rows));
  const auto noisy = std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.is_noisy(); });
  const auto missed = std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.state() == "missed"; });
  if (noisy != 0) {
    fmt::print(
        "{} of {} rows say nothing: the machine was too noisy. The middle half of the bare measure's rounds lies\n"
        "apart by more than a factor of {}; run it again while nothing else runs.\n",
        noisy, rows.size(), kSpreadMax);
  }
  fmt::print("{} of {} targets missed\n", missed, rows.size());
  if (csv.has_parent_path()) {
    std::filesystem::create_directories(csv.parent_path());
  }
  std::ofstream file(csv);
  file << csv_of(rows);
  if (!file.flush()) {
    throw tileput::Error(tileput::ErrorCode::kSystem, fmt::format("{} cannot be written", csv.string()),
                         "name another file with --csv");
  }
  fmt::print("written: {}\n", csv.string());
  return missed != 0;
}

}  // namespace bench
