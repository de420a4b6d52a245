// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/litmus/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "check/litmus/expectation.hpp"
#include "check/litmus/lexer.hpp"
#include "check/litmus/statement.hpp"
#include "tileput/error.hpp"

namespace tileput::check::litmus {

namespace {

constexpr const char* kLineBegins =
    "expected ranks, win, gm, uninit, init, line, slots, rank, all, or a statement such as TLOAD, TPUT or TNOTIFY";

Name name_of_region(TokenReader& reader) {
  const Token token = reader.require_name("the name of a region");
  static constexpr std::array<std::string_view, 4> kVariables = {"me", "nxt", "prv", "N"};
  if (std::find(kVariables.begin(), kVariables.end(), token.text) != kVariables.end()) {
    fail_at(reader.file(), token.position, fmt::format("'{}' is a variable", token.text),
            "expected the name of a region");
  }
  return {token.position, std::string(token.text)};
}

std::vector<Name> names(TokenReader& reader, std::size_t least) {
  std::vector<Name> out;
  while (!reader.is_at_end() || out.size() < least) {
    out.push_back(name_of_region(reader));
    reader.take_if(",");
  }
  return out;
}

Regions regions(TokenReader& reader, Memory memory) {
  Regions out{memory, {}};
  do {
    Name name = name_of_region(reader);
    reader.require("[");
    Expression cells = reader.expression();
    reader.require("]");
    out.regions.push_back({std::move(name), std::move(cells)});
    reader.take_if(",");
  } while (!reader.is_at_end());
  return out;
}

Initials initials(TokenReader& reader) {
  Initials out;
  do {
    Operand target = read_operand(reader, "the name of a region");
    reader.require("=");
    out.values.push_back({std::move(target), reader.expression()});
    reader.take_if(",");
  } while (!reader.is_at_end());
  return out;
}

Slots slots(TokenReader& reader) {
  Slots out{reader.expression(), false};
  out.in_order = reader.take_if("fifo");
  return out;
}

std::vector<Expression> expressions(TokenReader& reader) {
  std::vector<Expression> out;
  do {
    out.push_back(reader.expression());
  } while (reader.take_if(","));
  return out;
}

Block block(TokenReader& reader, bool is_of_all) {
  Block out;
  if (!is_of_all) {
    out.ranks = expressions(reader);
  }
  if (reader.take_if("core")) {
    out.cores = expressions(reader);
  } else if (reader.take_if("task")) {
    const Token token = reader.peek();
    if (token.kind != Token::Kind::kName && token.kind != Token::Kind::kNumber) {
      reader.fail("the name of a task");
    }
    out.task = std::string(reader.take().text);
  }
  if (!reader.take_if(":")) {
    reader.fail(out.cores.empty() && out.task.empty() ? "core, task or ':'" : "':'");
  }
  return out;
}

Line line_of(TokenReader& reader, Mark mark) {
  const Token word = reader.peek();
  Line line{word.position, mark, {}};
  if (word.kind != Token::Kind::kName) {
    fail_at(reader.file(), word.position, fmt::format("'{}' begins no line", word.text), kLineBegins);
  }
  reader.take();
  if (word.text == "ranks") {
    line.content = Ranks{reader.expression()};
  } else if (word.text == "win" || word.text == "gm") {
    line.content = regions(reader, word.text == "win" ? Memory::kWindow : Memory::kPrivate);
  } else if (word.text == "uninit") {
    line.content = Uninitialised{names(reader, 1)};
  } else if (word.text == "init") {
    line.content = initials(reader);
  } else if (word.text == "line") {
    line.content = SharedLine{names(reader, 2)};
  } else if (word.text == "slots") {
    line.content = slots(reader);
  } else if (word.text == "rank" || word.text == "all") {
    line.content = block(reader, word.text == "all");
  } else if (auto statement = read_statement(reader, word)) {
    line.content = *std::move(statement);
  } else {
    fail_at(reader.file(), word.position, fmt::format("'{}' is no statement", word.text), kLineBegins);
  }
  reader.require_end();
  return line;
}

/// The mark in the first two columns, and where the rest begins.
std::pair<Mark, int> mark_of(const std::string& file, std::string_view line, int number) {
  if (line.empty() || (line[0] != '-' && line[0] != '+')) {
    return {Mark::kBoth, 1};
  }
  if (line.size() > 1 && line[1] != ' ' && line[1] != '\t') {
    fail_at(file, {number, 2}, fmt::format("'{}' follows the mark '{}'", line[1], line[0]),
            "expected a blank behind the mark");
  }
  return {line[0] == '-' ? Mark::kBuggy : Mark::kCorrect, 2};
}

void read_comment(Listing& listing, std::string_view line, int number) {
  const auto begin = line.find_first_not_of("# \t");
  if (begin == std::string_view::npos) {
    return;
  }
  const std::string_view text = line.substr(begin, line.find_last_not_of(" \t") + 1 - begin);
  constexpr std::string_view kExpect = "expect:";
  if (text.substr(0, kExpect.size()) == kExpect) {
    read_expectation(listing, line, number, begin + kExpect.size());
  } else if (listing.title.empty()) {
    listing.title = std::string(text);
  }
}

}  // namespace

const char* name_of(Variant variant) noexcept { return variant == Variant::kBuggy ? "buggy" : "correct"; }

Listing parse(const std::string& file, std::string_view text) {
  Listing listing;
  listing.file = file;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    const auto first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line[first] == '#') {
      read_comment(listing, line, number);
      continue;
    }
    const auto [mark, column] = mark_of(file, line, number);
    TokenReader reader(file, tokens_of(file, line, number, column));
    if (!reader.is_at_end()) {
      listing.lines.push_back(line_of(reader, mark));
    }
  }
  return listing;
}

Listing read_listing(const std::string& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    throw Error(ErrorCode::kBadArgument, fmt::format("'{}' is a directory", file), "name the listings in it");
  }
  std::ifstream stream(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream.is_open() || stream.bad()) {
    throw Error(ErrorCode::kNotFound, fmt::format("cannot read the listing '{}'", file), "name a file that exists");
  }
  return parse(file, text);
}

}  // namespace tileput::check::litmus
