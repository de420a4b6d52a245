// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/litmus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/shell.hpp"
#include "check/litmus/parser.hpp"
#include "check/litmus/program.hpp"
#include "check/litmus/verdict.hpp"
#include "tileput/error.hpp"

namespace tileput::cli {

namespace {

using check::ExploreOptions;
using check::litmus::Listing;
using check::litmus::Variant;
using check::litmus::Verdict;

constexpr std::uint64_t kSystematicSchedules = 10'000;
constexpr std::uint64_t kRandomSchedules = 1000;
constexpr std::int64_t kSchedulesMax = 1'000'000'000;

template <typename Value, std::size_t count>
Value value_of(const std::array<std::pair<const char*, Value>, count>& names, const std::string& text) {
  return std::find_if(names.begin(), names.end(), [&](const auto& name) { return name.first == text; })->second;
}

constexpr std::array<std::pair<const char*, check::Model>, 3> kModels = {{{"hardware", check::Model::kHardware},
                                                                          {"paranoid", check::Model::kParanoid},
                                                                          {"coherent", check::Model::kCoherent}}};
constexpr std::array<std::pair<const char*, ExploreOptions::Mode>, 3> kModes = {
    {{"systematic", ExploreOptions::Mode::kSystematic},
     {"random", ExploreOptions::Mode::kRandom},
     {"priority", ExploreOptions::Mode::kPriority}}};

std::vector<int> choices_of(const std::string& text) {
  std::vector<int> out;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (bool more = true; more;) {
    int choice = 0;
    const auto [next, error] = std::from_chars(at, end, choice);
    if (error != std::errc() || choice < 0 || (next != end && *next != '.')) {
      throw Error(ErrorCode::kBadArgument, fmt::format("--replay {}: these are no choices", text),
                  "give the numbers a replay command was printed with, for example 0.2.1");
    }
    out.push_back(choice);
    more = next != end;
    at = next + 1;
  }
  return out;
}

check::litmus::ExamineOptions examine_options(const LitmusOptions& options) {
  check::litmus::ExamineOptions out;
  out.model = value_of(kModels, options.model);
  out.until_fail = options.until_fail;
  out.explore.mode = value_of(kModes, options.mode);
  out.explore.seed = options.seed;
  out.explore.depth = options.depth;
  out.explore.steps_expected = options.steps;
  out.explore.schedules = options.schedules != 0                                  ? options.schedules
                          : out.explore.mode == ExploreOptions::Mode::kSystematic ? kSystematicSchedules
                                                                                  : kRandomSchedules;
  if (!options.replay.empty()) {
    out.explore.mode = ExploreOptions::Mode::kReplay;
    out.explore.choices = choices_of(options.replay);
  }
  return out;
}

std::vector<Variant> variants_of(const LitmusOptions& options) {
  if (options.variant == "both") {
    return {Variant::kBuggy, Variant::kCorrect};
  }
  return {options.variant == "buggy" ? Variant::kBuggy : Variant::kCorrect};
}

std::string replay_command(const Verdict& verdict) {
  return fmt::format("tileput litmus {} --variant {} {}", base::quoted(verdict.file), name_of(verdict.variant),
                     verdict.replay);
}

bool is_as_expected(const Verdict& verdict) { return verdict.agrees.value_or(!verdict.findings.has_errors()); }

/// The reason of a model-skip stands in the listing.
std::string short_expectation(const Verdict& verdict) {
  return verdict.agrees ? "expect " + verdict.expect.substr(0, verdict.expect.find(" (")) : "nothing expected";
}

/// Whether it was the bound on schedules that ended a systematic exploration.
bool has_more(const Verdict& verdict, const LitmusOptions& options) {
  const bool stopped_at_error = options.until_fail && !verdict.replay.empty();
  return options.mode == "systematic" && options.replay.empty() && !verdict.is_complete && !stopped_at_error;
}

void print(const Verdict& verdict, const LitmusOptions& options, std::size_t file_width) {
  const char* const agreement = !verdict.agrees ? "-" : *verdict.agrees ? "agree" : "DISAGREE";
  fmt::print("{:<{}}  {:<7}  {:<20}  {:<27}  {:<8}  {} schedule{}{}\n", verdict.file, file_width,
             name_of(verdict.variant), check::litmus::summary(verdict.findings), short_expectation(verdict), agreement,
             verdict.schedules, verdict.schedules == 1 ? "" : "s",
             verdict.is_complete          ? ", all"
             : has_more(verdict, options) ? ", more left"
                                          : "");
  if (!verdict.difference.empty()) {
    fmt::print("{}\n", verdict.difference);
  }
  if (!options.is_verbose && options.files.size() > 1 && is_as_expected(verdict)) {
    return;
  }
  for (const check::Finding& finding : verdict.findings.all()) {
    fmt::print("{}", describe(finding));
  }
  if (!verdict.replay.empty()) {
    fmt::print("replay: {}\n", replay_command(verdict));
  }
}

}  // namespace

CLI::App* add_litmus(CLI::App& app, LitmusOptions& options) {
  CLI::App* const litmus = app.add_subcommand("litmus", "what may happen when small listings run: docs/litmus.md");
  litmus->add_option("file", options.files, "listings")->required();
  litmus->add_option("--variant", options.variant, "which of a listing's two programs")
      ->check(CLI::IsMember({"buggy", "correct", "both"}))
      ->capture_default_str();
  litmus->add_option("--memory-model", options.model, "what counts as ordered")
      ->check(CLI::IsMember({"hardware", "paranoid", "coherent"}))
      ->capture_default_str();
  litmus->add_option("--mode", options.mode, "how schedules are picked")
      ->check(CLI::IsMember({"systematic", "random", "priority"}))
      ->capture_default_str();
  litmus->add_option("--seed", options.seed, "of the first schedule, where chance picks them")->capture_default_str();
  litmus
      ->add_option("--schedules", options.schedules, "at most so many; default: 10000, or 1000 where chance picks them")
      ->check(CLI::Range(std::int64_t{1}, kSchedulesMax));
  litmus->add_option("--depth", options.depth, "priority: how many orders it takes for a bug to show")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  litmus->add_option("--steps", options.steps, "priority: steps of a run; default: as many as runs so far had");
  litmus->add_flag("--until-fail", options.until_fail, "stop at the first schedule with an error");
  litmus->add_option("--replay", options.replay, "one schedule by its choices, as a replay command has them");
  litmus->add_flag("--json", options.as_json, "one JSON object a line: one for each file and variant");
  litmus->add_flag("-v,--verbose", options.is_verbose, "print all findings");
  return litmus;
}

int run_litmus(const LitmusOptions& options) {
  const check::litmus::ExamineOptions examine_as = examine_options(options);
  const std::vector<Variant> variants = variants_of(options);
  std::vector<Listing> listings;
  std::size_t file_width = 0;
  for (const std::string& file : options.files) {
    listings.push_back(check::litmus::read_listing(file));
    file_width = std::max(file_width, file.size());
  }
  for (const Listing& listing : listings) {  // errors come before the first verdict
    for (const Variant variant : variants) {
      const check::litmus::Program program(listing, variant);
    }
  }
  bool all_as_expected = true;
  for (const Listing& listing : listings) {
    for (const Variant variant : variants) {
      const Verdict verdict = examine(listing, variant, examine_as);
      all_as_expected &= is_as_expected(verdict);
      if (options.as_json) {
        fmt::print("{}\n", to_json(verdict));
      } else {
        print(verdict, options, file_width);
      }
      std::fflush(stdout);
    }
  }
  return static_cast<int>(all_as_expected ? ExitCode::kOk : ExitCode::kFinding);
}

}  // namespace tileput::cli
