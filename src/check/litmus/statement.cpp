// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/litmus/statement.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace tileput::check::litmus {

namespace {

struct Instruction {
  const char* name;
  Verb verb;
  Pipe pipe = Pipe::kS;
  AccessKind write = AccessKind::kWrite;
};

constexpr std::array kInstructions = {
    Instruction{"TLOAD", Verb::kLoad, Pipe::kMte2},
    Instruction{"TSTORE", Verb::kStore, Pipe::kMte3},
    Instruction{"TSTORE.ADD", Verb::kStore, Pipe::kMte3, AccessKind::kAtomic},
    Instruction{"TSTORE.ACC", Verb::kStore, Pipe::kFix},
    Instruction{"TSTORE.ACC.ADD", Verb::kStore, Pipe::kFix, AccessKind::kAtomic},
    Instruction{"TPUT", Verb::kTransfer},
    Instruction{"TPUT.ADD", Verb::kTransfer, Pipe::kS, AccessKind::kAtomic},
    Instruction{"TGET", Verb::kTransfer},
    Instruction{"TPUT_ASYNC", Verb::kAsync},
    Instruction{"TGET_ASYNC", Verb::kAsync},
    Instruction{"WAIT_ASYNC", Verb::kAwaitAsync},
    Instruction{"set_flag", Verb::kSetFlag},
    Instruction{"wait_flag", Verb::kWaitFlag},
    Instruction{"pipe_barrier", Verb::kBarrier},
    Instruction{"dsb", Verb::kFence},
    Instruction{"REL", Verb::kRelease},
    Instruction{"LD", Verb::kScalarLoad},
    Instruction{"ST", Verb::kScalarStore},
    Instruction{"dcci", Verb::kClean},
    Instruction{"TNOTIFY", Verb::kNotify},
    Instruction{"TWAIT", Verb::kWait},
    Instruction{"MEMSET", Verb::kClear},
    Instruction{"POLL", Verb::kPoll},
    Instruction{"launch", Verb::kLaunch},
    Instruction{"TMATMUL", Verb::kCompute, Pipe::kM},
    Instruction{"TMATMUL_ACC", Verb::kCompute, Pipe::kM},
    Instruction{"TMATMUL_BIAS", Verb::kCompute, Pipe::kM},
    Instruction{"TGEMV", Verb::kCompute, Pipe::kM},
    Instruction{"TMOV", Verb::kCompute, Pipe::kMte1},
    Instruction{"TEXTRACT", Verb::kCompute, Pipe::kMte1},
};

/// All of the vector pipe.
constexpr std::array kVectorInstructions = {
    "VEC",        "TADD",     "TSUB",    "TMUL",     "TDIV",          "TMAX",          "TMIN",          "TAND",
    "TOR",        "TXOR",     "TSHL",    "TSHR",     "TREM",          "TADDS",         "TSUBS",         "TMULS",
    "TDIVS",      "TMAXS",    "TMINS",   "TANDS",    "TORS",          "TXORS",         "TREMS",         "TEXPANDS",
    "TCVT",       "TROWSUM",  "TROWMAX", "TROWMIN",  "TCOLSUM",       "TCOLMAX",       "TCOLMIN",       "TROWEXPAND",
    "TCOLEXPAND", "TEXP",     "TLOG",    "TSQRT",    "TRSQRT",        "TRECIP",        "TABS",          "TNEG",
    "TNOT",       "TRELU",    "TLRELU",  "TPRELU",   "TCMP",          "TCMPS",         "TSEL",          "TSELS",
    "TTRANS",     "TRESHAPE", "TSORT32", "TMRGSORT", "TPARTADD",      "TPARTMAX",      "TADDC",         "TSUBC",
    "TADDSC",     "TSUBSC",   "TCI",     "TFILLPAD", "TROWEXPANDADD", "TROWEXPANDSUB", "TROWEXPANDMUL", "TROWEXPANDDIV",
};

/// Without the prefix that kernels write.
std::string_view without_prefix(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix ? text.substr(prefix.size()) : text;
}

Pipe read_pipe(TokenReader& reader, bool all_is_fine) {
  static constexpr std::array<std::pair<std::string_view, Pipe>, 8> kPipeNames = {{{"S", Pipe::kS},
                                                                                   {"V", Pipe::kV},
                                                                                   {"M", Pipe::kM},
                                                                                   {"MTE1", Pipe::kMte1},
                                                                                   {"MTE2", Pipe::kMte2},
                                                                                   {"MTE3", Pipe::kMte3},
                                                                                   {"FIX", Pipe::kFix},
                                                                                   {"ALL", Pipe::kAll}}};
  const std::string_view text = without_prefix(reader.peek().text, "PIPE_");
  const auto* const found =
      std::find_if(kPipeNames.begin(), kPipeNames.end(), [&](const auto& name) { return name.first == text; });
  if (found == kPipeNames.end() || (found->second == Pipe::kAll && !all_is_fine)) {
    reader.fail(all_is_fine ? "a pipe: S V M MTE1 MTE2 MTE3 FIX ALL" : "a pipe: S V M MTE1 MTE2 MTE3 FIX");
  }
  reader.take();
  return found->second;
}

Expression read_event_id(TokenReader& reader) {
  const Token token = reader.peek();
  const std::string_view number = without_prefix(token.text, "EVENT_ID");
  if (number.size() == token.text.size()) {
    return reader.expression();
  }
  if (number.size() != 1 || number[0] < '0' || number[0] > '7') {
    reader.fail("EVENT_ID0 to EVENT_ID7");
  }
  reader.take();
  Expression out;
  out.set_position(token.position);
  out.push(Expression::Term::kNumber, token.position, number[0] - '0');
  return out;
}

Operand read_tile(TokenReader& reader) {
  Operand out = read_operand(reader, "a tile");
  if (out.peer) {
    fail_at(reader.file(), out.name.position, "'" + out.name.text + "' is a tile, and tiles are of one core",
            "expected a tile without @");
  }
  return out;
}

void read_flag(TokenReader& reader, Statement& statement) {
  statement.from = read_pipe(reader, false);
  reader.take_if(",");
  statement.to = read_pipe(reader, false);
  reader.take_if(",");
  statement.value = read_event_id(reader);
}

/// Kernels write pipe_barrier(PIPE_ALL) and dsb(DSB_DDR).
void read_barrier(TokenReader& reader, Statement& statement) {
  const bool has_parenthesis = reader.take_if("(");
  statement.pipe = read_pipe(reader, true);
  if (has_parenthesis) {
    reader.require(")");
  }
}

void read_fence(TokenReader& reader) {
  const bool has_parenthesis = reader.take_if("(");
  const bool has_kind = reader.take_if("DSB_DDR") || reader.take_if("DDR") || reader.take_if("DSB_ALL");
  if (has_parenthesis) {
    if (!has_kind) {
      reader.fail("DSB_DDR");
    }
    reader.require(")");
  }
}

Name read_event(TokenReader& reader) {
  const Token token = reader.require_name("the name of an event");
  return {token.position, std::string(token.text)};
}

void read_copy(TokenReader& reader, Statement& statement) {
  const bool is_load = statement.verb == Verb::kLoad;
  const bool is_store = statement.verb == Verb::kStore;
  statement.target = is_load ? read_tile(reader) : read_operand(reader, "a region");
  reader.require("<-");
  statement.sources.push_back(is_store ? read_tile(reader) : read_operand(reader, "a region"));
  if (statement.verb == Verb::kTransfer && reader.take_if("stage")) {
    statement.tiles.push_back(read_tile(reader));
    reader.take_if(",");
    if (!reader.is_at_end()) {
      statement.tiles.push_back(read_tile(reader));
    }
  } else if (statement.verb == Verb::kAsync) {
    reader.require("ev");
    statement.event = read_event(reader);
  }
}

void read_computation(TokenReader& reader, Statement& statement) {
  statement.target = read_tile(reader);
  if (!reader.take_if("<-")) {
    reader.fail("'<-' and the tiles that are read");
  }
  while (!reader.is_at_end()) {
    if (reader.peek().kind == Token::Kind::kNumber || reader.peek().text == "-") {
      reader.expression();  // a scalar operand: no memory
    } else {
      statement.sources.push_back(read_tile(reader));
    }
    reader.take_if(",");
  }
}

void read_notify(TokenReader& reader, Statement& statement) {
  statement.target = read_operand(reader, "a signal");
  if (reader.take_if("SET") || reader.take_if("Set")) {
    statement.op = SignalOp::kSet;
  } else if (!reader.take_if("ADD") && !reader.take_if("AtomicAdd")) {
    reader.fail("ADD or SET");
  }
  statement.value = reader.expression();
}

void read_wait(TokenReader& reader, Statement& statement) {
  static constexpr std::array<std::pair<std::string_view, Compare>, 6> kComparisons = {{{"EQ", Compare::kEq},
                                                                                        {"NE", Compare::kNe},
                                                                                        {"GT", Compare::kGt},
                                                                                        {"GE", Compare::kGe},
                                                                                        {"LT", Compare::kLt},
                                                                                        {"LE", Compare::kLe}}};
  statement.target = read_operand(reader, "a signal");
  const auto* const found = std::find_if(kComparisons.begin(), kComparisons.end(),
                                         [&](const auto& name) { return name.first == reader.peek().text; });
  if (found == kComparisons.end()) {
    reader.fail("EQ, NE, GT, GE, LT or LE");
  }
  reader.take();
  statement.compare = found->second;
  statement.value = reader.expression();
}

void read_operands(TokenReader& reader, Statement& statement) {
  switch (statement.verb) {
    case Verb::kLoad:
    case Verb::kStore:
    case Verb::kTransfer:
    case Verb::kAsync: read_copy(reader, statement); break;
    case Verb::kAwaitAsync: statement.event = read_event(reader); break;
    case Verb::kCompute: read_computation(reader, statement); break;
    case Verb::kSetFlag:
    case Verb::kWaitFlag: read_flag(reader, statement); break;
    case Verb::kBarrier: read_barrier(reader, statement); break;
    case Verb::kFence: read_fence(reader); break;
    case Verb::kRelease:
    case Verb::kLaunch: break;
    case Verb::kScalarLoad:
    case Verb::kScalarStore:
    case Verb::kPoll: statement.target = read_operand(reader, "a region"); break;
    case Verb::kClean:
      if (!reader.take_if("ALL")) {
        statement.target = read_operand(reader, "ALL or a region");
      }
      break;
    case Verb::kNotify: read_notify(reader, statement); break;
    case Verb::kWait: read_wait(reader, statement); break;
    case Verb::kClear:
      statement.target = read_operand(reader, "a region");
      statement.value = reader.expression();
      break;
  }
}

}  // namespace

std::optional<Statement> read_statement(TokenReader& reader, const Token& word) {
  Statement statement;
  const auto* const found = std::find_if(kInstructions.begin(), kInstructions.end(),
                                         [&](const Instruction& entry) { return entry.name == word.text; });
  if (found != kInstructions.end()) {
    statement.verb = found->verb;
    statement.instruction = found->name;
    statement.pipe = found->pipe;
    statement.write = found->write;
  } else {
    const auto* const vector = std::find(kVectorInstructions.begin(), kVectorInstructions.end(), word.text);
    if (vector == kVectorInstructions.end()) {
      return std::nullopt;
    }
    statement.verb = Verb::kCompute;
    statement.instruction = *vector;
    statement.pipe = Pipe::kV;
  }
  read_operands(reader, statement);
  return statement;
}

Operand read_operand(TokenReader& reader, const std::string& expected) {
  const Token name = reader.require_name(expected);
  Operand out{{name.position, std::string(name.text)}, {}, {}, {}};
  if (reader.take_if("@")) {
    out.peer = reader.expression();
  }
  if (reader.take_if("[")) {
    out.begin = reader.expression();
    if (reader.take_if(":")) {
      out.end = reader.expression();
    }
    if (!reader.take_if("]")) {
      reader.fail(out.end ? "']'" : "':' or ']'");
    }
  }
  return out;
}

}  // namespace tileput::check::litmus
