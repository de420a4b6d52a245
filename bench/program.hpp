// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the main() of every benchmark does.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "ratio_table.hpp"

namespace bench {

/// The options of every benchmark.
struct ProgramOptions {
  std::uint32_t rounds = 41;
  std::filesystem::path csv;
  bool check = false;  ///< end with ExitCode::kDiffers if a target is missed
};

/// Adds these options to `app`, parses, takes the rows of `measure`, prints and writes them. Returns the exit code;
/// what is thrown is printed.
int run_program(int argc, char** argv, CLI::App& app, ProgramOptions& options,
                const std::function<std::vector<Row>()>& measure);

}  // namespace bench
