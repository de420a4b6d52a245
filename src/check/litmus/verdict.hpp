// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "check/explore.hpp"
#include "check/finding.hpp"
#include "check/litmus/listing.hpp"
#include "check/machine.hpp"

namespace tileput::check::litmus {

struct ExamineOptions {
  ExploreOptions explore;
  Model model = Model::kHardware;
  bool until_fail = false;  ///< the first run with an error is the last one
};

/// What the runs of one variant showed.
struct Verdict {
  std::string file;
  std::string title;
  Variant variant = Variant::kBuggy;
  Model model = Model::kHardware;
  std::uint64_t seed = 0;  ///< of the first run with an error, or of the first run
  Findings findings;
  std::uint64_t schedules = 0;  ///< runs that were made to their end
  bool is_complete = false;     ///< no order that could matter was left out
  std::string replay;           ///< options that repeat the first run with an error; empty: there was none
                                ///< (file and variant are not among them)
  std::string expect;           ///< of this variant; empty: the listing says nothing
  std::optional<bool> agrees;   ///< empty: the listing says nothing
  std::string difference;       ///< from what is expected, in words; empty: none
};

/// Runs a variant in the schedules that the options ask for.
/// Errors: kBadArgument with file:line:column.
Verdict examine(const Listing& listing, Variant variant, const ExamineOptions& options);

/// Whether exactly the expected kinds and regions are among the errors of `findings`. Empty: nothing was expected.
std::optional<bool> agreement(const Expectation& expectation, Variant variant, const Findings& findings);
/// "expected and not found: RW:x; found and not expected: RW:y", or a part of it. Empty: nothing differs, or nothing
/// was expected.
std::string difference(const Expectation& expectation, Variant variant, const Findings& findings);
/// What the variant shows, short: "RW:data, DEADLOCK", "clean".
std::string summary(const Findings& findings);

const char* name_of(Model model) noexcept;
/// One line of JSON.
std::string to_json(const Verdict& verdict);

}  // namespace tileput::check::litmus
