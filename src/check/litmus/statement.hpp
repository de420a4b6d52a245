// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "check/litmus/lexer.hpp"
#include "check/litmus/listing.hpp"

namespace tileput::check::litmus {

/// The statement whose first word `word` has been taken; empty when no statement begins so.
std::optional<Statement> read_statement(TokenReader& reader, const Token& word);
/// R, R@p, R@p[i], R@p[a:b].
Operand read_operand(TokenReader& reader, const std::string& expected);

}  // namespace tileput::check::litmus
