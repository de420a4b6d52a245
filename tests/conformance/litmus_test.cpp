// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The message-passing litmus of spec section 21, item 9: no stale read, directly and transitively.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "conformance/support.hpp"

namespace tileput::test {
namespace {

/// The forms of litmus_kernel.cpp.
enum class Form : int { kStore, kTput, kPoll };

class Litmus : public testing::TestWithParam<std::tuple<RanksAs, int, Form>> {};

/// Rounds of one case: TILEPUT_LITMUS_ROUNDS, or what an everyday run has time for.
std::int32_t rounds_of(int ranks) {
  if (const char* const rounds = std::getenv("TILEPUT_LITMUS_ROUNDS"); rounds != nullptr) {
    return std::max(1, std::atoi(rounds));
  }
  return kSanitized ? 5'000 : ranks == 2 ? 1'000'000 : 200'000;
}

std::string litmus_name(const testing::TestParamInfo<Litmus::ParamType>& info) {
  constexpr const char* kForms[] = {"Store", "Tput", "Poll"};
  return name_of(std::get<0>(info.param)) + std::to_string(std::get<1>(info.param)) +
         kForms[static_cast<int>(std::get<2>(info.param))];
}

TEST_P(Litmus, WhoSeesTheNotificationSeesTheData) {
  const auto [ranks_as, ranks, form] = GetParam();
  const std::int32_t rounds = rounds_of(ranks);
  WorkerOptions options = options_of(ranks, ranks_as);
  options.timeout = std::max<std::chrono::nanoseconds>(kTimeout, std::chrono::microseconds(200) * rounds);
  Worker worker(options);
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
                                          testing::Values(Form::kStore, Form::kTput, Form::kPoll)),
                         litmus_name);

}  // namespace
}  // namespace tileput::test
