// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What a run that fails reports, and that the next run on the same worker is right.

#include <signal.h>

#include <thread>
#include <vector>

#include "conformance/behaviour.hpp"
#include "conformance/support.hpp"

namespace tileput::test {
namespace {

using Floats = std::vector<float>;

const std::vector<BufferSpec> kWindow{{.name = "window", .bytes = 4096}};

/// A worker of two ranks (or more) with behaviour_kernel behind several entries.
class Fixture {
 public:
  explicit Fixture(const WorkerOptions& options) : worker(options), callable(load("forward")) {}

  Callable load(const std::string& entry) { return worker.load(callable_spec("behaviour_kernel", entry)); }

  /// Rank i does what `what[i]` says; through `through`.
  void run(const std::vector<std::pair<Behaviour, std::int64_t>>& what, const Callable& through) {
    Floats in{1};
    out.assign(what.size(), Floats(2, -1));
    run_on_all(worker, through, kWindow, [&](int rank, const Domain& domain, TaskArgs& args) {
      const auto r = static_cast<std::size_t>(rank);
      args.add_input(Tensor::of(in)).add_output(Tensor::of(out[r])).add_inout(domain.buffer("window"));
      args.add_scalar(what[r].first).add_scalar(what[r].second).add_context(domain);
    });
  }
  void run(const std::vector<std::pair<Behaviour, std::int64_t>>& what) { run(what, callable); }

  /// The worker is as good as new: a run that needs all ranks gives the right numbers.
  void expect_good_run() {
    const auto n = static_cast<std::size_t>(worker.ranks());
    run(std::vector<std::pair<Behaviour, std::int64_t>>(n, {Behaviour::kExchange, 7}));
    for (std::size_t rank = 0; rank < n; ++rank) {
      EXPECT_EQ(out[rank][0], static_cast<float>(8 + 1000 * ((rank + n - 1) % n)));
    }
  }

  Worker worker;
  Callable callable;
  std::vector<Floats> out;
};

class Failure : public testing::TestWithParam<RanksAs> {
 protected:
  static WorkerOptions options(int ranks) { return options_of(ranks, GetParam()); }
};

constexpr std::pair<Behaviour, std::int64_t> kWaits{Behaviour::kWaitForever, 1};

TEST_P(Failure, OrchestrationErrorsAreReportedAndTheNextRunIsRight) {
  Fixture f(options(2));
  const std::pair<Behaviour, std::int64_t> exchange{Behaviour::kExchange, 7};
  const auto fails = [&](const char* entry, ErrorCode code, const std::vector<std::string>& parts) {
    SCOPED_TRACE(entry);
    const Callable callable = f.load(entry);
    expect_error(code, parts, [&] { f.run({exchange, exchange}, callable); });
    f.expect_good_run();
  };
  fails("throws", ErrorCode::kOrchestration, {"forward_orch.so", "rank ", "orchestration says no"});
  fails("fatal", ErrorCode::kOrchestration, {"forward_orch.so", "code 9", "42 things are wrong"});
  fails("unknown_kernel", ErrorCode::kBadArgument, {"func_id 77"});
  fails("wrong_core", ErrorCode::kBadArgument, {"AIC", "behaviour_kernel.so", "AIV"});
  fails("too_many_blocks", ErrorCode::kBadArgument, {"65 blocks"});
  fails("scalar_first", ErrorCode::kOrchestration, {"tensor", "after a scalar"});
  fails("read_tensor_nine", ErrorCode::kTooFewArguments, {"tensor 9 (the first is 0), and there are 3"});
}

TEST_P(Failure, TooFewArgumentsAreReportedBeforeTheEntryRuns) {
  Fixture f(options(2));
  const Callable callable = f.load("expect_six");
  f.run({{Behaviour::kExchange, 7}, {Behaviour::kExchange, 7}}, callable);  // six are enough
  Floats out{-1};
  expect_error(ErrorCode::kTooFewArguments, {"expects 6", "1 tensors and 0 scalars"}, [&] {
    f.worker.run([&](Orchestrator& o) {
      TaskArgs args;
      args.add_output(Tensor::of(out));
      o.submit(callable, 0, args);
    });
  });
  EXPECT_EQ(out[0], -1);
  f.expect_good_run();
}

TEST_P(Failure, KernelErrorsReleaseTheWaitingPeers) {
  Fixture f(options(3));
  const auto fails = [&](Behaviour what, ErrorCode code, const std::vector<std::string>& parts) {
    SCOPED_TRACE(static_cast<int>(what));
    expect_error(code, parts, [&] { f.run({kWaits, {what, 0}, kWaits}); });
    EXPECT_EQ(f.out[0][0], -1) << "outputs of a failed submission are not written";
    f.expect_good_run();
  };
  fails(Behaviour::kThrow, ErrorCode::kKernel, {"behaviour_kernel.so", "rank 1", "kernel says no"});
  fails(Behaviour::kThrowOther, ErrorCode::kKernel, {"behaviour_kernel.so", "rank 1"});
  fails(Behaviour::kOverflow, ErrorCode::kOnChipOverflow, {"behaviour_kernel.so", "rank 1", "16384", "196608"});
  fails(Behaviour::kUnbound, ErrorCode::kUnboundTile, {"behaviour_kernel.so", "rank 1", "TLOAD"});
}

TEST_P(Failure, ErrorOfAnEarlierSubmissionComesOutAlthoughPeersWait) {
  // The failure is noticed inside a later submit that depends on the failing one.
  WorkerOptions limited = options(2);
  limited.timeout = std::chrono::seconds(5);
  Fixture f(limited);
  Floats in{1};
  std::vector<Floats> out(2, Floats(2, -1));
  expect_error(ErrorCode::kKernel, {"rank 1", "kernel says no"}, [&] {
    f.worker.run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = kWindow});
      const auto args = [&](Behaviour what, Floats& to) {
        TaskArgs made;
        made.add_input(Tensor::of(in)).add_output(Tensor::of(to)).add_inout(domain.buffer("window"));
        made.add_scalar(what).add_scalar(1).add_context(domain);
        return made;
      };
      o.submit_group(f.callable, {{0, args(Behaviour::kWaitForever, out[0])}, {1, args(Behaviour::kThrow, out[1])}});
      o.submit(f.callable, 1, args(Behaviour::kIdentify, out[1]));
    });
  });
  f.expect_good_run();
}

TEST_P(Failure, CaughtInsideTheProgramItStillFailsTheRun) {
  WorkerOptions limited = options(2);
  limited.timeout = std::chrono::seconds(5);
  Fixture f(limited);
  Floats in{1};
  Floats out(2, -1);
  expect_error(ErrorCode::kKernel, {"rank 1", "kernel says no"}, [&] {
    f.worker.run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = kWindow});
      const auto args = [&](Behaviour what) {
        TaskArgs made;
        made.add_input(Tensor::of(in)).add_output(Tensor::of(out)).add_inout(domain.buffer("window"));
        made.add_scalar(what).add_scalar(1).add_context(domain);
        return made;
      };
      o.submit(f.callable, 1, args(Behaviour::kThrow));
      try {
        o.submit(f.callable, 0, args(Behaviour::kIdentify));  // waits for the first
      } catch (const Error&) {                                // whatever the program does with it
      }
    });
  });
  f.expect_good_run();
}

TEST_P(Failure, ManyFailuresInARowLeaveTheWorkerGood) {
  Fixture f(options(2));
  for (int i = 0; i < 10; ++i) {
    expect_error(ErrorCode::kKernel, {"rank " + std::to_string(i % 2)}, [&] {
      f.run(i % 2 == 0 ? std::vector<std::pair<Behaviour, std::int64_t>>{{Behaviour::kThrow, 0}, kWaits}
                       : std::vector<std::pair<Behaviour, std::int64_t>>{kWaits, {Behaviour::kThrow, 0}});
    });
  }
  f.expect_good_run();
}

TEST_P(Failure, SharedMemorySurvivesAFailedRun) {
  Fixture f(options(2));
  const SharedMemory memory = f.worker.allocate_tensor(sizeof(float));
  memory.as<float>()[0] = 5;
  expect_error(ErrorCode::kKernel, {}, [&] { f.run({{Behaviour::kThrow, 0}, kWaits}); });
  EXPECT_EQ(memory.as<float>()[0], 5);
  f.worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kWindow});
    TaskArgs args;
    args.add_input(Tensor::of(memory.as<float>())).add_inout(Tensor::of(memory.as<float>()));
    args.add_inout(domain.buffer("window")).add_scalar(Behaviour::kAdd).add_scalar(1).add_context(domain);
    o.submit(f.callable, 0, args);
  });
  EXPECT_EQ(memory.as<float>()[0], 11);
}

INSTANTIATE_TEST_SUITE_P(Conformance, Failure, testing::Values(RanksAs::kProcess, RanksAs::kThread), kind_name);

TEST(RankDeath, IsReportedWithItsReasonWhilePeersWait) {
  Fixture f(options_of(3, RanksAs::kProcess));
  const auto dies = [&](Behaviour what, std::int64_t value, const std::vector<std::string>& parts) {
    expect_error(ErrorCode::kRankDied, parts, [&] { f.run({kWaits, {what, value}, kWaits}); });
    EXPECT_EQ(f.out[1][0], -1);
    f.expect_good_run();
  };
  dies(Behaviour::kExit, 3, {"rank 1", "exited with code 3"});
  dies(Behaviour::kExit, 0, {"rank 1", "exited with code 0"});
  dies(Behaviour::kKill, SIGKILL, {"rank 1", "signal 9"});
  dies(Behaviour::kKill, SIGTERM, {"rank 1", "signal 15"});
}

TEST(RankDeath, FaultBesideAWindowIsReported) {
  Fixture f(options_of(2, RanksAs::kProcess));
  const std::string reason = kSanitized ? "exited with code" : "signal 11";
  expect_error(ErrorCode::kRankDied, {"rank 0", reason}, [&] { f.run({{Behaviour::kFault, 0}, kWaits}); });
  f.expect_good_run();
}

TEST(RankDeath, KilledFromOutsideDuringARun) {
  Fixture f(options_of(2, RanksAs::kProcess));
  const auto victim = static_cast<pid_t>(f.worker.rank_infos().at(0).process_id);
  // Used in place: both kernels say there that they run.
  const SharedMemory started = f.worker.allocate_tensor(2 * sizeof(std::int32_t));
  std::thread killer([victim, words = started.as<std::int32_t>()] {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while ((__atomic_load_n(&words[0], __ATOMIC_ACQUIRE) == 0 || __atomic_load_n(&words[1], __ATOMIC_ACQUIRE) == 0) &&
           std::chrono::steady_clock::now() < limit) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    kill(victim, SIGKILL);
  });
  Floats in{1};
  expect_error(ErrorCode::kRankDied, {"rank 0", "signal 9"}, [&] {
    run_on_all(f.worker, f.callable, kWindow, [&](int rank, const Domain& domain, TaskArgs& args) {
      args.add_input(Tensor::of(in));
      args.add_output(Tensor::of(started.as<std::int32_t>().subspan(static_cast<std::size_t>(rank), 1)));
      args.add_inout(domain.buffer("window")).add_scalar(Behaviour::kStartAndWait).add_scalar(1).add_context(domain);
    });
  });
  killer.join();
  EXPECT_EQ(started.as<std::int32_t>()[0] + started.as<std::int32_t>()[1], 2) << "both kernels were running";
  f.expect_good_run();
  EXPECT_NE(f.worker.rank_infos().at(0).process_id, victim);
}

TEST(RankDeath, KilledBetweenRunsFailsAtMostOneRun) {
  Fixture f(options_of(2, RanksAs::kProcess));
  f.expect_good_run();
  kill(static_cast<pid_t>(f.worker.rank_infos().at(1).process_id), SIGKILL);
  try {
    f.expect_good_run();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kRankDied) << error.what();
  }
  f.expect_good_run();
}

TEST(RankDeath, StoppedRankEndsWithTheTimeLimit) {
  WorkerOptions limited = options_of(2, RanksAs::kProcess);
  limited.timeout = std::chrono::seconds(2);
  Fixture f(limited);
  const auto victim = static_cast<pid_t>(f.worker.rank_infos().at(1).process_id);
  kill(victim, SIGSTOP);
  expect_error(ErrorCode::kNoProgress, {"2000 ms", "rank 1: stopped (SIGSTOP)"}, [&] {
    f.run({{Behaviour::kExchange, 7}, {Behaviour::kExchange, 7}});
  });
  f.expect_good_run();
}

TEST(RankDeath, WorkerWithAStoppedRankCanBeDestroyed) {
  pid_t victim = 0;
  {
    const Worker worker(options_of(2, RanksAs::kProcess));
    victim = static_cast<pid_t>(worker.rank_infos().at(1).process_id);
    kill(victim, SIGSTOP);
  }
  EXPECT_EQ(kill(victim, 0), -1) << "the process is gone";
}

}  // namespace
}  // namespace tileput::test
