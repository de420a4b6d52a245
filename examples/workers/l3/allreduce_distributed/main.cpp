// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs the allreduce of tile kernels on rank processes and checks it against its golden.

#include "allreduce_distributed.hpp"
#include "common/program.hpp"

int main(int argc, char** argv) {
  example::AllreduceDistributedOptions options;
  return example::run_program(
      argc, argv,
      {.name = "allreduce_distributed",
       .description = "The sum of all ranks' floats on every rank, in five ways",
       .add_options =
           [&](CLI::App& app) {
             app.add_option("--mode", options.mode, "onephase, twophase, ring, bidirectional_ring or ibing (2 ranks)")
                 ->check(CLI::IsMember(example::allreduce_modes()));
             app.add_option("--count", options.count, "elements of each rank")->check(CLI::NonNegativeNumber);
             app.add_flag("--fractions", options.fractions, "with --payload random: fractions instead of integers");
           },
       .options_not_for_check = {},
       .make_scene =
           [&](const example::ProgramOptions& program) {
             options.ranks = program.ranks();
             options.payload = program.payload;
             return example::make_allreduce_distributed(options);
           },
       .call_name = [&] { return options.mode; },
       .afterwards = {}});
}
