// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs the tensor-parallel layer on rank processes and checks it against its golden.

#include "common/program.hpp"
#include "ffn_tp_parallel.hpp"

int main(int argc, char** argv) {
  example::FfnTpParallelOptions options;
  return example::run_program(argc, argv,
                              {.name = "ffn_tp_parallel",
                               .description = "A matrix product on each rank's cube core, and the sum over all ranks",
                               .default_ranks = 2,
                               .add_options =
                                   [&](CLI::App& app) {
                                     app.add_option("--rows", options.rows, "of x and y");
                                     app.add_option("--inner", options.inner, "columns of x, rows of w");
                                     app.add_option("--columns", options.columns, "of w and y");
                                   },
                               .options_not_for_check = {},
                               .make_scene =
                                   [&](const example::ProgramOptions& program) {
                                     options.ranks = program.ranks();
                                     options.payload = program.payload;
                                     return example::make_ffn_tp_parallel(options);
                                   },
                               .call_name = [] { return std::string("product and sum"); },
                               .afterwards = {}});
}
