// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A listing as written: docs/litmus.md has the grammar and what each statement means.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "check/finding.hpp"
#include "check/litmus/expression.hpp"
#include "check/memory_map.hpp"
#include "check/model.hpp"

namespace tileput::check::litmus {

/// A listing is two programs in one.
enum class Variant : std::uint8_t { kBuggy, kCorrect };
/// "buggy", "correct"
const char* name_of(Variant variant) noexcept;

/// Which of the two a line belongs to.
enum class Mark : std::uint8_t { kBoth, kBuggy, kCorrect };

struct Name {
  Position position;
  std::string text;
};

/// R, R@p, R@p[i], R@p[a:b]; or a tile.
struct Operand {
  Name name;
  std::optional<Expression> peer;
  std::optional<Expression> begin;  ///< empty: all cells
  std::optional<Expression> end;    ///< empty: the one cell `begin`
};

enum class Verb : std::uint8_t {
  kLoad,        ///< TLOAD target <- sources[0]
  kStore,       ///< TSTORE, TSTORE.ACC and TSTORE.ADD target <- sources[0]
  kTransfer,    ///< TPUT, TPUT.ADD and TGET target <- sources[0] stage tiles
  kAsync,       ///< TPUT_ASYNC and TGET_ASYNC target <- sources[0] ev event
  kAwaitAsync,  ///< WAIT_ASYNC event
  kCompute,     ///< VEC, TADD, ...: target <- sources
  kSetFlag,
  kWaitFlag,
  kBarrier,
  kFence,    ///< dsb
  kRelease,  ///< REL
  kScalarLoad,
  kScalarStore,
  kClean,  ///< dcci; no target: ALL
  kNotify,
  kWait,
  kClear,  ///< MEMSET
  kPoll,
  kLaunch,
};

struct Statement {
  Verb verb{};
  const char* instruction = "";           ///< as it is written; lives for ever
  Pipe pipe = Pipe::kS;                   ///< where a store or a computation runs, what a barrier drains
  AccessKind write = AccessKind::kWrite;  ///< what a store does to its target
  std::optional<Operand> target;
  std::vector<Operand> sources;
  std::vector<Operand> tiles;  ///< what a transfer goes through; none: a tile of its own
  Name event;                  ///< of an asynchronous transfer
  Pipe from = Pipe::kS;
  Pipe to = Pipe::kS;
  SignalOp op = SignalOp::kAdd;
  Compare compare = Compare::kGe;
  Expression value;  ///< of TNOTIFY, TWAIT and MEMSET; the id of set_flag and wait_flag
};

struct Ranks {
  Expression count;
};

struct RegionDeclaration {
  Name name;
  Expression cells;
};

/// win, gm
struct Regions {
  Memory memory = Memory::kWindow;
  std::vector<RegionDeclaration> regions;
};

struct Uninitialised {
  std::vector<Name> names;
};

struct Initial {
  Operand target;
  Expression value;
};

struct Initials {
  std::vector<Initial> values;
};

/// line A B: each directly behind the one before
struct SharedLine {
  std::vector<Name> names;
};

struct Slots {
  Expression places;
  bool in_order = false;
};

/// The head of a block of code.
struct Block {
  std::vector<Expression> ranks;  ///< empty: all
  std::vector<Expression> cores;  ///< core 0 when there is neither a core nor a task
  std::string task;
};

struct Line {
  Position position;
  Mark mark = Mark::kBoth;
  std::variant<Ranks, Regions, Uninitialised, Initials, SharedLine, Slots, Block, Statement> content;
};

/// An item of `# expect:`.
struct ExpectedFinding {
  FindingKind kind{};
  std::string region;  ///< empty: any
};

/// What the buggy variant shows. The correct one shows nothing.
struct Expectation {
  enum class Kind : std::uint8_t {
    kNone,  ///< the listing says nothing
    kFindings,
    kClean,
    kSkip,  ///< model-skip: no errors in the hardware model
  };
  Kind kind = Kind::kNone;
  std::vector<ExpectedFinding> findings;
  std::string text;  ///< as written
};

struct Listing {
  std::string file;
  std::string title;  ///< the first comment line
  Expectation expectation;
  std::vector<Line> lines;
};

}  // namespace tileput::check::litmus
