// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// TNOTIFY, TWAIT and TTEST between ranks.

#include <array>
#include <vector>

#include "conformance/support.hpp"

namespace tileput::test {
namespace {

using Words = std::array<std::int32_t, 64>;

class Signals : public Ranks {
 protected:
  /// What each rank reported.
  static std::vector<Words> run(int mode) {
    Worker worker(options());
    const Callable callable = worker.load(callable_spec("signal_kernel"));
    std::vector<Words> out(static_cast<std::size_t>(ranks()));
    run_on_all(worker, callable, {{.name = "window", .bytes = 4096}},
               [&](int rank, const Domain& domain, TaskArgs& args) {
                 args.add_output(tensor_of(out[static_cast<std::size_t>(rank)]));
                 args.add_inout(domain.buffer("window")).add_scalar(mode).add_context(domain);
               });
    return out;
  }
};

TEST_P(Signals, SixComparisons) {
  for (const Words& out : run(0)) {
    constexpr std::int32_t kValues[] = {5, -1, 3, 7, -2, -7};
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(out[i], 0) << "comparison " << i << " was satisfied by zero";
      EXPECT_EQ(out[8 + i], kValues[i]) << "comparison " << i;
      EXPECT_EQ(out[16 + i], 1) << "comparison " << i;
    }
  }
}

TEST_P(Signals, MatricesOfSignalsWithAndWithoutPitch) {
  for (const Words& out : run(1)) {
    EXPECT_EQ(out[0], 4 * 8 * ranks());
    EXPECT_EQ(out[1], 0);
    EXPECT_EQ(out[2], 21 * ranks());
    EXPECT_EQ(out[3], 1);
    EXPECT_EQ(out[4], 0);
  }
}

TEST_P(Signals, ConcurrentAddsToOneWordGiveTheExactSum) {
  for (const Words& out : run(2)) {
    EXPECT_EQ(out[0], 1000 * ranks() * (ranks() + 1) / 2);
    EXPECT_EQ(out[1], std::numeric_limits<std::int32_t>::min());
  }
}

TEST_P(Signals, TestThatIsTrueHasAcquiredTheData) {
  const std::vector<Words> out = run(3);
  for (int rank = 0; rank < ranks(); ++rank) {
    EXPECT_EQ(out[static_cast<std::size_t>(rank)][0], 1000 + (rank + ranks() - 1) % ranks());
  }
}

INSTANTIATE_TEST_SUITE_P(Conformance, Signals, every_kind_of_ranks(), ranks_name);

}  // namespace
}  // namespace tileput::test
