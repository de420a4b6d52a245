// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the tests with real ranks share: the worker under test, and the callables of tests/conformance/kernels.

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tileput/worker.hpp"

namespace tileput::test {

/// The hard limit of every run: a test that hangs fails with the wait table instead.
inline constexpr std::chrono::nanoseconds kTimeout = std::chrono::seconds(60);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// With TILEPUT_TEST_PLATFORM=check the ranks of all tests run on the checked machine.
inline bool is_checked() {
  const char* const platform = std::getenv("TILEPUT_TEST_PLATFORM");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return platform != nullptr && std::string(platform) == "check";
}

inline WorkerOptions options_of(int ranks, RanksAs ranks_as) {
  return {.ranks = ranks,
          .platform = is_checked() ? Platform::kCheck : Platform::kCpu,
          .ranks_as = ranks_as,
          .timeout = kTimeout};
}

/// A kernel of tests/conformance/kernels behind a forwarding orchestration. TILEPUT_TEST_KERNELS names another build of
/// all kernels, "_late" for instance.
inline CallableSpec callable_spec(const std::string& kernel, const std::string& entry = "forward") {
  const char* const build = std::getenv("TILEPUT_TEST_KERNELS");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return {.orchestration = "kernels/forward_orch.so",
          .entry = entry,
          .kernels = {{0, Core::kAiv, "kernels/" + kernel + (build != nullptr ? build : "") + ".so"}}};
}

inline std::string name_of(RanksAs ranks_as) { return ranks_as == RanksAs::kProcess ? "Process" : "Thread"; }

/// The Error that `action` throws; a failure and nullopt when it throws none.
template <class Action>
std::optional<Error> error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return std::nullopt;
}

/// Expects an Error of that code whose text contains all of `parts`.
template <class Action>
void expect_error(ErrorCode code, const std::vector<std::string>& parts, Action&& action) {
  const std::optional<Error> error = error_of(action);
  if (!error) {
    return;
  }
  EXPECT_EQ(tileput::name_of(error->code()), tileput::name_of(code)) << error->what();
  for (const std::string& part : parts) {
    EXPECT_NE(std::string(error->what()).find(part), std::string::npos) << "'" << part << "' in: " << error->what();
  }
}

/// A fixed array as a tensor.
template <class T, std::size_t kCount>
Tensor tensor_of(std::array<T, kCount>& elements) {
  return Tensor::of(std::span<T>(elements));
}

/// Ranks as processes and as threads, 1 to 4 of them.
class Ranks : public testing::TestWithParam<std::tuple<RanksAs, int>> {
 protected:
  [[nodiscard]] static RanksAs ranks_as() { return std::get<0>(GetParam()); }
  [[nodiscard]] static int ranks() { return std::get<1>(GetParam()); }
  [[nodiscard]] static WorkerOptions options() { return options_of(ranks(), ranks_as()); }
};

inline auto every_kind_of_ranks() {
  return testing::Combine(testing::Values(RanksAs::kProcess, RanksAs::kThread), testing::Values(1, 2, 3, 4));
}
/// Names of cases that only differ in what the ranks are.
inline std::string kind_name(const testing::TestParamInfo<RanksAs>& info) { return name_of(info.param); }
inline std::string ranks_name(const testing::TestParamInfo<std::tuple<RanksAs, int>>& info) {
  return name_of(std::get<0>(info.param)) + std::to_string(std::get<1>(info.param));
}

/// One group over all ranks on a fresh domain; `add(rank, domain, args)` gives each member its arguments.
template <class Add>
RunReport run_on_all(Worker& worker, const Callable& callable, const std::vector<BufferSpec>& buffers, Add&& add,
                     const TaskOptions& options = {}) {
  const RunReport report = worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = buffers});
    std::vector<RankTask> group;
    for (int rank = 0; rank < worker.ranks(); ++rank) {
      group.push_back({rank, {}});
      add(rank, domain, group.back().args);
    }
    o.submit_group(callable, group, options);
  });
  for (const CheckFinding& finding : report.check.findings) {
    ADD_FAILURE() << finding.text;
  }
  return report;
}

}  // namespace tileput::test
