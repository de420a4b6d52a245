// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs the broadcast of tile kernels on rank processes and checks it against its golden.

#include "broadcast_distributed.hpp"
#include "common/program.hpp"

int main(int argc, char** argv) {
  example::BroadcastOptions options;
  return example::run_program(
      argc, argv,
      {.name = "broadcast_distributed",
       .description = "Broadcast of tile kernels on rank processes",
       .add_options =
           [&](CLI::App& app) {
             app.add_option("--count", options.count, "elements of the root")->check(CLI::NonNegativeNumber);
             app.add_option("--root", options.roots, "rank that sends; several, as 0,2,1: one after another")
                 ->delimiter(',');
           },
       .options_not_for_check = {},
       .make_scene =
           [&](const example::ProgramOptions& program) {
             options.ranks = program.ranks();
             options.payload = program.payload;
             return example::make_broadcast_distributed(options);
           },
       .call_name = {},
       .afterwards = {}});
}
