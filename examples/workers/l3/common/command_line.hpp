// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The command line of the examples' programs.

#include <optional>

#include "program.hpp"

namespace example {

/// Fills `options`; an exit code where the program is to end at once. Error kBadArgument for what is refused.
std::optional<int> parse_command_line(int argc, char** argv, const Program& program, ProgramOptions& options);

}  // namespace example
