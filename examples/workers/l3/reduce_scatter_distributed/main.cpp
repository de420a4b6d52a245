// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs the reduce-scatter of tile kernels on rank processes and checks it against its golden.

#include "common/program.hpp"
#include "reduce_scatter_distributed.hpp"

int main(int argc, char** argv) {
  example::ReduceScatterOptions options;
  return example::run_program(argc, argv,
                              {.name = "reduce_scatter_distributed",
                               .description = "Reduce-scatter of tile kernels on rank processes",
                               .add_options =
                                   [&](CLI::App& app) {
                                     app.add_option("--count", options.count, "elements that each rank receives")
                                         ->check(CLI::NonNegativeNumber);
                                   },
                               .options_not_for_check = {},
                               .make_scene =
                                   [&](const example::ProgramOptions& program) {
                                     options.ranks = program.ranks();
                                     options.payload = program.payload;
                                     return example::make_reduce_scatter_distributed(options);
                                   },
                               .call_name = {},
                               .afterwards = {}});
}
