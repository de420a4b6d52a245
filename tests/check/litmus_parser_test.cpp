// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
//
// The listing language: what it accepts, what its expressions mean, and where it says that something is wrong.

#include "check/litmus/parser.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "check/litmus/lexer.hpp"
#include "check/litmus/program.hpp"
#include "tileput/error.hpp"

namespace tileput::check::litmus {
namespace {

const char kFile[] = "a.litmus";

std::int64_t value_of(const std::string& text, int rank, int ranks) {
  TokenReader reader(kFile, tokens_of(kFile, text, 1, 1));
  const Expression expression = reader.expression();
  reader.require_end();
  return expression.evaluate({kFile, rank, ranks, true});
}

TEST(LitmusExpression, Values) {
  struct Case {
    const char* text;
    int rank;
    int ranks;
    std::int64_t value;
  };
  const std::vector<Case> cases = {
      {"0", 0, 1, 0},
      {"65536%65536", 0, 1, 0},
      {"1+2*3", 0, 1, 7},
      {"(1+2)*3", 0, 1, 9},
      {"10-4-3", 0, 1, 3},
      {"12/2/3", 0, 1, 2},
      {"100%7*2", 0, 1, 4},
      {"2*2+me", 1, 2, 5},
      {"me", 3, 4, 3},
      {"nxt", 3, 4, 0},
      {"nxt", 0, 4, 1},
      {"prv", 0, 4, 3},
      {"prv", 2, 4, 1},
      {"nxt", 0, 1, 0},
      {"prv", 0, 1, 0},
      {"N", 0, 5, 5},
      {"N-1", 0, 5, 4},
      {"(me+1)%N", 4, 5, 0},
      {"(me-1)%N", 0, 5, 4},
      {"(me+N-1)%N", 0, 5, 4},
      {"-3", 0, 1, -3},
      {"- -3", 0, 1, 3},
      {"+3", 0, 1, 3},
      {"2*-3", 0, 1, -6},
      {"-2+5", 0, 1, 3},
      {"-2*3", 0, 1, -6},
      {"-7/2", 0, 1, -4},
      {"-7%2", 0, 1, 1},
      {"7/-2", 0, 1, -4},
      {"7%-2", 0, 1, -1},
      {"-7/-2", 0, 1, 3},
      {"-7%-2", 0, 1, -1},
      {"6/-2", 0, 1, -3},
      {"9/-1", 0, 1, -9},
      {"9%-1", 0, 1, 0},
      {"((((me))))*4+4", 2, 3, 12},
      {"\t( me + 1 ) * 4 # a comment", 1, 2, 8},
      {"9223372036854775807", 0, 1, 9223372036854775807},
      {"-9223372036854775807-1", 0, 1, -9223372036854775807 - 1},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(value_of(c.text, c.rank, c.ranks), c.value) << c.text << " at rank " << c.rank << " of " << c.ranks;
  }
}

/// The error of reading `text` and making a program of each variant; empty when there is none.
std::string error_of(const std::string& text) {
  try {
    const Listing listing = parse(kFile, text);
    const Program buggy(listing, Variant::kBuggy);
    const Program correct(listing, Variant::kCorrect);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadArgument);
    EXPECT_FALSE(error.hint().empty()) << error.what();
    return error.detail();
  }
  return "";
}

struct BadListing {
  const char* text;
  const char* where;  ///< line:column
  const char* what;   ///< in the error
};

/// In a listing with two ranks, a window x of 8 cells, gm y of 4, and rank 0's block; `text` is its line 5.
const char kHead[] = "ranks 2\nwin x[8] s[2]\ngm y[4]\nrank 0:\n";

TEST(LitmusErrors, InStatements) {
  const std::vector<BadListing> cases = {
      {"  TSTROE x[0:4] <- ub0", "5:3", "'TSTROE' is no statement"},
      {"- 4", "5:3", "'4' begins no line"},
      {"-TSTORE x[0:4] <- ub0", "5:2", "'T' follows the mark '-'"},
      {"*  dsb", "5:1", "'*' begins no line"},
      {"  TSTORE x[0:4] -> ub0", "5:18", "'>' means nothing here"},
      {"  TSTORE x[0:4] <- ub0 ub1", "5:24", "'ub1' is wrong here"},
      {"  TSTORE x[0:4 <- ub0", "5:16", "'<-' is wrong here"},
      {"  TSTORE x[0;4] <- ub0", "5:13", "';' means nothing here"},
      {"  TSTORE x[\xC3\xA4] <- ub0", "5:12", "'\xC3\xA4' means nothing here"},
      {"  TSTORE x[0:] <- ub0", "5:14", "']' is wrong here"},
      {"  TSTORE x[0:4] <-", "5:19", "the line ends here"},
      {"  TSTORE x[0:4] <- # ub0", "5:19", "the line ends here"},
      {"  TSTORE x[4:0] <- ub0", "5:12", "[4:0] ends before it begins"},
      {"  TSTORE x[0:a] <- ub0", "5:14", "'a' is wrong here"},
      {"  TSTORE x[1/0] <- ub0", "5:13", "division by 0"},
      {"  TSTORE x[1%(me-me)] <- ub0", "5:13", "division by 0"},
      {"  TSTORE x[9223372036854775807+1] <- ub0", "5:31", "too large"},
      {"  TSTORE x[-(-9223372036854775807-1)] <- ub0", "5:12", "too large"},
      {"  TSTORE x[9223372036854775808] <- ub0", "5:12", "'9223372036854775808' is wrong here"},
      {"  TSTORE x[12a] <- ub0", "5:12", "'12a' is wrong here"},
      {"  TSTORE x[9223372036854775807] <- ub0", "5:12", "the index is 9223372036854775807"},
      {"  TSTORE x@2[0:4] <- ub0", "5:12", "the peer is 2"},
      {"  TSTORE x@(me-1)[0:4] <- ub0", "5:12", "the peer is -1"},
      {"  TSTORE z[0:4] <- ub0", "5:10", "'z' is not declared"},
      {"  TSTORE x[0:4] <- y", "5:20", "'y' is a region of global memory"},
      {"  TSTORE x[0:4] <- ub0@1", "5:20", "'ub0' is a tile"},
      {"  TLOAD x[0:4] <- ub0", "5:19", "'ub0' is not declared"},
      {"  TADD ub0", "5:11", "the line ends here"},
      {"  TADD x <- ub0", "5:8", "'x' is a region of global memory"},
      {"  TADD ub0[3:2] <- ub0", "5:14", "the index is 2"},
      {"  TPUT x@1[0:4] <- y[0:4] stage", "5:32", "the line ends here"},
      {"  TPUT x@1[0:4] <- y[0:4] stage a b c", "5:37", "'c' is wrong here"},
      {"  TPUT x@1[0:4] <- y[0:4] stage x", "5:33", "'x' is a region of global memory"},
      {"  TPUT_ASYNC x@1[0:4] <- y[0:4]", "5:32", "the line ends here"},
      {"  TPUT_ASYNC x@1[0:4] <- y[0:4] ev 0", "5:36", "'0' is wrong here"},
      {"  WAIT_ASYNC e0", "5:14", "nothing on rank 0 starts the event 'e0'"},
      {"  set_flag V MTE9 0", "5:14", "'MTE9' is wrong here"},
      {"  set_flag V ALL 0", "5:14", "'ALL' is wrong here"},
      {"  set_flag V MTE2 8", "5:19", "the id of the event is 8"},
      {"  set_flag V MTE2 EVENT_ID8", "5:19", "'EVENT_ID8' is wrong here"},
      {"  set_flag V MTE2", "5:18", "the line ends here"},
      {"  wait_flag V", "5:14", "the line ends here"},
      {"  pipe_barrier", "5:15", "the line ends here"},
      {"  pipe_barrier MTE", "5:16", "'MTE' is wrong here"},
      {"  pipe_barrier(ALL", "5:19", "the line ends here"},
      {"  dsb()", "5:7", "')' is wrong here"},
      {"  REL x", "5:7", "'x' is wrong here"},
      {"  launch 1", "5:10", "'1' is wrong here"},
      {"  LD", "5:5", "the line ends here"},
      {"  LD me", "5:6", "'me' is not declared"},
      {"  dcci", "5:7", "the line ends here"},
      {"  dcci z", "5:8", "'z' is not declared"},
      {"  TNOTIFY s@1[0] INC 1", "5:18", "'INC' is wrong here"},
      {"  TNOTIFY s@1[0] ADD", "5:21", "the line ends here"},
      {"  TNOTIFY s@1[0] ADD 2147483648", "5:22", "the value is 2147483648"},
      {"  TNOTIFY s@1[0:2] ADD 1", "5:11", "TNOTIFY names 2 cells of 's'"},
      {"  TNOTIFY s ADD 1", "5:11", "TNOTIFY names 2 cells of 's'"},
      {"  TWAIT s[0] >= 1", "5:14", "'>' means nothing here"},
      {"  TWAIT s[0] GEQ 1", "5:14", "'GEQ' is wrong here"},
      {"  TWAIT s[0] GE", "5:16", "the line ends here"},
      {"  TWAIT s[0] GE 1 2", "5:19", "'2' is wrong here"},
      {"  MEMSET s[0]", "5:14", "the line ends here"},
      {"  POLL 3", "5:8", "'3' is wrong here"},
  };
  for (const BadListing& c : cases) {
    const std::string error = error_of(std::string(kHead) + c.text + "\n");
    EXPECT_EQ(error.find(std::string(kFile) + ":" + c.where + ": "), 0U) << c.text << "\n" << error;
    EXPECT_NE(error.find(c.what), std::string::npos) << c.text << "\n" << error;
  }
}

TEST(LitmusErrors, InDeclarationsAndBlocks) {
  const std::vector<BadListing> cases = {
      {"win x[8]\n", "1:1", "the buggy variant has no line 'ranks N'"},
      {"- ranks 2\n", "1:1", "the correct variant has no line 'ranks N'"},
      {"ranks\n", "1:6", "the line ends here"},
      {"ranks 0\n", "1:7", "the number of ranks is 0"},
      {"ranks 65\n", "1:7", "the number of ranks is 65"},
      {"ranks me\n", "1:7", "'me', 'nxt' and 'prv' are of a rank"},
      {"ranks 2\nranks 3\n", "2:1", "given twice"},
      {"ranks 2\nwin x\n", "2:6", "the line ends here"},
      {"ranks 2\nwin x[0]\n", "2:7", "the number of cells is 0"},
      {"ranks 2\nwin x[1048577]\n", "2:7", "the number of cells is 1048577"},
      {"ranks 2\nwin x[1048576]\n", "2:5", "too large together"},
      {"ranks 2\nwin N[3]\n", "2:5", "'N' is a variable"},
      {"ranks 2\nwin x[3]\ngm y[1] x[2]\n", "3:9", "'x' is declared in line 2 already"},
      {"ranks 2\nwin x[3]\n- gm x[2]\n", "3:6", "'x' is declared in line 2 already"},
      {"ranks 2\nuninit x\n", "2:8", "'x' is not declared in the buggy variant"},
      {"ranks 2\n- win x[3]\nuninit x\n", "3:8", "'x' is not declared in the correct variant"},
      {"ranks 2\nuninit\n", "2:7", "the line ends here"},
      {"ranks 2\nwin x[3]\ninit x\n", "3:7", "the line ends here"},
      {"ranks 2\nwin x[3]\ninit x=\n", "3:8", "the line ends here"},
      {"ranks 2\nwin x[3]\ninit x[3]=1\n", "3:8", "the index is 3"},
      {"ranks 2\nwin x[3]\ninit x@1=1\n", "3:6", "'init' is of every rank"},
      {"ranks 2\nwin x[3]\ninit x=2147483648\n", "3:8", "the value is 2147483648"},
      {"ranks 2\ninit x=1\n", "2:6", "'x' is not declared"},
      {"ranks 2\nwin x[3] y[1]\nline x\n", "3:7", "the line ends here"},
      {"ranks 2\nwin x[3] y[1]\nline x z\n", "3:8", "'z' is not declared"},
      {"ranks 2\nwin x[3]\nline x x\n", "3:8", "'x' cannot lie behind itself"},
      {"ranks 2\nwin x[3] y[1]\nline x y\nline y x\n", "4:8", "'x' cannot lie behind itself"},
      {"ranks 2\nwin x[3] y[1]\nline x y\nline x y\n", "4:8", "'y' is on that line already"},
      {"ranks 2\nwin x[3] y[1] z[1]\nline x y\nline x z\n", "4:8", "'z' has no room there"},
      {"ranks 2\nwin x[3] y[1] z[1]\nline x y\nline z y\n", "4:8", "'y' lies behind another region already"},
      {"ranks 2\nslots\n", "2:6", "the line ends here"},
      {"ranks 2\nslots 0\n", "2:7", "the number of slots is 0"},
      {"ranks 2\nslots 1 lifo\n", "2:9", "'lifo' is wrong here"},
      {"ranks 2\nslots 1\nslots 2\n", "3:1", "given twice"},
      {"ranks 2\ndsb\n", "2:1", "'dsb' is in no block"},
      {"ranks 2\n- rank 0:\n  dsb\n", "3:3", "'dsb' is in no block"},
      {"ranks 2\nrank 0\n", "2:7", "the line ends here"},
      {"ranks 2\nrank :\n", "2:6", "':' is wrong here"},
      {"ranks 2\nrank 2:\n", "2:6", "the rank is 2"},
      {"ranks 2\nrank 0,0:\n", "2:8", "the rank 0 is named twice"},
      {"ranks 2\nrank me:\n", "2:6", "'me', 'nxt' and 'prv' are of a rank"},
      {"ranks 2\nrank 0 core:\n", "2:12", "':' is wrong here"},
      {"ranks 2\nrank 0 core -1:\n", "2:13", "the core is -1"},
      {"ranks 2\nrank 0 task:\n", "2:12", "':' is wrong here"},
      {"ranks 2\nrank 0 block 1:\n", "2:8", "'block' is wrong here"},
      {"ranks 2\nrank 0: dsb\n", "2:9", "'dsb' is wrong here"},
      {"ranks 2\r\nall\r\n", "2:4", "the line ends here"},
  };
  for (const BadListing& c : cases) {
    const std::string error = error_of(c.text);
    EXPECT_EQ(error.find(std::string(kFile) + ":" + c.where + ": "), 0U) << c.text << "\n" << error;
    EXPECT_NE(error.find(c.what), std::string::npos) << c.text << "\n" << error;
  }
}

TEST(LitmusErrors, InExpectations) {
  const std::vector<BadListing> cases = {
      {"# expect: RX:data\n", "1:11", "'RX:data' is no kind of finding"},
      {"# expect: RW:data, DEADLOK\n", "1:20", "'DEADLOK' is no kind of finding"},
      {"# expect: RW:data,\n", "1:19", "'' is no kind of finding"},
      {"# expect:\n", "1:10", "'' is no kind of finding"},
      {"# expect: clean\n# expect: clean\n", "2:11", "the second '# expect:'"},
  };
  for (const BadListing& c : cases) {
    const std::string error = error_of(c.text);
    EXPECT_EQ(error.find(std::string(kFile) + ":" + c.where + ": "), 0U) << c.text << "\n" << error;
    EXPECT_NE(error.find(c.what), std::string::npos) << c.text << "\n" << error;
  }
}

TEST(LitmusErrors, DeepNestingIsRefused) {
  EXPECT_NE(error_of("ranks " + std::string(100000, '(') + "1\n").find("is wrong here"), std::string::npos);
  EXPECT_NE(error_of("ranks " + std::string(100000, '-') + "1\n").find("is wrong here"), std::string::npos);
}

TEST(LitmusErrors, MistakesInAnyPlaceAreErrorsOrListings) {
  constexpr int kMistakes = 60;
  std::mt19937 random(1);
  std::uint64_t refused = 0;
  std::uint64_t accepted = 0;
  const std::filesystem::directory_iterator folder(TILEPUT_CHECK_CASES "/litmus");
  for (const std::filesystem::path& path : std::set<std::filesystem::path>(begin(folder), end(folder))) {
    std::ifstream stream(path);
    const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    for (int i = 0; i < kMistakes; ++i) {
      std::string wrong = text;
      const std::string_view others = "0987654321[]()@:,+-*/%<=#\n \t\r.aN\xC3\xFF";
      for (int change = 0; change <= i % 3; ++change) {
        const std::size_t at = random() % wrong.size();
        switch (random() % 3) {
          case 0: wrong.erase(at, 1 + random() % 4); break;
          case 1: wrong.insert(at, 1, others[random() % others.size()]); break;
          default: wrong.insert(at, wrong.substr(random() % wrong.size(), random() % 12)); break;
        }
      }
      error_of(wrong).empty() ? ++accepted : ++refused;
    }
  }
  EXPECT_GT(refused, 1000U);
  EXPECT_GT(accepted, 1000U);
}

TEST(LitmusErrors, NoSuchFile) {
  try {
    read_listing("/nonexistent/a.litmus");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

TEST(LitmusParser, Accepts) {
  const char* const kStatements[] = {
      "TLOAD ub0 <- x[0:4]",
      "TLOAD ub0[0:4] <- x@1[0:4]",
      "TLOAD ub0 <- x",
      "TLOAD ub0 <- x[3]",
      "TSTORE x@nxt[me*4:me*4+4] <- ub0",
      "TSTORE x@(me+1)%N[0:4] <- ub0",
      "TSTORE x@((me+1)%N)[0] <- ub0",
      "TSTORE.ACC x[0:4] <- acc",
      "TSTORE.ADD x@1[0:4] <- ub0",
      "TPUT x@prv[0:4] <- y[0:4] stage ub9",
      "TPUT x@1[0:4] <- y[0:4] stage ub8 ub9",
      "TPUT x@1[0:4] <- y[0:4] stage ub8, ub9",
      "TPUT x@1[0:4] <- y[0:4]",
      "TPUT.ADD x@1[0:4] <- y[0:4] stage ub9",
      "TGET y[0:4] <- x@1[0:4] stage ub9",
      "TPUT_ASYNC x@1[0:4] <- y[0:4] ev e0",
      "TGET_ASYNC y[0:4] <- x@1[0:4] ev e1",
      "WAIT_ASYNC e0",
      "TADD ub2 <- ub0 ub1",
      "TADD ub2 <- ub0, ub1",
      "TADDS ub2 <- ub0 -3",
      "VEC ub2 <- ub0",
      "TEXPANDS ub2 <- 0",
      "TMATMUL acc <- l0a l0b",
      "set_flag V MTE2 0",
      "set_flag PIPE_MTE2 PIPE_V EVENT_ID3",
      "wait_flag PIPE_MTE2 PIPE_V EVENT_ID3",
      "wait_flag V MTE2 0",
      "pipe_barrier MTE3",
      "pipe_barrier ALL",
      "pipe_barrier(PIPE_ALL)",
      "dsb",
      "dsb(DSB_DDR)",
      "dsb DSB_DDR",
      "REL",
      "LD x[0]",
      "ST x@1[0]",
      "LD x",
      "dcci ALL",
      "dcci x",
      "dcci x[0:16]",
      "dcci x@1[3]",
      "TNOTIFY s@1[0] ADD -1",
      "TNOTIFY s@1[0] SET me+1",
      "TNOTIFY s[0] AtomicAdd 1",
      "TWAIT s[0] LT 1",
      "TWAIT s[0:2] LE 2*N",
      "TWAIT s NE -5",
      "TWAIT s[1] EQ 0",
      "MEMSET s[0] 0",
      "MEMSET x 7",
      "POLL x[0:4]",
      "POLL x",
      "launch",
  };
  for (const char* const statement : kStatements) {
    const std::string start = "  TPUT_ASYNC x@1[0:4] <- y[0:4] ev e0\n  ";
    EXPECT_EQ(error_of(std::string(kHead) + start + statement + "  # why\n"), "") << statement;
    EXPECT_EQ(error_of(std::string(kHead) + start + "\n-\t" + statement), "") << statement;
  }
  const char* const kLines[] = {
      "all:",
      "all core 1:",
      "all task W:",
      "rank 0,1:",
      "rank 0 , N-1 :",
      "rank 0 core 1:",
      "rank 0,1 task A:",
      "rank 1 core 0,1:",
      "slots 2",
      "slots 1 fifo",
      "init s=-1",
      "init s=1 x=me",
      "init s = 1, x[2] = 3",
      "init x[0:4]=9",
      "uninit x y",
      "uninit x, y",
      "line x s",
      "line x s y",
      "win z[N*4]",
      "gm z[1], w[2]",
      "- win z[1]",
      "+   gm z[1]",
      "",
      "-",
      "# text",
      "   # text",
  };
  for (const char* const line : kLines) {
    EXPECT_EQ(error_of("ranks 2\nwin x[8] s[2]\ngm y[4]\n" + std::string(line) + "\n"), "") << line;
  }
}

TEST(LitmusParser, Header) {
  const Listing listing = parse(kFile,
                                "#\n#  Title: one, two  \n# class: something\n# expect: RW:data, MIX : c , DEADLOCK\n"
                                "ranks 1 # expect: clean\n");
  EXPECT_EQ(listing.title, "Title: one, two");
  EXPECT_EQ(listing.expectation.kind, Expectation::Kind::kFindings);
  EXPECT_EQ(listing.expectation.text, "RW:data, MIX : c , DEADLOCK");
  ASSERT_EQ(listing.expectation.findings.size(), 3U);
  EXPECT_EQ(listing.expectation.findings[0].kind, FindingKind::kReadWrite);
  EXPECT_EQ(listing.expectation.findings[0].region, "data");
  EXPECT_EQ(listing.expectation.findings[1].kind, FindingKind::kMixed);
  EXPECT_EQ(listing.expectation.findings[1].region, "c");
  EXPECT_EQ(listing.expectation.findings[2].kind, FindingKind::kDeadlock);
  EXPECT_EQ(parse(kFile, "# expect: clean").expectation.kind, Expectation::Kind::kClean);
  EXPECT_EQ(parse(kFile, "# expect: model-skip (why)").expectation.kind, Expectation::Kind::kSkip);
  EXPECT_EQ(parse(kFile, "# nothing").expectation.kind, Expectation::Kind::kNone);
}

TEST(LitmusParser, MarksAndPositions) {
  const Listing listing = parse(kFile, "ranks 1\nwin x[1]\n- rank 0:\n-   ST x[0]\n+ rank 0 core 1:\n  LD x[0]\n");
  ASSERT_EQ(listing.lines.size(), 6U);
  const Mark marks[] = {Mark::kBoth, Mark::kBoth, Mark::kBuggy, Mark::kBuggy, Mark::kCorrect, Mark::kBoth};
  const int columns[] = {1, 1, 3, 5, 3, 3};
  for (std::size_t i = 0; i < listing.lines.size(); ++i) {
    EXPECT_EQ(listing.lines[i].mark, marks[i]) << i;
    EXPECT_EQ(listing.lines[i].position.line, static_cast<int>(i) + 1);
    EXPECT_EQ(listing.lines[i].position.column, columns[i]) << i;
  }
  // A line without a mark belongs to the block that is open in each variant.
  const Declarations declarations = declarations_of(listing, Variant::kBuggy);
  const std::vector<Agent> buggy = agents_of(listing, Variant::kBuggy, declarations);
  const std::vector<Agent> correct = agents_of(listing, Variant::kCorrect, declarations);
  ASSERT_EQ(buggy.size(), 1U);
  EXPECT_EQ(buggy[0].spec.name, "rank 0");
  EXPECT_EQ(buggy[0].statements.size(), 2U);
  ASSERT_EQ(correct.size(), 1U);
  EXPECT_EQ(correct[0].spec.name, "rank 0 core 1");
  EXPECT_EQ(correct[0].statements.size(), 1U);
}

TEST(LitmusParser, Agents) {
  const Listing listing = parse(kFile,
                                "ranks 3\ngm x[4]\nrank 2 task B:\n  LD x[0]\nrank 0 core 1:\n  TMATMUL a <- b c\n"
                                "all:\n  TADD a <- b\nrank 2,1 task A:\nrank 2:\n  TSTORE.ACC x <- a\n"
                                "rank 0 core 1:\n  TSTORE.ACC x <- a\n  pipe_barrier FIX\n"
                                "rank 1 core 2:\n  TSTORE.ACC x <- a\n  pipe_barrier MTE3\n");
  const std::vector<Agent> agents = agents_of(listing, Variant::kBuggy, declarations_of(listing, Variant::kBuggy));
  struct Expected {
    const char* name;
    int rank;
    CoreType type;
    std::size_t statements;
  };
  const std::vector<Expected> expected = {
      {"rank 0 core 1", 0, CoreType::kCube, 3},   {"rank 0 core 0", 0, CoreType::kVector, 1},
      {"rank 1 core 0", 1, CoreType::kVector, 1}, {"rank 1 task A", 1, CoreType::kVector, 0},
      {"rank 1 core 2", 1, CoreType::kCube, 2},   {"rank 2 task B", 2, CoreType::kVector, 1},
      {"rank 2 core 0", 2, CoreType::kMixed, 2},  {"rank 2 task A", 2, CoreType::kVector, 0},
  };
  ASSERT_EQ(agents.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(agents[i].spec.name, expected[i].name) << i;
    EXPECT_EQ(agents[i].spec.rank, expected[i].rank) << i;
    EXPECT_EQ(agents[i].spec.type, expected[i].type) << i;
    EXPECT_EQ(agents[i].statements.size(), expected[i].statements) << i;
  }
}

}  // namespace
}  // namespace tileput::check::litmus
