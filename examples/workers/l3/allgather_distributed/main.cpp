// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs the allgather of tile kernels on rank processes and checks it against its golden.

#include "allgather_distributed.hpp"
#include "common/program.hpp"

int main(int argc, char** argv) {
  example::AllgatherOptions options;
  return example::run_program(
      argc, argv,
      {.name = "allgather_distributed",
       .description = "Allgather of tile kernels on rank processes",
       .add_options =
           [&](CLI::App& app) {
             app.add_option("--count", options.count, "elements of each rank")->check(CLI::NonNegativeNumber);
           },
       .options_not_for_check = {},
       .make_scene =
           [&](const example::ProgramOptions& program) {
             options.ranks = program.ranks();
             options.payload = program.payload;
             return example::make_allgather_distributed(options);
           },
       .call_name = {},
       .afterwards = {}});
}
