// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Runs kernels/repeated_all_to_all.cpp, built around a kernel or a mutant of it, on the ranks of a worker.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "all_to_all_window.hpp"
#include "kernels/repeated_calls.hpp"
#include "tileput/worker.hpp"

namespace tileput::scene {

namespace rc = repeated_calls;

struct RepeatedRun {
  std::string kernel;  ///< name of the kernel object; "push..." or "pull..."
  int ranks = 2;
  RanksAs ranks_as = RanksAs::kProcess;
  std::uint32_t words = 64;  ///< for each destination
  std::uint64_t calls = 1000;
  std::uint64_t seed = 1;
  std::uint32_t first_epoch = 0;
  rc::Mode mode = rc::Mode::kAtOnce;
  std::chrono::seconds timeout{60};

  friend std::ostream& operator<<(std::ostream& stream, const RepeatedRun& run) { return stream << run.text(); }
  [[nodiscard]] std::string text() const {
    return fmt::format("{}, {} ranks, {} calls, {} words, seed {}, first epoch {}, mode {}", kernel, ranks, calls,
                       words, seed, first_epoch, static_cast<int>(mode));
  }
};

/// What all ranks found together.
struct Finding {
  std::int64_t mismatches = 0;
  std::int64_t first_call = -1;  ///< the earliest on any rank, -1: none
  std::int64_t first_source = -1;
  std::int64_t first_index = -1;
  std::int64_t canaries = 0;
  std::int64_t pending = 0;
  std::int64_t calls_done = 0;  ///< of the rank with the fewest
  std::int64_t sleeps_between_calls = 0;
  std::int64_t sleeps_before_notify = 0;
  std::int64_t sleeps_before_copy_out = 0;
  std::int64_t call_ns = 0;  ///< of the rank with the longest
  bool no_progress = false;

  [[nodiscard]] bool caught() const { return mismatches > 0 || no_progress; }
  [[nodiscard]] std::string text() const {
    return no_progress ? "no progress"
                       : fmt::format("{} mismatches, first in call {} from rank {} at index {}", mismatches, first_call,
                                     first_source, first_index);
  }
};

inline Finding run_repeated(const RepeatedRun& what) {
  const auto n = static_cast<std::uint32_t>(what.ranks);
  const bool push = what.kernel.starts_with("push");
  const std::uint64_t window_bytes =
      all_to_all::window_of(push ? all_to_all::kPushSlotSets : all_to_all::kPullSlotSets, n, what.words).bytes;
  const std::uint32_t elements = n * what.words + 2 * rc::kGuardWords;

  Worker worker({.ranks = what.ranks, .ranks_as = what.ranks_as, .timeout = what.timeout});
  std::vector<SharedMemory> in;
  std::vector<SharedMemory> out;
  for (int rank = 0; rank < what.ranks; ++rank) {
    in.push_back(worker.allocate_tensor(std::uint64_t{elements} * 4));
    out.push_back(worker.allocate_tensor(std::uint64_t{elements} * 4));
  }
  std::vector<std::int64_t> results(std::size_t{n} * rc::kResults, 0);
  const Callable callable = worker.load({.orchestration = "kernels/repeated_calls_orch.so",
                                         .entry = "repeated_calls_entry",
                                         .config = "repeated_calls_config",
                                         .kernels = {{0, Core::kAiv, "kernels/repeated_" + what.kernel + ".so"}}});
  Finding finding;
  try {
    worker.run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = {{.name = "scratch", .bytes = window_bytes}}});
      const auto submit = [&](rc::Mode mode) {
        std::vector<RankTask> group;
        for (int rank = 0; rank < what.ranks; ++rank) {
          const auto r = static_cast<std::size_t>(rank);
          TaskArgs args;
          args.add_inout({in[r].data(), DataType::kInt32, {elements}});
          args.add_inout({out[r].data(), DataType::kInt32, {elements}});
          args.add_inout(domain.buffer("scratch"));
          args.add_inout(Tensor::of(std::span(results).subspan(r * rc::kResults, rc::kResults)));
          args.add_scalar(domain.size()).add_context(domain);
          args.add_scalar(what.seed).add_scalar(what.calls).add_scalar(what.first_epoch).add_scalar(mode);
          group.push_back({rank, args});
        }
        o.submit_group(callable, group);
      };
      submit(rc::Mode::kPrepare);
      submit(what.mode);  // writes memory that the first one wrote, so it starts when all ranks are prepared
    });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNoProgress) {
      throw;
    }
    finding.no_progress = true;
    return finding;
  }
  finding.calls_done = static_cast<std::int64_t>(what.calls);
  for (std::size_t rank = 0; rank < n; ++rank) {
    const std::int64_t* const result = results.data() + rank * rc::kResults;
    if (result[rc::kMismatches] > 0 && (finding.first_call < 0 || result[rc::kFirstCall] < finding.first_call)) {
      finding.first_call = result[rc::kFirstCall];
      finding.first_source = result[rc::kFirstSource];
      finding.first_index = result[rc::kFirstIndex];
    }
    finding.mismatches += result[rc::kMismatches];
    finding.canaries += result[rc::kCanaries];
    finding.pending += result[rc::kPending];
    finding.sleeps_between_calls += result[rc::kSleepsBetweenCalls];
    finding.sleeps_before_notify += result[rc::kSleepsBeforeNotify];
    finding.sleeps_before_copy_out += result[rc::kSleepsBeforeCopyOut];
    finding.call_ns = std::max(finding.call_ns, result[rc::kCallNs]);
    finding.calls_done = std::min(finding.calls_done, result[rc::kCallsDone]);
  }
  return finding;
}

}  // namespace tileput::scene
