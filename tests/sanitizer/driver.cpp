// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Runs one kernel on two ranks, for a sanitizer to look at. Usage: sanitizer_driver process|thread <kernel> <mode>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tileput/worker.hpp"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: sanitizer_driver process|thread <kernel> <mode>\n");
    return 2;
  }
  constexpr std::int32_t kRounds = 2000;
  constexpr std::uint64_t kWindowBytes = 4000;  // not whole pages: the rest of the last one is slack
  try {
    tileput::Worker worker(
        {.ranks = 2,
         .ranks_as = std::string(argv[1]) == "thread" ? tileput::RanksAs::kThread : tileput::RanksAs::kProcess,
         .timeout = std::chrono::seconds(60)});
    const tileput::Callable callable =
        worker.load({.orchestration = "kernels/sanitizer_orch.so",
                     .entry = "forward",
                     .kernels = {{0, tileput::Core::kAiv, std::string("kernels/") + argv[2] + ".so"}}});
    std::vector<std::array<std::int64_t, 2>> out(2);
    worker.run([&](tileput::Orchestrator& o) {
      const tileput::Domain domain = o.allocate_domain({.buffers = {{.name = "window", .bytes = kWindowBytes}}});
      std::vector<tileput::RankTask> group;
      for (int rank = 0; rank < 2; ++rank) {
        tileput::TaskArgs args;
        args.add_output(tileput::Tensor::of(std::span<std::int64_t>(out[static_cast<std::size_t>(rank)])));
        args.add_inout(domain.buffer("window")).add_scalar(kRounds).add_scalar(std::atoi(argv[3])).add_context(domain);
        group.push_back({rank, args});
      }
      o.submit_group(callable, group);
    });
    std::printf("complete\n");
    return 0;
  } catch (const tileput::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(tileput::exit_code_of(error.code()));
  }
}
