// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// AtomicAdd of several ranks into one window: exact sums in every element type, untouched neighbours, and waits that
// additions satisfy.

#include <array>
#include <tuple>
#include <vector>

#include "conformance/atomic_cases.hpp"
#include "conformance/support.hpp"

namespace tileput::test {
namespace {

namespace ac = atomic_cases;
using Words = std::array<std::int32_t, ac::kDataBytes / 4>;

class Atomic : public testing::TestWithParam<std::tuple<RanksAs, int>> {
 protected:
  static constexpr int kRanks = 4;

  Atomic() : worker_(options_of(kRanks, std::get<0>(GetParam()))) {}

  /// What each rank reported.
  std::vector<Words> run(ac::Mode mode, int type) {
    const Callable callable = worker_.load(callable_spec("atomic_kernel"));
    std::vector<Words> out(kRanks);
    run_on_all(worker_, callable, {{.name = "window", .bytes = ac::kWindowBytes}},
               [&](int rank, const Domain& domain, TaskArgs& args) {
                 args.add_output(tensor_of(out[static_cast<std::size_t>(rank)]));
                 args.add_inout(domain.buffer("window")).add_scalar(static_cast<int>(mode)).add_scalar(type);
                 args.add_scalar(std::get<1>(GetParam())).add_context(domain);
               });
    return out;
  }

 private:
  Worker worker_;
};

TEST_P(Atomic, SumsOfFourRanksAreExactInEveryType) {
  for (const ac::Type type : {ac::kFloat, ac::kHalf, ac::kBfloat16, ac::kInt32, ac::kInt16, ac::kInt8}) {
    SCOPED_TRACE(static_cast<int>(type));
    for (const Words& out : run(ac::kSums, type)) {
      for (std::int64_t i = 0; i < ac::kElements; ++i) {
        EXPECT_EQ(out[static_cast<std::size_t>(i)], ac::is_neighbour(i) ? ac::kNeighbour : (1 << kRanks) - 1)
            << "element " << i;
      }
    }
  }
}

TEST_P(Atomic, AWaitIsSatisfiedByAdditions) {
  for (const Words& out : run(ac::kWait, ac::kInt32)) {
    EXPECT_EQ(out[0], 50);
  }
}

std::string atomic_name(const testing::TestParamInfo<std::tuple<RanksAs, int>>& info) {
  constexpr const char* kForms[] = {"Put", "PutAtRunTime", "PutPingPong", "Store"};
  return name_of(std::get<0>(info.param)) + kForms[std::get<1>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Conformance, Atomic,
                         testing::Combine(testing::Values(RanksAs::kProcess, RanksAs::kThread),
                                          testing::Values(0 + ac::kPut, 0 + ac::kPutAtRunTime, 0 + ac::kPutPingPong,
                                                          0 + ac::kStore)),
                         atomic_name);

}  // namespace
}  // namespace tileput::test
