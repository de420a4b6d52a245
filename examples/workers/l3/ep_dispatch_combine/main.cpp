// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs dispatch, local expert and combine of a mixture-of-experts layer on rank processes and checks all outputs.

#include "common/program.hpp"
#include "ep_dispatch_combine.hpp"

int main(int argc, char** argv) {
  example::EpDispatchCombineOptions options;
  return example::run_program(
      argc, argv,
      {.name = "ep_dispatch_combine",
       .description = "Mixture of experts: tokens to the ranks of their experts, and back",
       .default_ranks = 2,
       .add_options =
           [&](CLI::App& app) {
             app.add_option("--tokens", options.tokens, "tokens of each rank");
             app.add_option("--topk", options.topk, "experts that each token goes to")->check(CLI::PositiveNumber);
             app.add_option("--hidden", options.hidden, "elements of a token")->check(CLI::PositiveNumber);
             app.add_option("--experts-per-rank", options.experts_per_rank, "experts that each rank has")
                 ->check(CLI::PositiveNumber);
             app.add_option("--capacity", options.capacity, "rows that each expert has room for");
           },
       .options_not_for_check = {},
       .make_scene =
           [&](const example::ProgramOptions& program) {
             options.ranks = program.ranks();
             options.payload = program.payload;
             return example::make_ep_dispatch_combine(options);
           },
       .call_name = [] { return "dispatch, local expert and combine"; },
       .afterwards = {}});
}
