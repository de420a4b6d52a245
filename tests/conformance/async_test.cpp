// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// TPUT_ASYNC and TGET_ASYNC between real ranks.

#include <array>
#include <vector>

#include "conformance/support.hpp"

namespace tileput::test {
namespace {

class Async : public Ranks {
 protected:
  static void expect_ring(bool get) {
    Worker worker(options());
    const Callable callable = worker.load(callable_spec("async_kernel"));
    std::vector<std::array<std::int32_t, 4>> out(static_cast<std::size_t>(ranks()), {-1, -1, -1, -1});
    run_on_all(worker, callable, {{.name = "window", .bytes = 1024 + 2 * 4 * 1024 * 4}},
               [&](int rank, const Domain& domain, TaskArgs& args) {
                 args.add_output(tensor_of(out[static_cast<std::size_t>(rank)]));
                 args.add_inout(domain.buffer("window")).add_scalar(get ? 1 : 0).add_context(domain);
               });
    for (const auto& [mismatches, first, value, refused] : out) {
      EXPECT_EQ(mismatches, 0) << "first at " << first << ": " << value;
      EXPECT_EQ(refused, 0);
    }
  }
};

TEST_P(Async, PutsAreThereAfterWaitAndNotify) { expect_ring(false); }
TEST_P(Async, GetsAreThereAfterWait) { expect_ring(true); }

INSTANTIATE_TEST_SUITE_P(Conformance, Async, every_kind_of_ranks(), ranks_name);

}  // namespace
}  // namespace tileput::test
