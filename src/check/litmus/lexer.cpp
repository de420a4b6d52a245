// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/litmus/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tileput::check::litmus {

namespace {

/// Parentheses and signs that may stand inside each other: reading an expression recurses.
constexpr int kDepthMax = 100;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_in_name(char c) { return is_letter(c) || is_digit(c); }

std::size_t end_of_name(std::string_view line, std::size_t at) {
  while (at < line.size() &&
         (is_in_name(line[at]) || (line[at] == '.' && at + 1 < line.size() && is_letter(line[at + 1])))) {
    ++at;
  }
  return at;
}

/// Bytes of the character at `at`, so that an error shows all of it.
std::size_t bytes_of_character(std::string_view line, std::size_t at) {
  std::size_t end = at + 1;
  while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) {
    ++end;
  }
  return end - at;
}

}  // namespace

std::vector<Token> tokens_of(const std::string& file, std::string_view line, int line_number, int first_column) {
  line = line.substr(0, line.find('#'));
  std::vector<Token> tokens;
  auto at = static_cast<std::size_t>(first_column - 1);
  while (at < line.size()) {
    if (line[at] == ' ' || line[at] == '\t') {
      ++at;
      continue;
    }
    Token token{Token::Kind::kSymbol, {line_number, static_cast<int>(at) + 1}, line.substr(at, 1)};
    if (is_letter(line[at])) {
      token.kind = Token::Kind::kName;
      token.text = line.substr(at, end_of_name(line, at) - at);
    } else if (is_digit(line[at])) {
      token.kind = Token::Kind::kNumber;
      std::size_t end = at;
      while (end < line.size() && is_in_name(line[end])) {
        ++end;
      }
      token.text = line.substr(at, end - at);
    } else if (line.substr(at, 2) == "<-") {
      token.text = line.substr(at, 2);
    } else if (std::string_view(":,[]()@=+-*/%").find(line[at]) == std::string_view::npos) {
      fail_at(file, token.position,
              fmt::format("'{}' means nothing here", line.substr(at, bytes_of_character(line, at))),
              "expected names, numbers and the signs : , [ ] ( ) @ = <- + - * / %");
    }
    at += token.text.size();
    tokens.push_back(token);
  }
  const auto end = line.find_last_not_of(" \t");
  tokens.push_back(
      {Token::Kind::kEnd, {line_number, end == std::string_view::npos ? 1 : static_cast<int>(end) + 2}, ""});
  return tokens;
}

bool TokenReader::take_if(std::string_view text) {
  if (is_at_end() || peek().text != text) {
    return false;
  }
  take();
  return true;
}

void TokenReader::require(std::string_view text) {
  if (!take_if(text)) {
    fail(fmt::format("'{}'", text));
  }
}

Token TokenReader::require_name(const std::string& expected) {
  if (peek().kind != Token::Kind::kName) {
    fail(expected);
  }
  return take();
}

void TokenReader::require_end() {
  if (!is_at_end()) {
    fail("the end of the line");
  }
}

void TokenReader::fail(const std::string& expected) const {
  const std::string found = is_at_end() ? "the line ends here" : fmt::format("'{}' is wrong here", peek().text);
  fail_at(file_, peek().position, found, "expected " + expected);
}

Expression TokenReader::expression() {
  Expression out;
  out.set_position(peek().position);
  sum(out);
  return out;
}

void TokenReader::sum(Expression& out) {
  product(out);
  while (peek().text == "+" || peek().text == "-") {
    const Token sign = take();
    product(out);
    out.push(sign.text == "+" ? Expression::Term::kAdd : Expression::Term::kSubtract, sign.position);
  }
}

void TokenReader::product(Expression& out) {
  factor(out);
  while (peek().text == "*" || peek().text == "/" || peek().text == "%") {
    const Token sign = take();
    factor(out);
    out.push(sign.text == "*"   ? Expression::Term::kMultiply
             : sign.text == "/" ? Expression::Term::kDivide
                                : Expression::Term::kRemainder,
             sign.position);
  }
}

void TokenReader::factor(Expression& out) {
  using Term = Expression::Term;
  static constexpr std::array<std::pair<std::string_view, Term>, 4> kNames = {
      {{"me", Term::kSelf}, {"nxt", Term::kNext}, {"prv", Term::kPrevious}, {"N", Term::kRanks}}};
  if (++depth_ > kDepthMax) {
    fail(fmt::format("at most {} parentheses and signs inside each other", kDepthMax));
  }
  const Token token = peek();
  if (take_if("(")) {
    sum(out);
    require(")");
  } else if (take_if("-")) {
    factor(out);
    out.push(Term::kNegate, token.position);
  } else if (take_if("+")) {
    factor(out);
  } else if (token.kind == Token::Kind::kNumber) {
    std::int64_t number = 0;
    const char* const end = token.text.data() + token.text.size();
    const auto result = std::from_chars(token.text.data(), end, number);
    if (result.ec != std::errc() || result.ptr != end) {
      fail("a number of at most 18 digits");
    }
    out.push(Term::kNumber, token.position, number);
    take();
  } else {
    const auto* const found =
        std::find_if(kNames.begin(), kNames.end(), [&](const auto& name) { return name.first == token.text; });
    if (found == kNames.end()) {
      fail("a number, me, nxt, prv, N or a parenthesis");
    }
    out.push(found->second, token.position);
    take();
  }
  --depth_;
}

}  // namespace tileput::check::litmus
