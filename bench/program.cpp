// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "program.hpp"

#include <cstdio>

#include "tileput/error.hpp"

namespace bench {

int run_program(int argc, char** argv, CLI::App& app, ProgramOptions& options,
                const std::function<std::vector<Row>()>& measure) {
  app.add_option("--rounds", options.rounds, "rounds of each comparison")->check(CLI::Range(1, 100000));
  app.add_option("--csv", options.csv, "file for the figures")->capture_default_str();
  app.add_flag("--check", options.check, "exit with 1 if a target is missed");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return static_cast<int>(error.get_exit_code() == 0 ? tileput::ExitCode::kOk : tileput::ExitCode::kCannotStart);
  }
  try {
    const bool missed = report(measure(), options.rounds, options.csv);
    return static_cast<int>(options.check && missed ? tileput::ExitCode::kDiffers : tileput::ExitCode::kOk);
  } catch (const tileput::Error& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return static_cast<int>(tileput::exit_code_of(error.code()));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return static_cast<int>(tileput::ExitCode::kInternal);
  }
}

}  // namespace bench
