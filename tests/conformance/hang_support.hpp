// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A worker whose ranks do what hang.hpp lists.

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "conformance/hang.hpp"
#include "conformance/support.hpp"

namespace tileput::test {

/// What a rank does, and the value for it.
using Step = std::pair<Hang, std::int64_t>;

inline const std::vector<BufferSpec> kBuffers{{.name = "front", .bytes = 64}, {.name = "back", .bytes = 4032}};

class HangTest : public testing::TestWithParam<RanksAs> {
 protected:
  void start(int ranks, std::chrono::nanoseconds timeout = std::chrono::nanoseconds(0),
             std::chrono::nanoseconds wait_report = std::chrono::nanoseconds(0)) {
    WorkerOptions options = options_of(ranks, GetParam());
    options.timeout = timeout;
    options.wait_report = wait_report;
    worker_ = std::make_unique<Worker>(options);
    callable_ = worker_->load(callable_spec("hang_kernel"));
    out_.assign(static_cast<std::size_t>(ranks), std::array<std::int64_t, 8>{});
  }

  TaskArgs args_of(int rank, const Domain& domain, const Step& step) {
    TaskArgs args;
    args.add_output(tensor_of(out_[static_cast<std::size_t>(rank)])).add_inout(domain.buffer("front"));
    args.add_scalar(step.first).add_scalar(step.second).add_context(domain);
    return args;
  }

  /// Rank i does steps[i].
  void run(const std::vector<Step>& steps) {
    worker_->run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = kBuffers});
      std::vector<RankTask> group;
      for (int rank = 0; rank < worker_->ranks(); ++rank) {
        group.push_back({rank, args_of(rank, domain, steps[static_cast<std::size_t>(rank)])});
      }
      o.submit_group(*callable_, group);
    });
  }

  /// Without any time limit: what is stuck for ever is found.
  void expect_stuck(const std::vector<Step>& steps, const std::vector<std::string>& parts) {
    expect_error(ErrorCode::kNoProgress, parts, [&] { run(steps); });
    run(std::vector<Step>(steps.size(), {Hang::kNotify, 0}));  // the worker is as good as new
  }

  std::unique_ptr<Worker> worker_;
  std::optional<Callable> callable_;
  std::vector<std::array<std::int64_t, 8>> out_;
};

}  // namespace tileput::test
