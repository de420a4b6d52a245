// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
//
// What the statements of a listing do: small programs and all that is found in them, in every order. Several expose a
// statement by what goes wrong when it does less or more than it says.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "check/litmus/parser.hpp"
#include "check/litmus/program.hpp"
#include "check/litmus/verdict.hpp"

namespace tileput::check::litmus {
namespace {

Verdict verdict_of(const std::string& text, Model model = Model::kHardware) {
  ExamineOptions options;
  options.explore.mode = ExploreOptions::Mode::kSystematic;
  options.explore.schedules = 100'000;
  options.model = model;
  Verdict verdict = examine(parse("a.litmus", text), Variant::kBuggy, options);
  EXPECT_TRUE(verdict.is_complete) << text;
  return verdict;
}

struct Case {
  const char* text;
  const char* found;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Verdict verdict = verdict_of(c.text);
    EXPECT_EQ(summary(verdict.findings), c.found) << c.text;
    if (summary(verdict.findings) != c.found) {
      for (const Finding& finding : verdict.findings.all()) {
        fmt::print("{}", describe(finding));
      }
    }
  }
}

// Rank 0 sends d to rank 1: `drain` stands before the notify.
std::string sent(const std::string& store, const std::string& drain) {
  return "ranks 2\nwin d[4] s[1]\ngm y[4]\nrank 0:\n  " + store + "\n" + drain +
         "\n  TNOTIFY s@1[0] ADD 1\n"
         "rank 1:\n  TWAIT s[0] GE 1\n  TLOAD ub1 <- d[0:4]\n";
}

TEST(LitmusProgram, StoresLeaveByTheirPipes) {
  const char* const kMte3 = "  pipe_barrier MTE3\n  dsb";
  const char* const kFix = "  pipe_barrier(PIPE_FIX)\n  dsb(DSB_DDR)";
  const char* const kMte2 = "  pipe_barrier MTE2\n  dsb";
  const auto found = [](const std::string& store, const std::string& drain) {
    return summary(verdict_of(sent(store, drain)).findings);
  };
  EXPECT_EQ(found("TSTORE d@1 <- ub0", kMte3), "clean");
  EXPECT_EQ(found("TSTORE d@1 <- ub0", kMte2), "RW:d");
  EXPECT_EQ(found("TSTORE d@1 <- ub0", "  REL"), "clean");
  EXPECT_EQ(found("TSTORE d@1 <- ub0", "  dsb\n  pipe_barrier ALL"), "RW:d");
  EXPECT_EQ(found("TSTORE.ADD d@1 <- ub0", kMte3), "clean");
  EXPECT_EQ(found("TSTORE.ADD d@1 <- ub0", ""), "RW:d");
  EXPECT_EQ(found("TSTORE.ACC d@1 <- acc", kFix), "clean");
  EXPECT_EQ(found("TSTORE.ACC d@1 <- acc", kMte3), "RW:d");  // and no ILLEGAL: a kernel that uses both kinds of pipes
  EXPECT_EQ(found("TSTORE.ACC d@1 <- acc", "  pipe_barrier V\n  REL"), "ILLEGAL");
  EXPECT_EQ(found("TSTORE d@1 <- ub0", "  pipe_barrier FIX\n  REL"), "ILLEGAL");
  EXPECT_EQ(found("TPUT d@1 <- y stage ub9", kMte3), "clean");
  EXPECT_EQ(found("TPUT d@1 <- y stage ub9", "  pipe_barrier S\n  dsb"), "RW:d");
  EXPECT_EQ(found("TPUT d@1 <- y stage ub9", kMte2), "clean");  // its last event makes MTE2 wait for MTE3
  EXPECT_EQ(found("TPUT d@1 <- y stage ub8 ub9", kMte3), "clean");
  EXPECT_EQ(found("TPUT d@1 <- y", kMte3), "clean");
  EXPECT_EQ(found("TPUT.ADD d@1 <- y stage ub9", "  dsb"), "RW:d");
  EXPECT_EQ(found("TPUT_ASYNC d@1 <- y ev e", "  REL"), "RW:d");
  EXPECT_EQ(found("TPUT_ASYNC d@1 <- y ev e", "  WAIT_ASYNC e"), "clean");
  EXPECT_EQ(found("TPUT_ASYNC d@1 <- y ev e\n  TPUT_ASYNC d@1 <- y ev f", "  WAIT_ASYNC e"), "RW:d, WW:d");
  EXPECT_EQ(found("TPUT_ASYNC d@1[0:2] <- y[0:2] ev e\n  TPUT_ASYNC d@1[2:4] <- y[2:4] ev f", "  WAIT_ASYNC f"),
            "clean");
  EXPECT_EQ(found("WAIT_ASYNC e\n  TPUT_ASYNC d@1 <- y ev e", ""), "RW:d");  // waits before there is anything
  EXPECT_EQ(found("TPUT_ASYNC d@1[0:2] <- y[0:2] ev e\n  WAIT_ASYNC e\n  TPUT_ASYNC d@1[2:4] <- y[2:4] ev e",
                  "  WAIT_ASYNC e"),
            "clean");
  EXPECT_EQ(found("MEMSET d@1 0", "  dsb"), "clean");
  EXPECT_EQ(found("MEMSET d@1 0", ""), "RW:d");
  EXPECT_EQ(found("ST d@1", "  dcci d@1\n  dsb"), "clean");
  EXPECT_EQ(found("ST d@1", "  dcci ALL\n  dsb"), "clean");
  EXPECT_EQ(found("ST d@1", "  dsb\n  dcci d@1"), "RW:d");
  EXPECT_EQ(found("ST d@1", "  REL"), "RW:d");
  EXPECT_EQ(found("TSTORE d@1 <- ub0", "  launch"), "clean");
  EXPECT_EQ(found("ST d@1", "  launch"), "clean");
}

TEST(LitmusProgram, ReadsOfTheOtherSide) {
  expect_all({
      {"ranks 2\nwin d[4] s[1]\ngm y[4]\nrank 0:\n  TSTORE d <- ub0\n  REL\n  TNOTIFY s@1[0] ADD 1\n"
       "rank 1:\n  TWAIT s[0] GE 1\n  TGET y <- d@0 stage ub9\n",
       "clean"},
      {"ranks 2\nwin d[4]\ngm y[4]\nrank 0:\n  TSTORE d <- ub0\nrank 1:\n  TGET y <- d@0 stage ub9\n", "RW:d"},
      {"ranks 2\nwin d[4]\ngm y[4]\nrank 0:\n  TSTORE d <- ub0\nrank 1:\n  TGET_ASYNC y <- d@0 ev e\n", "RW:d"},
      {"ranks 2\nwin d[4]\ngm y[4]\nrank 1:\n  TGET_ASYNC y <- d@0 ev e\n  TLOAD ub0 <- y\n  WAIT_ASYNC e\n", "RW:y"},
      {"ranks 2\nwin d[4]\ngm y[4]\nrank 1:\n  TGET_ASYNC y <- d@0 ev e\n  WAIT_ASYNC e\n  TLOAD ub0 <- y\n", "clean"},
      {"ranks 2\nwin d[4]\ngm y[4]\nrank 1:\n  TGET y <- d@0 stage ub9\n  VEC ub9 <- ub1\n", "RW:ub9, WW:ub9"},
      {"ranks 2\nwin d[4]\ngm y[4]\nrank 1:\n  TGET y <- d@0\n  VEC ub9 <- ub1\n", "clean"},
  });
}

TEST(LitmusProgram, ScalarReadsNeedAnInvalidatedLine) {
  const std::string head =
      "ranks 2\nwin d[32] s[1]\nrank 0:\n  TSTORE d@1[0:4] <- ub0\n  REL\n  TNOTIFY s@1[0] ADD 1\nrank 1:\n";
  const auto found = [&](const std::string& text) { return summary(verdict_of(head + text).findings); };
  EXPECT_EQ(found("  TWAIT s[0] GE 1\n  dcci ALL\n  LD d[0]\n"), "clean");
  EXPECT_EQ(found("  TWAIT s[0] GE 1\n  dcci d\n  LD d[0]\n"), "clean");
  EXPECT_EQ(found("  TWAIT s[0] GE 1\n  dcci d[0:64]\n  LD d[0]\n"), "clean");  // lines, not cells
  EXPECT_EQ(found("  TWAIT s[0] GE 1\n  dcci d[15]\n  LD d[0]\n"), "clean");
  EXPECT_EQ(found("  TWAIT s[0] GE 1\n  dcci d[16:32]\n  LD d[0]\n"), "RW:d");
  EXPECT_EQ(found("  TWAIT s[0] GE 1\n  LD d[0]\n"), "RW:d");
  EXPECT_EQ(found("  dcci ALL\n  TWAIT s[0] GE 1\n  LD d[0]\n"), "RW:d");
  EXPECT_EQ(found("  TWAIT s[0] GE 1\n  launch\n  LD d[0]\n"), "clean");
}

TEST(LitmusProgram, PollEndsWhenItsCellsAreWritten) {
  expect_all({
      {"ranks 1\ngm x[2]\nrank 0:\n  POLL x[0]\n", "DEADLOCK"},
      {"ranks 1\ngm x[2]\ninit x=5\nrank 0:\n  POLL x\n", "clean"},
      {"ranks 1\ngm x[2]\ninit x[1]=5\nrank 0:\n  POLL x[1]\n", "clean"},
      {"ranks 1\ngm x[2]\ninit x[1]=5\nrank 0:\n  POLL x\n", "DEADLOCK"},
      {"ranks 1\ngm x[2]\nrank 0 core 0:\n  POLL x[0]\nrank 0 core 1:\n  TSTORE x[0] <- ub0\n", "RW:x"},
      {"ranks 1\ngm x[2]\nrank 0 core 0:\n  POLL x[1]\nrank 0 core 1:\n  TSTORE x[0] <- ub0\n", "DEADLOCK"},
      {"ranks 1\ngm x[2]\nrank 0 core 0:\n  POLL x[0]\nrank 0 core 1:\n  TNOTIFY x[0] SET 3\n", "RW:x"},
      {"ranks 1\ngm x[2]\nrank 0 core 0:\n  POLL x[0]\nrank 0 core 1:\n  TNOTIFY x[0] SET 0\n", "DEADLOCK"},
      {"ranks 1\ngm x[2]\ninit x=5\nrank 0:\n  MEMSET x 0\n  POLL x\n", "DEADLOCK"},
      {"ranks 1\ngm x[2]\nrank 0:\n  MEMSET x 3\n  POLL x\n", "clean"},
      {"ranks 1\ngm x[2]\nrank 0:\n  TSTORE x <- ub0\n  pipe_barrier ALL\n  POLL x\n", "clean"},
  });
}

TEST(LitmusProgram, SignalsHaveValues) {
  const auto found = [](const std::string& start, const std::string& wait) {
    return summary(verdict_of("ranks 2\nwin s[2]\n" + start + "rank 1:\n  " + wait + "\n").findings);
  };
  const std::string two = "rank 0:\n  TNOTIFY s@1[0] ADD 3\n  TNOTIFY s@1[1] SET -2\n";
  EXPECT_EQ(found(two, "TWAIT s[0] EQ 3"), "clean");
  EXPECT_EQ(found(two, "TWAIT s[0] GT 3"), "DEADLOCK");
  EXPECT_EQ(found(two, "TWAIT s[0] GE 4"), "DEADLOCK");
  EXPECT_EQ(found(two, "TWAIT s[1] LT 0"), "clean");
  EXPECT_EQ(found(two, "TWAIT s[1] LE -3"), "DEADLOCK");
  EXPECT_EQ(found(two, "TWAIT s NE 0"), "clean");
  EXPECT_EQ(found(two, "TWAIT s[0:2] LE -2"), "DEADLOCK");
  EXPECT_EQ(found("init s=7\n", "TWAIT s EQ 7"), "clean");
  EXPECT_EQ(found("init s=me*2\n", "TWAIT s EQ 2"), "clean");
  EXPECT_EQ(found("init s=-1 s[1]=4\n", "TWAIT s[1] EQ 4"), "clean");
  EXPECT_EQ(found("init s=2147483647\nrank 0:\n  TNOTIFY s@1[0] ADD 1\n", "TWAIT s[0] LT 0"), "clean");
}

TEST(LitmusProgram, OutOfBoundsPartsAreLeftOut) {
  expect_all({
      {"ranks 2\nwin d[4]\nrank 0:\n  TSTORE d@1[2:6] <- ub0\n", "OOB:d"},
      {"ranks 2\nwin d[4]\nrank 0:\n  TSTORE d@1[-2:2] <- ub0\n", "OOB:d"},
      {"ranks 2\nwin d[4]\nrank 0:\n  TSTORE d@1[7:9] <- ub0\nrank 1:\n  TLOAD ub0 <- d\n", "OOB:d"},
      {"ranks 2\nwin d[4]\nrank 0:\n  TSTORE d@1[2:9] <- ub0\nrank 1:\n  TLOAD ub0 <- d[0:2]\n", "OOB:d"},
      {"ranks 2\nwin d[4]\nrank 0:\n  TSTORE d@1[2:9] <- ub0\nrank 1:\n  TLOAD ub0 <- d[0:3]\n", "OOB:d, RW:d"},
      {"ranks 2\nwin d[4] e[4]\nrank 0:\n  TPUT e@1[0:8] <- d[0:8] stage a\n", "OOB:d, OOB:e"},
      {"ranks 2\nwin d[4] e[4]\nrank 0:\n  TPUT e@1[0:8] <- d[0:8] stage a b\n", "OOB:d, OOB:e"},
      {"ranks 2\nwin d[4] e[4]\nrank 0:\n  TPUT_ASYNC e@1[2:6] <- d ev a\n", "OOB:e"},
      {"ranks 2\ngm d[4]\nrank 0:\n  TLOAD ub0 <- d@1\n", "OOB:d"},
      {"ranks 2\ngm d[4]\nrank 0:\n  TLOAD ub0 <- d@0\n  LD d@me[0]\n", "clean"},
      {"ranks 2\ngm d[4]\nrank 0:\n  LD d@1[0]\n  ST d@1[0]\n  MEMSET d@1 0\n  POLL d@1\n", "OOB:d"},
      {"ranks 2\nwin s[2]\nrank 0:\n  TNOTIFY s@1[2] ADD 1\n  TWAIT s[5] GE 1\n", "OOB:s"},
      {"ranks 2\nwin s[2]\nrank 0:\n  TWAIT s[1:3] GE 1\nrank 1:\n  TNOTIFY s@0[1] ADD 1\n", "OOB:s"},
      {"ranks 2\ngm s[2]\nrank 0:\n  TNOTIFY s@1[0] ADD 1\nrank 1:\n  TWAIT s[0] GE 1\n", "DEADLOCK, OOB:s"},
  });
}

TEST(LitmusProgram, MemoryLiesAsDeclared) {
  // Words of two regions in one line, and in two.
  const std::string code = "rank 1:\n  TNOTIFY a@0[0] SET 1\nrank 2:\n  TNOTIFY b@0[0] SET 1\n";
  EXPECT_EQ(summary(verdict_of("ranks 3\nwin a[2] b[2]\n" + code).findings), "clean");
  const std::string shared = summary(verdict_of("ranks 3\nwin a[2] b[2]\nline a b\n" + code).findings);
  EXPECT_TRUE(shared == "LINE:a" || shared == "LINE:b") << shared;
  EXPECT_EQ(summary(verdict_of("ranks 3\nwin a[16] b[2]\nline a b\n" + code).findings), "clean");
  expect_all({
      {"ranks 2\nwin d[4]\nuninit d\nrank 0:\n  TLOAD ub0 <- d\n", "UNINIT:d"},
      {"ranks 2\nwin d[4]\nuninit d\nrank 0:\n  LD d[3]\n", "UNINIT:d"},
      {"ranks 2\nwin d[4]\nrank 0:\n  LD d[3]\n", "clean"},
      {"ranks 2\nwin d[4]\nuninit d\nrank 0:\n  TSTORE d[0:3] <- ub0\n  pipe_barrier MTE3\n  TLOAD ub1 <- d[0:3]\n",
       "clean"},
      {"ranks 2\nwin d[4]\nuninit d\nrank 0:\n  TSTORE d[0:3] <- ub0\n  pipe_barrier MTE3\n  TLOAD ub1 <- d\n",
       "UNINIT:d"},
  });
}

TEST(LitmusProgram, TilesBelongToACore) {
  expect_all({
      {"ranks 1\ngm x[4]\nrank 0 core 0:\n  TLOAD t <- x\nrank 0 core 1:\n  VEC u <- t\n", "clean"},
      {"ranks 1\ngm x[4]\nrank 0:\n  TLOAD t <- x\n  VEC u <- t\n", "RW:t"},
      {"ranks 1\ngm x[4]\nrank 0:\n  TLOAD t[0:4] <- x\n  VEC u <- t[4:8]\n", "clean"},
      {"ranks 1\ngm x[4]\nrank 0:\n  TLOAD t[0:4] <- x\n  VEC u <- t[3]\n", "RW:t"},
      {"ranks 1\ngm x[4]\nrank 0:\n  TLOAD t <- x\n  TMATMUL u <- t v\n", "RW:t"},
      {"ranks 1\ngm x[4]\nrank 0:\n  TLOAD t <- x\n  pipe_barrier MTE2\n  TMATMUL u <- t v\n  TSTORE.ACC x <- u\n",
       "RW:u"},
      {"ranks 1\ngm x[4]\nrank 0:\n  TMATMUL u <- t v\n  set_flag M FIX 1\n  wait_flag M FIX 1\n  TSTORE.ACC x <- u\n",
       "clean"},
      {"ranks 1\ngm x[4]\nrank 0:\n  TADDS t <- t 3\n  TMULS t <- t, -1\n  VEC u <- t\n", "clean"},
  });
}

TEST(LitmusProgram, Flags) {
  expect_all({
      {"ranks 1\nrank 0:\n  set_flag V MTE2 0\n", "FLAG"},
      {"ranks 1\nrank 0:\n  set_flag V MTE2 0\n  launch\n  wait_flag V MTE2 0\n", "FLAG"},
      {"ranks 1\nrank 0:\n  wait_flag V MTE2 0\n  set_flag V MTE2 0\n", "clean"},  // MTE2 waits, not the scalar unit
      {"ranks 1\nrank 0:\n  wait_flag V MTE2 0\n  pipe_barrier MTE2\n  set_flag V MTE2 0\n", "DEADLOCK"},
      {"ranks 1\nrank 0:\n  wait_flag V S 0\n  set_flag V S 0\n", "DEADLOCK"},
      {"ranks 1\nrank 0:\n  set_flag V MTE2 0\n  set_flag V MTE2 0\n  wait_flag V MTE2 0\n  wait_flag V MTE2 0\n",
       "FLAG"},
      {"ranks 1\nrank 0:\n  set_flag V MTE2 EVENT_ID3\n  wait_flag PIPE_V PIPE_MTE2 3\n", "clean"},
      {"ranks 1\nrank 0:\n  set_flag V MTE2 3\n  wait_flag V MTE2 4\n", "DEADLOCK, FLAG"},
      {"ranks 1\nwin x[4] y[4]\nrank 0:\n  set_flag MTE3 MTE2 0\n  TPUT x <- y stage t\n  wait_flag MTE3 MTE2 0\n",
       "FLAG"},
      {"ranks 1\nwin x[4] y[4]\nrank 0:\n  set_flag MTE3 MTE2 2\n  TPUT x <- y stage t\n  wait_flag MTE3 MTE2 2\n",
       "clean"},
  });
}

TEST(LitmusProgram, Places) {
  const std::string meeting = "ranks 1\nwin c[1]\n";
  const std::string code = "rank 0 task A:\n  TWAIT c[0] GE 1\nrank 0 task B:\n  TNOTIFY c[0] ADD 1\n";
  EXPECT_EQ(summary(verdict_of(meeting + code).findings), "clean");
  EXPECT_EQ(summary(verdict_of(meeting + "slots 2\n" + code).findings), "clean");
  EXPECT_EQ(summary(verdict_of(meeting + "slots 1\n" + code).findings), "DEADLOCK");
  EXPECT_EQ(summary(verdict_of(meeting + "slots 1 fifo\n" + code).findings), "DEADLOCK");
  const std::string turned = "rank 0 task B:\n  TNOTIFY c[0] ADD 1\nrank 0 task A:\n  TWAIT c[0] GE 1\n";
  EXPECT_EQ(summary(verdict_of(meeting + "slots 1\n" + turned).findings), "DEADLOCK");
  EXPECT_EQ(summary(verdict_of(meeting + "slots 1 fifo\n" + turned).findings), "clean");
  // Every rank has places of its own.
  EXPECT_EQ(
      summary(verdict_of("ranks 2\nwin c[1]\nslots 1\nall:\n  TNOTIFY c@nxt[0] ADD 1\n  TWAIT c[0] GE 1\n").findings),
      "clean");
}

TEST(LitmusProgram, BlocksOfOneAgentFollowEachOther) {
  expect_all({
      {"ranks 2\nwin c[1]\nrank 0:\n  TNOTIFY c@1[0] ADD 1\nrank 1:\n  TWAIT c[0] EQ 1\nrank 0 core 0:\n  TWAIT c[0] "
       "EQ 1\n"
       "all:\n  TNOTIFY c@0[0] ADD 1\nrank 1:\n  TNOTIFY c@0[0] ADD 1\n",
       "DEADLOCK"},
      {"ranks 1\nwin c[1]\nrank 0:\n  TWAIT c[0] EQ 0\nall:\n  TNOTIFY c[0] ADD 1\nrank 0:\n  TWAIT c[0] EQ 1\n",
       "clean"},
      {"ranks 3\n", "clean"},
      {"ranks 1\nall:\n", "clean"},
  });
}

TEST(LitmusProgram, DeadlocksNameWhatNeverComes) {
  const Verdict cycle = verdict_of("ranks 2\nwin c[1]\nall:\n  TWAIT c[0] GE 1\n  TNOTIFY c@nxt[0] ADD 1\n");
  ASSERT_EQ(cycle.findings.all().size(), 1U);
  EXPECT_NE(cycle.findings.all()[0].missing_edge.find("cycle"), std::string::npos);
  const Verdict missing = verdict_of("ranks 2\nwin c[1]\nrank 0:\n  TWAIT c[0] GE 1\nrank 1:\n");
  ASSERT_EQ(missing.findings.all().size(), 1U);
  EXPECT_EQ(missing.findings.all()[0].missing_edge.find("cycle"), std::string::npos);
  EXPECT_EQ(missing.findings.all()[0].accesses[0].place, "line 4");
}

TEST(LitmusProgram, TheSameSeedIsTheSameRun) {
  const Listing listing = parse("a.litmus",
                                "ranks 3\nwin c[1] d[4]\nall:\n  TPUT d@nxt <- d stage t\n  TNOTIFY c@nxt[0] ADD 1\n"
                                "  TWAIT c[0] GE 1\n  POLL d\n");
  const auto hashes = [&] {
    Program program(listing, Variant::kBuggy);
    const auto explorer = make_explorer({.mode = ExploreOptions::Mode::kRandom, .seed = 7, .schedules = 30});
    std::vector<std::uint64_t> out;
    while (explorer->more()) {
      out.push_back(program.run(*explorer, {}).event_hash);
    }
    return out;
  };
  const std::vector<std::uint64_t> first = hashes();
  EXPECT_EQ(hashes(), first);
  EXPECT_NE(std::count(first.begin(), first.end(), first[0]), static_cast<std::ptrdiff_t>(first.size()));
}

TEST(LitmusProgram, FindingsOutliveTheirProgram) {
  Verdict verdict = verdict_of(sent("TSTORE d@1 <- ub0", ""));
  ASSERT_EQ(verdict.findings.all().size(), 1U);
  EXPECT_EQ(describe(verdict.findings.all()[0]).find("RW d"), 0U);
  EXPECT_NE(to_json(verdict).find("\"instruction\":\"TSTORE\""), std::string::npos);
}

TEST(LitmusProgram, UntilFailStopsAtTheFirstError) {
  ExamineOptions options;
  options.explore = {.mode = ExploreOptions::Mode::kRandom, .seed = 1, .schedules = 500};
  const Listing listing = parse("a.litmus",
                                "ranks 2\nwin c[1]\nrank 0:\n  TNOTIFY c@1[0] ADD 1\n  TNOTIFY c@1[0] ADD 1\n"
                                "rank 1:\n  TWAIT c[0] EQ 1\n");
  const Verdict all = examine(listing, Variant::kBuggy, options);
  EXPECT_EQ(all.schedules, 500U);
  ASSERT_EQ(summary(all.findings), "DEADLOCK");
  EXPECT_LT(all.findings.all()[0].count, 500U);
  options.until_fail = true;
  const Verdict first = examine(listing, Variant::kBuggy, options);
  EXPECT_EQ(first.schedules, first.seed);  // seeds count from 1
  EXPECT_EQ(first.replay, all.replay);
  EXPECT_EQ(first.findings.all()[0].count, 1U);
}

}  // namespace
}  // namespace tileput::check::litmus
