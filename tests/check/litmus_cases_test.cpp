// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
//
// Every listing of tests/check/litmus and tests/check/matrix agrees with its `# expect:` line: exploring every order
// and over random seeds, 1,000 for those of litmus. What is found in spite of the order things happened to take is
// found in every run that ends; a correct variant is silent in every run.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include "check/litmus/parser.hpp"
#include "check/litmus/program.hpp"
#include "check/litmus/verdict.hpp"

namespace tileput::check::litmus {
namespace {

constexpr std::uint64_t kSystematicSchedules = 100'000;
constexpr std::uint64_t kRandomSeeds = 1000;
constexpr std::uint64_t kRandomSeedsOfTheMatrix = 100;

std::vector<std::string> all_cases() {
  std::vector<std::string> out;
  for (const std::string folder : {"litmus/", "matrix/"}) {
    for (const auto& entry : std::filesystem::directory_iterator(TILEPUT_CHECK_CASES "/" + folder)) {
      if (entry.path().extension() == ".litmus") {
        out.push_back(folder + entry.path().stem().string());
      }
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

class LitmusCase : public testing::TestWithParam<std::string> {
 protected:
  void explore(Variant variant, const ExploreOptions& options) {
    const Listing listing = read_listing(TILEPUT_CHECK_CASES "/" + GetParam() + ".litmus");
    ASSERT_NE(listing.expectation.kind, Expectation::Kind::kNone);
    Program program(listing, variant);
    const auto explorer = make_explorer(options);
    Findings merged;
    std::uint64_t ended = 0;
    while (explorer->more()) {
      const RunResult result = program.run(*explorer, {});
      ASSERT_NE(result.outcome, Scheduler::Outcome::kTooLong);
      if (result.outcome == Scheduler::Outcome::kRedundant) {
        continue;
      }
      merged.merge(result.findings);
      if (result.outcome == Scheduler::Outcome::kEnded && variant == Variant::kBuggy) {
        ++ended;
        expect_ordering_findings(listing, result.findings, explorer->replay_options());
      }
    }
    if (options.mode == ExploreOptions::Mode::kSystematic) {
      EXPECT_TRUE(explorer->is_complete());
    }
    EXPECT_EQ(agreement(listing.expectation, variant, merged), true)
        << name_of(variant) << " shows " << summary(merged) << ", expected " << listing.expectation.text << "; "
        << ended << " runs ended";
  }

 private:
  static void expect_ordering_findings(const Listing& listing, const Findings& findings, const std::string& replay) {
    for (const ExpectedFinding& expected : listing.expectation.findings) {
      if (expected.kind == FindingKind::kDeadlock) {
        continue;
      }
      const auto& all = findings.all();
      EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                              [&](const Finding& finding) {
                                return !finding.is_warning && finding.kind == expected.kind &&
                                       finding.region == expected.region;
                              }))
          << name_of(expected.kind) << ":" << expected.region << " is missing in the run of " << replay;
    }
  }
};

std::uint64_t seeds_of(const std::string& name) {
  return name.starts_with("matrix/") ? kRandomSeedsOfTheMatrix : kRandomSeeds;
}

TEST_P(LitmusCase, SystematicBuggy) {
  explore(Variant::kBuggy, {.mode = ExploreOptions::Mode::kSystematic, .schedules = kSystematicSchedules});
}
TEST_P(LitmusCase, SystematicCorrect) {
  explore(Variant::kCorrect, {.mode = ExploreOptions::Mode::kSystematic, .schedules = kSystematicSchedules});
}
TEST_P(LitmusCase, RandomBuggy) {
  explore(Variant::kBuggy, {.mode = ExploreOptions::Mode::kRandom, .schedules = seeds_of(GetParam())});
}
TEST_P(LitmusCase, RandomCorrect) {
  explore(Variant::kCorrect, {.mode = ExploreOptions::Mode::kRandom, .schedules = seeds_of(GetParam())});
}

INSTANTIATE_TEST_SUITE_P(All, LitmusCase, testing::ValuesIn(all_cases()), [](const auto& at) {
  std::string name = at.param;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

TEST(LitmusCases, AreThere) { EXPECT_GE(all_cases().size(), 89U); }

// A checker that finds nothing, or anything, must not pass the tests above.
TEST(LitmusCases, DisagreementIsSeen) {
  const Expectation race{Expectation::Kind::kFindings, {{FindingKind::kReadWrite, "data"}}, "RW:data"};
  const Expectation clean{Expectation::Kind::kClean, {}, "clean"};
  const auto findings = [](const std::vector<std::pair<FindingKind, std::string>>& items, bool is_warning = false) {
    Findings out;
    for (const auto& [kind, region] : items) {
      out.add({.kind = kind, .is_warning = is_warning, .region = region});
    }
    return out;
  };
  const Findings exact = findings({{FindingKind::kReadWrite, "data"}});
  EXPECT_EQ(agreement(race, Variant::kBuggy, exact), true);
  EXPECT_EQ(agreement(race, Variant::kCorrect, exact), false);
  EXPECT_EQ(agreement(race, Variant::kBuggy, {}), false);
  EXPECT_EQ(agreement(race, Variant::kCorrect, {}), true);
  EXPECT_EQ(agreement(race, Variant::kBuggy, findings({{FindingKind::kReadWrite, "data"}}, true)), false);
  EXPECT_EQ(agreement(race, Variant::kBuggy, findings({{FindingKind::kReadWrite, "other"}})), false);
  EXPECT_EQ(agreement(race, Variant::kBuggy, findings({{FindingKind::kWriteWrite, "data"}})), false);
  EXPECT_EQ(
      agreement(race, Variant::kBuggy, findings({{FindingKind::kReadWrite, "data"}, {FindingKind::kReadWrite, "sig"}})),
      false);
  EXPECT_EQ(agreement(clean, Variant::kBuggy, {}), true);
  EXPECT_EQ(agreement(clean, Variant::kBuggy, exact), false);
  EXPECT_EQ(agreement(clean, Variant::kBuggy, findings({{FindingKind::kReadWrite, "data"}}, true)), true);
  EXPECT_EQ(agreement({}, Variant::kBuggy, exact), std::nullopt);
  const Expectation skip{Expectation::Kind::kSkip, {}, "model-skip (why)"};
  EXPECT_EQ(agreement(skip, Variant::kBuggy, exact), false);
  EXPECT_EQ(agreement(skip, Variant::kBuggy, {}), true);
}

}  // namespace
}  // namespace tileput::check::litmus
