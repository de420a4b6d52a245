// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/finding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

namespace tileput::check {
namespace {

// Which instruction an access belongs to, whatever core ran it.
using AccessKey = std::tuple<std::uint64_t, std::string_view, Pipe>;

std::vector<AccessKey> keys_of(const Finding& finding) {
  std::vector<AccessKey> keys;
  keys.reserve(finding.accesses.size());
  for (const ReportedAccess& access : finding.accesses) {
    keys.emplace_back(access.source.place, access.source.instruction, access.pipe);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

// Two pipes of one core that race are another mistake than two cores that do.
std::size_t cores_of(const Finding& finding) {
  std::set<std::pair<int, int>> cores;
  for (const ReportedAccess& access : finding.accesses) {
    cores.emplace(access.rank, access.core);
  }
  return cores.size();
}

bool are_same(const Finding& a, const Finding& b) {
  return a.kind == b.kind && a.is_warning == b.is_warning && a.region == b.region && a.other_region == b.other_region &&
         a.accesses.size() == b.accesses.size() && keys_of(a) == keys_of(b) && cores_of(a) == cores_of(b);
}

const char* title_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kReadWrite:
    case FindingKind::kWriteWrite:
    case FindingKind::kMixed: return "unordered accesses";
    case FindingKind::kLine: return "unordered writes to one 64-byte line";
    case FindingKind::kUninit: return "read of what nobody wrote";
    case FindingKind::kOutOfBounds: return "access out of bounds";
    case FindingKind::kFlag: return "event flags out of balance";
    case FindingKind::kIllegal: return "pipe that the kernel does not own";
    case FindingKind::kDeadlock: return "nobody can go on";
  }
  return "?";
}

}  // namespace

const char* name_of(FindingKind kind) noexcept {
  switch (kind) {
    case FindingKind::kReadWrite: return "RW";
    case FindingKind::kWriteWrite: return "WW";
    case FindingKind::kMixed: return "MIX";
    case FindingKind::kLine: return "LINE";
    case FindingKind::kUninit: return "UNINIT";
    case FindingKind::kOutOfBounds: return "OOB";
    case FindingKind::kFlag: return "FLAG";
    case FindingKind::kIllegal: return "ILLEGAL";
    case FindingKind::kDeadlock: return "DEADLOCK";
  }
  return "?";
}

void Findings::add(Finding finding) {
  for (Finding& known : findings_) {
    if (are_same(known, finding)) {
      known.count += finding.count;
      return;
    }
  }
  findings_.push_back(std::move(finding));
}

void Findings::merge(const Findings& other) {
  if (&other == this) {
    return;
  }
  for (const Finding& finding : other.findings_) {
    add(finding);
  }
}

bool Findings::has_errors() const noexcept {
  return std::any_of(findings_.begin(), findings_.end(), [](const Finding& finding) { return !finding.is_warning; });
}

Findings Findings::beyond(const Findings& errors) const {
  Findings rest;
  for (const Finding& finding : findings_) {
    if (std::none_of(errors.findings_.begin(), errors.findings_.end(),
                     [&](const Finding& error) { return are_same(error, finding); })) {
      rest.findings_.push_back(finding);
      rest.findings_.back().is_warning = true;
    }
  }
  return rest;
}

std::string describe(const Finding& finding) {
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{}{}{}{}: {}", finding.is_warning ? "warning " : "", name_of(finding.kind),
                 finding.region.empty() ? "" : " ", finding.region, title_of(finding.kind));
  if (finding.count > 1) {
    fmt::format_to(out, " ({} times)", finding.count);
  }
  std::vector<std::string> parts;
  std::size_t core_width = 0;
  std::size_t what_width = 0;
  for (const ReportedAccess& access : finding.accesses) {
    const std::string& what = parts.emplace_back(
        fmt::format("{}{}{}", access.source.instruction,
                    *access.source.instruction == '\0' || access.access.empty() ? "" : " ", access.access));
    core_width = std::max(core_width, access.core_name.size());
    what_width = std::max(what_width, what.size());
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const ReportedAccess& access = finding.accesses[i];
    fmt::format_to(out, "\n  {:<{}}  {:<4}  ", access.core_name, core_width, name_of(access.pipe));
    if (access.place.empty()) {
      fmt::format_to(out, "{}", parts[i]);
    } else {
      fmt::format_to(out, "{:<{}}  ({})", parts[i], what_width, access.place);
    }
  }
  if (!finding.missing_edge.empty()) {
    fmt::format_to(out, "\n  {}: {}", finding.kind == FindingKind::kDeadlock ? "reason" : "missing",
                   finding.missing_edge);
  }
  text += '\n';
  return text;
}

}  // namespace tileput::check
