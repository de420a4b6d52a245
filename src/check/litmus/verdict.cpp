// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/litmus/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "check/litmus/program.hpp"
#include "tileput/error.hpp"

namespace tileput::check::litmus {

namespace {

bool is_expected(const ExpectedFinding& expected, const Finding& finding) {
  return !finding.is_warning && finding.kind == expected.kind &&
         (expected.region.empty() || expected.region == finding.region || expected.region == finding.other_region);
}

/// As an expectation names it.
std::string item_of(FindingKind kind, const std::string& region) {
  return fmt::format("{}{}{}", name_of(kind), region.empty() ? "" : ":", region);
}

/// Each once, in order.
std::string list_of(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return fmt::format("{}", fmt::join(items, ", "));
}

nlohmann::ordered_json json_of(const Finding& finding) {
  auto accesses = nlohmann::ordered_json::array();
  for (const ReportedAccess& access : finding.accesses) {
    accesses.push_back({{"rank", access.rank},
                        {"core", access.core_name},
                        {"pipe", name_of(access.pipe)},
                        {"instruction", access.source.instruction},
                        {"place", access.place},
                        {"access", access.access}});
  }
  return {{"kind", name_of(finding.kind)},        {"region", finding.region}, {"accesses", accesses},
          {"missing_edge", finding.missing_edge}, {"count", finding.count},   {"warning", finding.is_warning}};
}

}  // namespace

Verdict examine(const Listing& listing, Variant variant, const ExamineOptions& options) {
  Program program(listing, variant);
  MachineOptions machine_options;
  machine_options.model = options.model;
  Verdict verdict;
  verdict.file = listing.file;
  verdict.title = listing.title;
  verdict.variant = variant;
  verdict.model = options.model;
  verdict.seed = options.explore.seed;
  const auto explorer = make_explorer(options.explore);
  while (explorer->more() && !(options.until_fail && !verdict.replay.empty())) {
    const RunResult result = program.run(*explorer, machine_options);
    if (result.outcome == Scheduler::Outcome::kTooLong) {
      throw Error(ErrorCode::kNoProgress, fmt::format("{}: a run takes too many steps", listing.file),
                  "make the listing smaller");
    }
    if (result.outcome == Scheduler::Outcome::kRedundant) {
      continue;
    }
    ++verdict.schedules;
    if (verdict.replay.empty() && result.findings.has_errors()) {
      const bool is_hardware = options.model == Model::kHardware;
      verdict.replay = fmt::format(
          "{}{}{}", is_hardware ? "" : fmt::format("--memory-model {} ", name_of(options.model)),
          options.explore.mode == ExploreOptions::Mode::kRandom ? "--mode random " : "", explorer->replay_options());
      verdict.seed = explorer->seed();
    }
    verdict.findings.merge(result.findings);
  }
  verdict.is_complete = explorer->is_complete();
  if (listing.expectation.kind != Expectation::Kind::kNone) {
    const bool is_skip = listing.expectation.kind == Expectation::Kind::kSkip;
    verdict.expect = variant == Variant::kBuggy || is_skip ? listing.expectation.text : "clean";
  }
  verdict.agrees = agreement(listing.expectation, variant, verdict.findings);
  verdict.difference = difference(listing.expectation, variant, verdict.findings);
  return verdict;
}

std::optional<bool> agreement(const Expectation& expectation, Variant variant, const Findings& findings) {
  if (expectation.kind == Expectation::Kind::kNone) {
    return std::nullopt;
  }
  return difference(expectation, variant, findings).empty();
}

std::string difference(const Expectation& expectation, Variant variant, const Findings& findings) {
  if (expectation.kind == Expectation::Kind::kNone) {
    return "";
  }
  // Of clean and model-skip listings, and of the correct variant, none is expected.
  const std::vector<ExpectedFinding> expected =
      variant == Variant::kBuggy ? expectation.findings : std::vector<ExpectedFinding>();
  const auto& found = findings.all();
  std::vector<std::string> not_found;
  for (const ExpectedFinding& item : expected) {
    if (std::none_of(found.begin(), found.end(), [&](const Finding& finding) { return is_expected(item, finding); })) {
      not_found.push_back(item_of(item.kind, item.region));
    }
  }
  std::vector<std::string> not_expected;
  for (const Finding& finding : found) {
    if (!finding.is_warning && std::none_of(expected.begin(), expected.end(),
                                            [&](const ExpectedFinding& item) { return is_expected(item, finding); })) {
      not_expected.push_back(item_of(finding.kind, finding.region));
    }
  }
  std::vector<std::string> parts;
  if (!not_found.empty()) {
    parts.push_back("expected and not found: " + list_of(std::move(not_found)));
  }
  if (!not_expected.empty()) {
    parts.push_back("found and not expected: " + list_of(std::move(not_expected)));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string summary(const Findings& findings) {
  std::vector<std::string> items;
  for (const Finding& finding : findings.all()) {
    if (!finding.is_warning) {
      items.push_back(item_of(finding.kind, finding.region));
    }
  }
  return items.empty() ? "clean" : list_of(std::move(items));
}

const char* name_of(Model model) noexcept {
  switch (model) {
    case Model::kHardware: return "hardware";
    case Model::kParanoid: return "paranoid";
    case Model::kCoherent: return "coherent";
  }
  return "?";
}

std::string to_json(const Verdict& verdict) {
  auto findings = nlohmann::ordered_json::array();
  for (const Finding& finding : verdict.findings.all()) {
    findings.push_back(json_of(finding));
  }
  nlohmann::ordered_json out = {{"file", verdict.file},
                                {"variant", name_of(verdict.variant)},
                                {"model", name_of(verdict.model)},
                                {"seed", verdict.seed},
                                {"findings", findings},
                                {"expect", nullptr},
                                {"agree", nullptr},
                                {"schedules", verdict.schedules},
                                {"complete", verdict.is_complete},
                                {"replay", verdict.replay}};
  if (verdict.agrees) {
    out["expect"] = verdict.expect;
    out["agree"] = *verdict.agrees;
  }
  // A file name may hold any bytes.
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace tileput::check::litmus
