// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs allreduces in overlapping domains, and what uses their results, and checks all against the golden.

#include "common/program.hpp"
#include "dual_domain_overlap.hpp"

int main(int argc, char** argv) {
  return example::run_program(
      argc, argv,
      {.name = "dual_domain_overlap",
       .description = "Workers that are members of two domains at once",
       .default_ranks = 3,
       .add_options = {},
       .options_not_for_check = {},
       .make_scene =
           [](const example::ProgramOptions& program) {
             return example::make_dual_domain_overlap({.ranks = program.ranks(), .payload = program.payload});
           },
       .call_name = [] { return std::string("all reductions and affine maps together"); },
       .afterwards = {}});
}
