// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The message-passing litmus of spec section 21, item 9: no stale read, directly and transitively.

#include <array>
#include <vector>

#include "conformance/support.hpp"

namespace tileput::test {
namespace {

class Litmus : public testing::TestWithParam<std::tuple<RanksAs, int, bool>> {};

std::string litmus_name(const testing::TestParamInfo<Litmus::ParamType>& info) {
  return name_of(std::get<0>(info.param)) + std::to_string(std::get<1>(info.param)) +
         (std::get<2>(info.param) ? "Tput" : "Store");
}

TEST_P(Litmus, WhoSeesTheNotificationSeesTheData) {
  const auto [ranks_as, ranks, use_tput] = GetParam();
  const std::int32_t rounds = kSanitized ? 5'000 : ranks == 2 ? 1'000'000 : 200'000;
  Worker worker(options_of(ranks, ranks_as));
  const Callable callable = worker.load(callable_spec("litmus_kernel"));
  std::vector<std::array<std::int64_t, 2>> out(static_cast<std::size_t>(ranks));
  run_on_all(worker, callable, {{.name = "window", .bytes = 4096}},
             [&](int rank, const Domain& domain, TaskArgs& args) {
               args.add_output(tensor_of(out[static_cast<std::size_t>(rank)]));
               args.add_inout(domain.buffer("window"));
               args.add_scalar(rounds).add_scalar(std::get<2>(GetParam())).add_context(domain);
             });
  for (const auto& seen : out) {
    EXPECT_EQ(seen[0], rounds);
    EXPECT_EQ(seen[1], 0) << "stale reads";
  }
}

INSTANTIATE_TEST_SUITE_P(Conformance, Litmus,
                         testing::Combine(testing::Values(RanksAs::kProcess, RanksAs::kThread), testing::Values(2, 3),
                                          testing::Bool()),
                         litmus_name);

}  // namespace
}  // namespace tileput::test
