// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace tileput::cli {

/// What `tileput litmus` is asked.
struct LitmusOptions {
  std::vector<std::string> files;
  std::string variant = "both";
  std::string model = "hardware";
  std::string mode = "systematic";
  std::uint64_t seed = 1;
  std::uint64_t schedules = 0;  ///< 0: as the mode has it
  std::uint64_t steps = 0;
  int depth = 3;
  bool until_fail = false;
  std::string replay;
  bool as_json = false;
  bool is_verbose = false;
};

CLI::App* add_litmus(CLI::App& app, LitmusOptions& options);
/// Prints the verdicts. Returns the program's exit code: 0 when all agree, else 73.
int run_litmus(const LitmusOptions& options);

}  // namespace tileput::cli
