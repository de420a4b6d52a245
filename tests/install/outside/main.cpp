// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <vector>

#include "tileput/worker.hpp"

int main() {
  for (const tileput::RanksAs ranks_as : {tileput::RanksAs::kProcess, tileput::RanksAs::kThread}) {
    tileput::Worker worker({.ranks = 3, .ranks_as = ranks_as, .timeout = std::chrono::seconds(60)});
    const tileput::Callable callable =
        worker.load({.orchestration = "kernels/sum_of_ranks_orch.so",
                     .kernels = {{7, tileput::Core::kAiv, "kernels/sum_of_ranks_kernel.so"}}});
    std::vector<std::vector<int>> out(3, std::vector<int>(1, -1));
    worker.run([&](tileput::Orchestrator& o) {
      const tileput::Domain domain = o.allocate_domain({.buffers = {{.name = "scratch", .bytes = 64}}});
      std::vector<tileput::RankTask> group;
      for (int rank = 0; rank < 3; ++rank) {
        tileput::TaskArgs args;
        args.add_output(tileput::Tensor::of(out[static_cast<std::size_t>(rank)])).add_inout(domain.buffer("scratch"));
        args.add_scalar(domain.size()).add_context(domain);
        group.push_back({rank, args});
      }
      o.submit_group(callable, group);
    });
    for (const std::vector<int>& value : out) {
      if (value[0] != 6) {
        std::printf("a rank saw %d instead of 6\n", value[0]);
        return 1;
      }
    }
  }
  std::printf("three ranks saw 6, as processes and as threads\n");
  return 0;
}
