// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check/litmus/expression.hpp"

namespace tileput::check::litmus {

struct Token {
  enum class Kind : std::uint8_t { kName, kNumber, kSymbol, kEnd };
  Kind kind = Kind::kEnd;
  Position position;
  std::string_view text;
};

/// The tokens of one line from `first_column` on, the last one kEnd. '#' begins a comment.
std::vector<Token> tokens_of(const std::string& file, std::string_view line, int line_number, int first_column);

/// Reads the tokens of a line from left to right.
class TokenReader {
 public:
  TokenReader(const std::string& file, std::vector<Token> tokens) : file_(file), tokens_(std::move(tokens)) {}

  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  [[nodiscard]] const Token& peek() const noexcept { return tokens_[next_]; }
  [[nodiscard]] bool is_at_end() const noexcept { return peek().kind == Token::Kind::kEnd; }
  Token take() { return is_at_end() ? peek() : tokens_[next_++]; }
  /// Whether the next token is `text`; takes it then.
  bool take_if(std::string_view text);
  void require(std::string_view text);
  Token require_name(const std::string& expected);
  void require_end();
  /// The next token is not what was expected.
  [[noreturn]] void fail(const std::string& expected) const;

  Expression expression();

 private:
  void sum(Expression& out);
  void product(Expression& out);
  void factor(Expression& out);

  const std::string& file_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  int depth_ = 0;
};

}  // namespace tileput::check::litmus
