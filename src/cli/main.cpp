// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The tileput command.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/info.hpp"
#include "cli/litmus.hpp"
#include "cli/run.hpp"
#include "cli/status.hpp"
#include "tileput/error.hpp"
#include "tileput/worker.hpp"

namespace {

/// The command up to the subcommand that was parsed last.
std::string command_of(const CLI::App& app) {
  const std::vector<CLI::App*> used = app.get_subcommands();
  return used.empty() ? app.get_name() : fmt::format("{} {}", app.get_name(), used.back()->get_name());
}

int run(int argc, char** argv) {
  CLI::App app("One-sided, push-based tile kernels on rank processes", "tileput");
  app.set_version_flag("--version", fmt::format("tileput {}", tileput::version()));
  app.require_subcommand(1);
  const CLI::App* const info = app.add_subcommand("info", "what this machine offers, and which kernels are found");
  CLI::App* const status =
      app.add_subcommand("status", "what the ranks of a running program do, and who waits for whom");
  int process_id = 0;
  status->add_option("pid", process_id, "the program's process")->required();
  tileput::cli::LitmusOptions litmus_options;
  const CLI::App* const litmus = tileput::cli::add_litmus(app, litmus_options);
  tileput::cli::RunCommand run_command;
  const CLI::App* const run_kernels = tileput::cli::add_run(app, run_command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      return app.exit(error);
    }
    throw tileput::Error(tileput::ErrorCode::kBadArgument, error.what(),
                         fmt::format("{} --help lists what there is", command_of(app)));
  }
  if (*info) {
    fmt::print("{}", tileput::cli::describe_machine());
  } else if (*status) {
    fmt::print("{}", tileput::cli::describe_job(process_id));
  } else if (*litmus) {
    return tileput::cli::run_litmus(litmus_options);
  } else if (*run_kernels) {
    return tileput::cli::run_plan(
        tileput::cli::plan_of(*run_kernels, run_command, std::vector<std::string>(argv, argv + argc)));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const tileput::Error& error) {
    std::fprintf(stderr, "tileput: %s\n", error.what());
    return static_cast<int>(tileput::exit_code_of(error.code()));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tileput: %s\n", error.what());
    return static_cast<int>(tileput::ExitCode::kInternal);
  }
}
