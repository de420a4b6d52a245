// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// TBROADCAST, TGATHER, TSCATTER and TREDUCE between real ranks; every rank compares its own memory.

#include <array>
#include <tuple>
#include <vector>

#include "conformance/collective_cases.hpp"
#include "conformance/support.hpp"

namespace tileput::test {
namespace {

namespace cc = collective_cases;

class Collective : public Ranks {};

TEST_P(Collective, EveryRankHasItsPartOfTheResult) {
  Worker worker(options());
  const Callable callable = worker.load(callable_spec("collective_kernel"));
  const int n = ranks();
  for (const cc::What what : {cc::kBroadcast, cc::kGather, cc::kScatter, cc::kSum, cc::kMax, cc::kMin}) {
    for (int index = 0; index < cc::kCaseCount; ++index) {
      for (const int root : {0, 1}) {
        SCOPED_TRACE(testing::Message() << "what " << what << ", " << cc::kCases[index].name << ", root " << root);
        std::vector<std::array<std::int32_t, 4>> out(static_cast<std::size_t>(n), {-1, -1, -1, -1});
        const auto bytes = static_cast<std::uint64_t>(cc::window_bytes(cc::kCases[index], n));
        run_on_all(worker, callable, {{.name = "window", .bytes = bytes}},
                   [&](int rank, const Domain& domain, TaskArgs& args) {
                     args.add_output(tensor_of(out[static_cast<std::size_t>(rank)]));
                     args.add_inout(domain.buffer("window")).add_scalar(static_cast<int>(what)).add_scalar(index);
                     args.add_scalar(root).add_context(domain);
                   });
        for (int rank = 0; rank < n; ++rank) {
          const auto& [mismatches, first, value, guards] = out[static_cast<std::size_t>(rank)];
          EXPECT_EQ(mismatches, 0) << "rank " << rank << ", first at " << first << ": " << value;
          EXPECT_EQ(guards, 0) << "rank " << rank;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Conformance, Collective,
                         testing::Combine(testing::Values(RanksAs::kProcess, RanksAs::kThread),
                                          testing::Values(2, 4, 8)),
                         ranks_name);

}  // namespace
}  // namespace tileput::test
