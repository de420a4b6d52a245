// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the programs of the distributed examples have in common: the command line, the worker, the runs, what is
/// printed, and the exit status.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scene.hpp"
#include "tileput/worker.hpp"

namespace example {

/// The command line, as far as all examples share it.
struct ProgramOptions {
  std::vector<int> devices;  ///< simulated chip ids, one rank each
  Payload payload = Payload::kFormula;
  std::uint32_t iterations = 1;  ///< calls back to back on one window
  std::uint32_t rounds = 1;      ///< runs one after another on one worker
  tileput::Platform platform = tileput::Platform::kCpu;
  tileput::RanksAs ranks_as = tileput::RanksAs::kProcess;
  double timeout_s = 0;
  double wait_report_s = 30;
  std::optional<int> debug_rank;
  bool verbose = false;
  tileput::CheckOptions check;
  std::uint64_t schedules = 1;
  bool until_fail = false;
  std::vector<std::string> words;  ///< the whole command line

  [[nodiscard]] int ranks() const { return static_cast<int>(devices.size()); }
};

/// What is an example's own.
struct Program {
  std::string name;
  std::string description;
  int default_ranks = 4;
  /// Adds the example's own options; they hold their values when make_scene is called. May be empty.
  std::function<void(CLI::App&)> add_options;
  /// Its own options that are refused with -p check, in addition to the common ones.
  std::vector<std::string> options_not_for_check;
  /// For options.ranks() ranks and options.payload; refuses what cannot be (Error kBadArgument).
  std::function<std::unique_ptr<Scene>(const ProgramOptions&)> make_scene;
  /// What is timed, for "N calls of ..., median ... us". May be empty.
  std::function<std::string()> call_name;
  /// More to do once all ranks matched, not with -p check. False where something differs. May be empty.
  std::function<bool(tileput::Worker&, Scene&)> afterwards;
};

/// The whole program: never throws, prints errors on stderr, returns the exit status (tileput::ExitCode).
int run_program(int argc, char** argv, const Program& program);

}  // namespace example
