// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/schedules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/shell.hpp"

namespace tileput {

void CheckSummary::add(const CheckReport& report, bool is_complete) {
  ++schedules_;
  complete_ += is_complete ? 1 : 0;
  if (!first_failing_seed_ && report.has_errors()) {
    first_failing_seed_ = report.seed;
  }
  for (const CheckFinding& finding : report.findings) {
    const auto known = std::find_if(found_.begin(), found_.end(), [&finding](const Found& other) {
      return std::tie(other.finding.kind, other.finding.region, other.finding.place) ==
             std::tie(finding.kind, finding.region, finding.place);
    });
    if (known == found_.end()) {
      found_.push_back({finding, report.seed, 1});
    } else {
      known->finding.count += finding.count;
      known->schedules += 1;
    }
  }
}

std::string CheckSummary::text() const {
  if (found_.empty()) {
    return fmt::format("no findings in {} schedule{}\n", schedules_, schedules_ == 1 ? "" : "s");
  }
  std::string text;
  for (const auto& [finding, seed, in] : found_) {
    text += fmt::format("{}\n  in {} of {} schedules, {} time{}; first with seed {}\n", finding.text, in, schedules_,
                        finding.count, finding.count == 1 ? "" : "s", seed);
  }
  return text;
}

CheckSummary run_schedules(const Worker& worker, const ScheduleOptions& options,
                           const std::function<void(std::uint64_t schedule)>& run_one) {
  CheckSummary summary;
  while (summary.schedules() < options.schedules && !(options.until_fail && summary.first_failing_seed())) {
    bool is_complete = true;
    try {
      run_one(summary.schedules());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNoProgress || !worker.last_check().has_errors()) {
        throw;
      }
      is_complete = false;
    }
    summary.add(worker.last_check(), is_complete);
    if (options.after_each) {
      options.after_each(worker.last_check());
    }
  }
  return summary;
}

std::string line_of(const CheckReport& report) {
  return fmt::format("seed {}: event hash {:016x}, {} events, {} bytes of shadow memory", report.seed,
                     report.event_hash, report.events, report.shadow_bytes);
}

std::string replay_command(const std::vector<std::string>& words, std::uint64_t seed) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--seed" || word == "--schedules") {
      ++i;
    } else if (word != "--until-fail" && !word.starts_with("--seed=") && !word.starts_with("--schedules=")) {
      kept.push_back(word);
    }
  }
  return fmt::format("{} --seed {}", base::quoted(kept), seed);
}

}  // namespace tileput
