// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs the all-to-all of tile kernels on rank processes, checks it against its golden, and compares push with pull.

#include "all_to_all_distributed.hpp"
#include "common/program.hpp"
#include "comparison.hpp"

int main(int argc, char** argv) {
  example::AllToAllOptions options;
  bool compare = false;
  std::string peer_command;
  return example::run_program(
      argc, argv,
      {.name = "all_to_all_distributed",
       .description = "All-to-all of tile kernels on rank processes",
       .add_options =
           [&](CLI::App& app) {
             app.add_option("--variant", options.variant, "push or pull")->check(CLI::IsMember({"push", "pull"}));
             app.add_option("--count", options.count, "elements for each destination")->check(CLI::NonNegativeNumber);
             app.add_option("--window-bytes", options.window_bytes,
                            "size of each rank's window; default: what is needed");
             app.add_flag("--compare", compare, "measure push against pull, and print a table");
             app.add_option("--peer-command", peer_command,
                            "with --compare: prints MPI_Alltoall's time in microseconds");
           },
       .options_not_for_check = {"--compare", "--peer-command"},
       .make_scene =
           [&](const example::ProgramOptions& program) {
             options.ranks = program.ranks();
             options.payload = program.payload;
             auto scene = example::make_all_to_all_distributed(options);
             if (compare) {
               static_cast<void>(scene->window_bytes("push"));  // refused before anything is measured
               static_cast<void>(scene->window_bytes("pull"));
             }
             return scene;
           },
       .call_name = [&] { return options.variant; },
       .afterwards =
           [&](tileput::Worker& worker, example::Scene& scene) {
             return !compare ||
                    example::print_comparison(worker, dynamic_cast<example::AllToAll&>(scene), options, peer_command);
           }});
}
