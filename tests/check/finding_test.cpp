// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/finding.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "check/memory_map.hpp"

namespace tileput::check {
namespace {

ReportedAccess access_of(int rank, Pipe pipe, std::uint64_t line, const char* instruction, std::string access) {
  return {.rank = rank,
          .core = 0,
          .core_name = "rank " + std::to_string(rank),
          .pipe = pipe,
          .source = {line, instruction},
          .place = "line " + std::to_string(line),
          .access = std::move(access)};
}

Finding race() {
  return {.kind = FindingKind::kReadWrite,
          .is_warning = false,
          .region = "data",
          .accesses = {access_of(0, Pipe::kMte3, 7, "TSTORE", "writes data@1[0:8]"),
                       access_of(1, Pipe::kMte2, 12, "TLOAD", "reads data@1[0:16]")},
          .missing_edge = "pipe_barrier(PIPE_MTE3) on rank 0 after line 7",
          .count = 1};
}

TEST(Findings, AreMergedWhicheverAccessComesFirst) {
  Findings findings;
  findings.add(race());
  Finding turned = race();
  std::swap(turned.accesses[0], turned.accesses[1]);
  findings.add(turned);
  ASSERT_EQ(findings.all().size(), 1U);
  EXPECT_EQ(findings.all().front().count, 2U);
  EXPECT_EQ(findings.all().front().accesses[0].rank, 0);
}

TEST(Findings, AreMergedOverCoresThatRunTheSameInstructions) {
  Findings findings;
  findings.add(race());
  Finding elsewhere = race();
  elsewhere.accesses[0].rank = 5;
  elsewhere.accesses[1].rank = 6;
  findings.add(elsewhere);
  EXPECT_EQ(findings.all().size(), 1U);
  Finding within_a_core = race();
  within_a_core.accesses[1].rank = 0;
  findings.add(within_a_core);
  EXPECT_EQ(findings.all().size(), 2U);
}

TEST(Findings, AreKeptApartByWhatTheyAreAndWhere) {
  Findings findings;
  findings.add(race());
  Finding other = race();
  other.kind = FindingKind::kWriteWrite;
  findings.add(other);
  other = race();
  other.is_warning = true;
  findings.add(other);
  other = race();
  other.region = "flags";
  findings.add(other);
  other = race();
  other.accesses[0].source.place = 8;
  findings.add(other);
  other = race();
  other.accesses[0].source.instruction = "TPUT";
  findings.add(other);
  other = race();
  other.accesses[0].pipe = Pipe::kFix;
  findings.add(other);
  other = race();
  other.accesses.pop_back();
  findings.add(other);
  EXPECT_EQ(findings.all().size(), 8U);
}

TEST(Findings, OfManyRunsAddUp) {
  Findings one;
  Findings sum;
  EXPECT_FALSE(one.has_errors());
  Finding warning = race();
  warning.is_warning = true;
  one.add(warning);
  EXPECT_FALSE(one.has_errors());
  one.add(race());
  EXPECT_TRUE(one.has_errors());
  sum.merge(one);
  sum.merge(one);
  ASSERT_EQ(sum.all().size(), 2U);
  EXPECT_EQ(sum.all()[0].count, 2U);
  EXPECT_EQ(sum.all()[1].count, 2U);
}

TEST(Describe, AlignsTheAccesses) {
  Finding finding = race();
  finding.count = 3;
  EXPECT_EQ(describe(finding),
            "RW data: unordered accesses (3 times)\n"
            "  rank 0  MTE3  TSTORE writes data@1[0:8]  (line 7)\n"
            "  rank 1  MTE2  TLOAD reads data@1[0:16]   (line 12)\n"
            "  missing: pipe_barrier(PIPE_MTE3) on rank 0 after line 7\n");
}

TEST(Describe, LeavesOutWhatIsNotThere) {
  Finding finding = race();
  finding.kind = FindingKind::kDeadlock;
  finding.is_warning = true;
  finding.region.clear();
  finding.accesses.resize(1);
  finding.accesses[0].place.clear();
  finding.missing_edge = "nobody notifies sig@1[0]";
  EXPECT_EQ(describe(finding),
            "warning DEADLOCK: nobody can go on\n"
            "  rank 0  MTE3  TSTORE writes data@1[0:8]\n"
            "  reason: nobody notifies sig@1[0]\n");
}

TEST(MemoryMap, FindsTheRegionOfAnAddress) {
  MemoryMap map;
  EXPECT_EQ(map.find(0), nullptr);
  map.add({.name = "late", .range = {200, 50}, .rank = 1});
  map.add({.name = "empty", .range = {150, 0}, .rank = 0});
  const int early = map.add({.name = "early", .range = {100, 100}, .rank = 0});
  EXPECT_EQ(map.size(), 3);
  EXPECT_EQ(map.find(99), nullptr);
  ASSERT_NE(map.find(100), nullptr);
  EXPECT_EQ(map.index_of(*map.find(100)), early);
  EXPECT_EQ(map.find(150)->name, "early");
  EXPECT_EQ(map.find(199)->name, "early");
  EXPECT_EQ(map.find(200)->name, "late");
  EXPECT_EQ(map.find(249)->name, "late");
  EXPECT_EQ(map.find(250), nullptr);
  EXPECT_EQ(map.at(0).name, "late");
}

TEST(Names, AreThoseOfTheInstructionSet) {
  EXPECT_STREQ(name_of(Pipe::kMte2), "MTE2");
  EXPECT_STREQ(name_of(Pipe::kFix), "FIX");
  EXPECT_STREQ(name_of(Compare::kGe), "GE");
  EXPECT_STREQ(name_of(FindingKind::kMixed), "MIX");
  EXPECT_STREQ(name_of(FindingKind::kOutOfBounds), "OOB");
}

}  // namespace
}  // namespace tileput::check
