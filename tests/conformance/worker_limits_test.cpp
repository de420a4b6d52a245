// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The worker at its limits: memory, overlapping arguments, long reports, handles used where they do not belong, ranks
// that die or stop when nobody looks.

#include <gtest/gtest.h>
#include <malloc.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <thread>

#include "conformance/behaviour.hpp"
#include "conformance/hang_support.hpp"

namespace tileput::test {
namespace {

using namespace std::chrono_literals;

/// Bytes that the memfds of this process hold.
std::uint64_t shared_bytes() {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    struct stat status {};
    if (std::filesystem::read_symlink(entry.path(), gone).string().starts_with("/memfd:tileput-heap") &&
        stat(entry.path().c_str(), &status) == 0) {
      bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
  }
  return bytes;
}

class Limits : public HangTest {};

TEST_P(Limits, LoadInsideARunIsRefused) {
  start(2);
  worker_->run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kBuffers});
    expect_error(ErrorCode::kBadArgument, {"load() inside run()"},
                 [&] { worker_->load(callable_spec("hang_kernel")); });
    o.submit(*callable_, 0, args_of(0, domain, {Hang::kNotify, 0}));  // the run goes on
  });
}

TEST_P(Limits, HandlesAreOfTheirWorkerAndRun) {
  start(1);
  Worker other(options_of(1, GetParam()));
  const Callable foreign = other.load(callable_spec("hang_kernel"));
  std::optional<Orchestrator> kept;
  std::optional<Domain> ended;
  worker_->run([&](Orchestrator& o) {
    kept.emplace(o);
    ended = o.allocate_domain({.buffers = kBuffers});
    expect_error(ErrorCode::kBadArgument, {"is not of this worker"}, [&] {
      o.submit(foreign, 0, args_of(0, *ended, {Hang::kReturn, 0}));
    });
  });
  expect_error(ErrorCode::kBadArgument, {"outside run()"}, [&] { kept->allocate_domain({.buffers = kBuffers}); });
  expect_error(ErrorCode::kBadArgument, {"outside run()"}, [&] {
    kept->submit(*callable_, 0, args_of(0, *ended, {Hang::kReturn, 0}));
  });
  worker_->run([&](Orchestrator& o) {
    expect_error(ErrorCode::kBadArgument, {"which this run has not allocated"}, [&] {
      o.submit(*callable_, 0, args_of(0, *ended, {Hang::kReturn, 0}));
    });
  });
}

TEST_P(Limits, ReportOfManyPhasesFits) {
  start(1);
  constexpr std::uint64_t kPhases = 5000;
  const RunReport report = worker_->run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kBuffers});
    o.submit(*callable_, 0, args_of(0, domain, {Hang::kManyPhases, kPhases}), {.observe = true});
  });
  const RankReport& rank = report.submissions.front().ranks.front();
  EXPECT_EQ(rank.puts, kPhases);
  EXPECT_EQ(rank.notifies, kPhases);
  EXPECT_LT(rank.phases.size(), kPhases);
  EXPECT_GT(rank.phases.back().puts, 1U);  // the last one has the rest
}

TEST_P(Limits, WhatAKernelDoesNotWriteStaysAsItIs) {
  start(1);
  for (std::int64_t run_number = 1; run_number <= 3; ++run_number) {
    out_[0].fill(-run_number);
    worker_->run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = kBuffers});
      o.submit(*callable_, 0, args_of(0, domain, {Hang::kReturn, 0}));
    });
    for (const std::int64_t element : out_[0]) {
      EXPECT_EQ(element, -run_number);
    }
  }
}

TEST_P(Limits, ArgumentsThatOverlapShareTheirMemory) {
  Worker worker(options_of(2, GetParam()));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  // Rank 0 is given the first four of ten and rank 1 the last eight; each writes the first two of its own.
  std::vector<float> memory(10, 7);
  const std::vector<float> in{1};
  worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = {{.name = "window", .bytes = 4096}}});
    const auto args = [&](std::size_t first, std::size_t count) {
      TaskArgs made;
      made.add_input(Tensor::of(in)).add_output(Tensor::of(std::span<float>(memory).subspan(first, count)));
      made.add_inout(domain.buffer("window")).add_scalar(Behaviour::kIdentify).add_scalar(0).add_context(domain);
      return made;
    };
    o.submit_group(callable, {{0, args(0, 4)}, {1, args(2, 8)}});
  });
  EXPECT_EQ(memory, (std::vector<float>{0, 2, 1, 2, 7, 7, 7, 7, 7, 7}));
}

TEST_P(Limits, TensorsThatTheKernelInterfaceCannotExpressAreRefused) {
  float word = 0;
  const auto refused = [&word](std::vector<std::uint32_t> shape, DataType type, const std::string& part) {
    expect_error(ErrorCode::kBadArgument, {part}, [&] { Tensor(&word, type, std::move(shape)); });
  };
  refused({1U << 31U, 1U << 31U, 4}, DataType::kFloat32, "32-bit strides");
  refused({0, 65536, 65536}, DataType::kFloat32, "32-bit strides");
  refused({std::numeric_limits<std::uint32_t>::max(), 65536, 65535}, DataType::kInt64, "63 bits");
  refused({1}, static_cast<DataType>(12), "element type 12");
  EXPECT_EQ(Tensor(&word, DataType::kFloat32, {std::numeric_limits<std::uint32_t>::max()}).elements(), 0xffffffffU);
}

TEST_P(Limits, LimitCoversWindowsAndTensorsTogether) {
  WorkerOptions options = options_of(2, GetParam());
  options.memory_limit_bytes = 1U << 20U;
  Worker worker(options);
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  worker.run([&](Orchestrator& o) {
    o.allocate_domain({.buffers = {{.name = "window", .bytes = 400U << 10U}}});
    expect_error(ErrorCode::kOutOfMemory, {"job limit"}, [&] { worker.allocate_tensor(900U << 10U); });
    worker.allocate_tensor(100U << 10U);
  });
  // Blocks that are kept for later submissions give way.
  for (const std::size_t kib : {400U, 800U, 400U}) {
    std::vector<float> in(kib * 256, 1);
    std::vector<float> out(2, 0);
    worker.run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = {{.name = "window", .bytes = 4096}}});
      TaskArgs args;
      args.add_input(Tensor::of(in)).add_output(Tensor::of(out)).add_inout(domain.buffer("window"));
      args.add_scalar(Behaviour::kIdentify).add_scalar(0).add_context(domain);
      o.submit(callable, 1, args);
    });
    EXPECT_EQ(out[0], 1);
  }
}

TEST_P(Limits, MemoryAtAPlaceThatHadASmallerTensorIsAllThere) {
  start(1);
  for (const std::uint64_t bytes : {std::uint64_t{4} << 10U, std::uint64_t{1} << 20U, std::uint64_t{64} << 10U}) {
    const SharedMemory memory = worker_->allocate_tensor(bytes);
    const auto words = memory.as<std::int64_t>();
    worker_->run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = kBuffers});
      TaskArgs args;
      args.add_inout(Tensor::of(words)).add_inout(domain.buffer("front"));
      args.add_scalar(Hang::kTensor).add_scalar(words.size() * 2 - 8).add_context(domain);  // reads its last 32 bytes
      o.submit(*callable_, 0, args);
    });
    std::memset(memory.data(), 1, bytes);
  }
}

/// A sanitizer's allocator says that nothing is used.
TEST_P(Limits, SubmissionsThatAreCompleteLeaveLittle) {
  constexpr int kSubmissions = 4000;
  constexpr std::size_t kBytesMax = 700;  // of one: its report, and its places in two lists that grow by doubling
  start(1);
  worker_->run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kBuffers});
    const TaskArgs args = args_of(0, domain, {Hang::kReturn, 0});
    const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (int i = 0; i < kSubmissions; ++i) {
      o.submit(*callable_, 0, args);
    }
    o.allocate_domain({.buffers = kBuffers});  // waits until the rank has nothing to execute
    EXPECT_LT(mallinfo2().uordblks + mallinfo2().hblkhd, before + kSubmissions * kBytesMax);
  });
}

TEST_P(Limits, FailedRunLeavesNoMemory) {
  start(3);
  run(std::vector<Step>(3, {Hang::kNotify, 0}));
  const std::uint64_t before = shared_bytes();
  expect_error(ErrorCode::kOutOfWindow, {}, [&] {
    worker_->run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = {{.name = "front", .bytes = 8U << 20U}}});
      o.submit_group(*callable_, {{0, args_of(0, domain, {Hang::kWait, 1})},
                                  {1, args_of(1, domain, {Hang::kNotifyAt, 1 << 28})},
                                  {2, args_of(2, domain, {Hang::kManyPhases, 2000})}});
    });
  });
  EXPECT_LE(shared_bytes(), before + (64U << 10U));
}

INSTANTIATE_TEST_SUITE_P(Conformance, Limits, testing::Values(RanksAs::kProcess, RanksAs::kThread), kind_name);

class ProcessLimits : public HangTest {
 protected:
  [[nodiscard]] pid_t pid_of(std::size_t rank) const {
    return static_cast<pid_t>(worker_->rank_infos().at(rank).process_id);
  }
};

TEST_P(ProcessLimits, DeathOfARankThatOwesNothingFailsTheRun) {
  start(2, kTimeout);
  expect_error(ErrorCode::kRankDied, {"rank 1 (process ", "signal 9"}, [&] {
    worker_->run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = kBuffers});
      o.submit(*callable_, 1, args_of(1, domain, {Hang::kNotify, 0}));
      o.submit(*callable_, 1, args_of(1, domain, {Hang::kReturn, 0}));  // names the same output: the first is complete
      std::this_thread::sleep_for(200ms);                               // and this one, too
      kill(pid_of(1), SIGKILL);
      o.submit(*callable_, 0, args_of(0, domain, {Hang::kCompute, 2000}));
    });
  });
  run({{Hang::kNotify, 0}, {Hang::kNotify, 0}});
}

TEST_P(ProcessLimits, SharedMemoryIsFreedAlthoughARankIsStopped) {
  start(2);
  const pid_t stopped = pid_of(1);
  kill(stopped, SIGSTOP);
  const std::uint64_t before = shared_bytes();
  for (int i = 0; i < 600; ++i) {
    const SharedMemory memory = worker_->allocate_tensor(64U << 10U);
    memory.as<int>()[0] = i;
  }
  kill(stopped, SIGCONT);
  while (shared_bytes() >
         before + (1U << 20U)) {  // all but what is kept for later submissions, once the rank can be told
    run({{Hang::kNotify, 0}, {Hang::kNotify, 0}});
  }
}

TEST_P(ProcessLimits, DebugRankWaitsForADebugger) {
  WorkerOptions options = options_of(2, RanksAs::kProcess);
  options.debug_rank = 1;
  testing::internal::CaptureStderr();
  worker_ = std::make_unique<Worker>(options);
  callable_ = worker_->load(callable_spec("hang_kernel"));
  out_.assign(2, {});
  std::atomic<bool> attached{false};
  std::thread debugger([&] {
    std::this_thread::sleep_for(300ms);
    attached = true;
    EXPECT_EQ(ptrace(PTRACE_SEIZE, pid_of(1), nullptr, nullptr), 0) << std::strerror(errno);
    std::this_thread::sleep_for(200ms);  // a tracer that ends lets go
  });
  run({{Hang::kWait, 1}, {Hang::kNotify, 0}});
  EXPECT_TRUE(attached);
  debugger.join();
  run({{Hang::kNotify, 0}, {Hang::kNotify, 0}});  // later tasks do not wait
  worker_.reset();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("[rank 1]"), std::string::npos) << text;
  EXPECT_NE(text.find("waits for a debugger: gdb -p "), std::string::npos) << text;
}

TEST_P(ProcessLimits, VerboseRanksSayWhatTheyDo) {
  WorkerOptions options = options_of(2, RanksAs::kProcess);
  options.verbose = true;
  testing::internal::CaptureStderr();
  worker_ = std::make_unique<Worker>(options);
  callable_ = worker_->load(callable_spec("hang_kernel"));
  out_.assign(2, {});
  run({{Hang::kNotify, 0}, {Hang::kNotify, 0}});
  worker_.reset();
  const std::string text = testing::internal::GetCapturedStderr();
  for (const char* const part :
       {"[rank 0] [info] callable", "[rank 1] [info] domain", "rank 1 of 2, windows of 4096 bytes",
        "[rank 1] [info] run 1: forward_orch.so complete"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
  }
}

TEST_P(ProcessLimits, AllocationOfOneJobDoesNotWaitForBusyRanksOfAnother) {
  start(2);
  std::atomic<bool> allocated{false};
  std::thread busy([&] {
    worker_->run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = kBuffers});
      o.submit(*callable_, 0, args_of(0, domain, {Hang::kCompute, 3000}));
      o.allocate_domain({.buffers = kBuffers});  // waits for rank 0
      allocated = true;
    });
  });
  std::this_thread::sleep_for(500ms);
  for (int i = 0; i < 3; ++i) {
    Worker other(options_of(2, RanksAs::kThread));
    other.run([](Orchestrator& o) { o.allocate_domain({.buffers = kBuffers}); });
  }
  EXPECT_FALSE(allocated);
  busy.join();
}

INSTANTIATE_TEST_SUITE_P(Conformance, ProcessLimits, testing::Values(RanksAs::kProcess), kind_name);

}  // namespace
}  // namespace tileput::test
