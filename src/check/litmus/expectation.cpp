// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/litmus/expectation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tileput::check::litmus {

namespace {

constexpr std::array kKinds = {FindingKind::kReadWrite, FindingKind::kWriteWrite, FindingKind::kMixed,
                               FindingKind::kLine,      FindingKind::kUninit,     FindingKind::kOutOfBounds,
                               FindingKind::kFlag,      FindingKind::kIllegal,    FindingKind::kDeadlock};

/// [begin, end) of `line` without the blanks around it.
std::string_view trimmed(std::string_view line, std::size_t& begin, std::size_t end) {
  while (begin < end && (line[begin] == ' ' || line[begin] == '\t')) {
    ++begin;
  }
  while (end > begin && (line[end - 1] == ' ' || line[end - 1] == '\t')) {
    --end;
  }
  return line.substr(begin, end - begin);
}

ExpectedFinding finding_of(const Listing& listing, std::string_view item, Position position) {
  const std::string_view kind = item.substr(0, item.find_first_of(": \t"));
  for (const FindingKind known : kKinds) {
    if (name_of(known) == kind) {
      const auto colon = item.find(':');
      std::size_t begin = colon == std::string_view::npos ? item.size() : colon + 1;
      const bool has_region =
          known != FindingKind::kFlag && known != FindingKind::kIllegal && known != FindingKind::kDeadlock;
      const std::string_view region = trimmed(item, begin, item.size());
      return {known, std::string(has_region ? region : "")};
    }
  }
  fail_at(listing.file, position, fmt::format("'{}' is no kind of finding", item),
          "expected RW, WW, MIX, LINE, UNINIT or OOB with ':' and a region, FLAG, ILLEGAL, DEADLOCK, clean, or "
          "model-skip");
}

}  // namespace

void read_expectation(Listing& listing, std::string_view line, int line_number, std::size_t begin) {
  Expectation& out = listing.expectation;
  const std::string_view text = trimmed(line, begin, line.size());
  const Position position{line_number, static_cast<int>(begin) + 1};
  if (out.kind != Expectation::Kind::kNone) {
    fail_at(listing.file, position, "this is the second '# expect:'", "expected one at most");
  }
  out.text = std::string(text);
  constexpr std::string_view kSkip = "model-skip";
  if (text == "clean") {
    out.kind = Expectation::Kind::kClean;
    return;
  }
  if (text.substr(0, kSkip.size()) == kSkip) {
    out.kind = Expectation::Kind::kSkip;
    return;
  }
  out.kind = Expectation::Kind::kFindings;
  std::size_t end = begin;
  do {
    end = std::min(line.find(',', begin), line.size());
    const std::string_view item = trimmed(line, begin, end);
    out.findings.push_back(finding_of(listing, item, {line_number, static_cast<int>(begin) + 1}));
    begin = end + 1;
  } while (end < line.size());
}

}  // namespace tileput::check::litmus
