// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// A rank that dies, or is stopped for a while, at every named point of a job.

#include "fault/support.hpp"
#include "orchestration/protocol.hpp"

namespace tileput::fault {
namespace {

using orchestration::RequestKind;

/// Where in the life of a job: at the nth call of a function while the rank does what a request asks for.
struct Point {
  const char* name;
  Call call;
  std::optional<RequestKind> request = std::nullopt;  ///< none: whatever it does
  int nth = 1;
  bool at_start = false;     ///< while a fresh worker starts; else in a run of a worker that has run before
  bool after = false;        ///< the call has been made
  bool submit_late = false;  ///< the program submits when the rank is gone
  bool run_over = false;     ///< nothing of the run is left to do: the run may succeed
  int nth_step = 0;          ///< the i-th visit of the point takes call nth + i % kEpochs * nth_step
};

constexpr Point kPoints[] = {
    {.name = "start-up, before the worker's first message", .call = Call::kRecvmsg, .at_start = true},
    {.name = "start-up, mapping memory", .call = Call::kMmap, .request = RequestKind::kHello, .at_start = true},
    {.name = "start-up, loading", .call = Call::kAnswer, .request = RequestKind::kLoad, .at_start = true},
    {.name = "domain allocation, own window", .call = Call::kFallocate, .request = RequestKind::kReserve, .nth = 2},
    {.name = "domain allocation, windows of all", .call = Call::kMprotect, .request = RequestKind::kAttach, .nth = 2},
    {.name = "between allocation and submission",
     .call = Call::kAnswer,
     .request = RequestKind::kAttach,
     .after = true,
     .submit_late = true},
    {.name = "push", .call = Call::kPointPush, .nth_step = 1},
    {.name = "between notify and wait", .call = Call::kPointNotified, .nth_step = 1},
    {.name = "copy-out", .call = Call::kPointCopyOut, .nth_step = 1},
    {.name = "before its task is answered", .call = Call::kAnswer, .request = RequestKind::kRun},
    {.name = "after its task is answered", .call = Call::kAnswer, .request = RequestKind::kRun, .after = true},
    {.name = "after results were copied back", .call = Call::kAnswer, .request = RequestKind::kDetach},
    {.name = "before the window is given back", .call = Call::kAnswer, .request = RequestKind::kFree},
    {.name = "idle, after the last answer",
     .call = Call::kAnswer,
     .request = RequestKind::kFree,
     .after = true,
     .run_over = true},
};
constexpr int kPointCount = static_cast<int>(std::size(kPoints));
constexpr int kRankCounts[] = {2, 4, 8};

/// How a rank ends, and what the error says about it.
struct End {
  Effect effect;
  int value;
  const char* text;
};
constexpr End kEnds[] = {
    {Effect::kSignal, SIGKILL, "signal 9"},
    {Effect::kSignal, SIGKILL, "signal 9"},
    {Effect::kExit, 3, "exited with code 3"},
    {Effect::kSignal, SIGKILL, "signal 9"},
    {Effect::kWildStore, 0, ""},  // signal 11, or what the crash handler makes of it
};

Fault fault_at(const Point& point, int visit, int who, const End& end) {
  return {who,
          point.call,
          point.nth + visit % kEpochs * point.nth_step,
          point.after ? Effect::kSignalAfter : end.effect,
          end.value,
          point.request ? static_cast<int>(*point.request) : kAny};
}

class RankFault : public FaultTest {
 protected:
  void TearDown() override {
    jobs_.clear();
    FaultTest::TearDown();
  }

  /// One worker for each rank count is used for all faults in a row; faults at the start get a fresh one.
  Job& job_of(int ranks) {
    std::unique_ptr<Job>& job = jobs_[ranks];
    if (job == nullptr) {
      job = good_job(ranks);
      settled_ = snapshot();
    }
    return *job;
  }

  /// All ranks of the workers are there, nothing else, and no more descriptors and mappings than they have.
  void expect_settled() const {
    Snapshot now = snapshot();
    std::set<pid_t> ranks;
    for (const auto& [count, job] : jobs_) {
      ranks.merge(job->pids());
    }
    EXPECT_EQ(now.children, ranks);
    now.children = settled_.children;  // a rank in another's place has another number
    EXPECT_EQ(now, settled_);
    // A worker's own heap keeps blocks for its next run; the heaps of ranks are empty between runs.
    EXPECT_LE(heaps_with_memory(), static_cast<int>(jobs_.size()));
  }

  /// One fault in a job. The error names the rank and how it ended, and the next run is right.
  void hurt(const Point& point, int visit, int ranks, int rank, const End& end, Latencies& latencies) {
    SCOPED_TRACE(fmt::format("{}, rank {} of {}, visit {}, {}", point.name, rank, ranks, visit, end.text));
    std::unique_ptr<Job> fresh;
    const int pid = job_of(ranks).pid_of(rank);
    arm(fault_at(point, visit, point.at_start ? rank : living(pid), end));
    if (point.submit_late) {
      job_of(ranks).before_submit = [pid] { EXPECT_TRUE(wait_until(10s, [pid] { return is_gone(pid); })); };
    }
    std::optional<Error> error;
    try {
      if (point.at_start) {
        fresh = std::make_unique<Job>(ranks);
        fresh->load();
      }
      (fresh ? *fresh : job_of(ranks)).run_good();
    } catch (const Error& thrown) {
      error = thrown;
    }
    job_of(ranks).before_submit = nullptr;
    ASSERT_TRUE(wait_until(10s, fired)) << "the point was not reached" << (error ? error->what() : "");
    ASSERT_TRUE(error || point.run_over) << "the run did not fail";
    if (error) {
      latencies.add_since(plan().fired_ns);
      EXPECT_EQ(error->code(), ErrorCode::kRankDied) << error->what();
      EXPECT_NE(error->detail().find(fmt::format("rank {} ", rank)), std::string::npos) << error->what();
      EXPECT_NE(error->detail().find(end.text), std::string::npos) << error->what();
      EXPECT_LE(heaps_with_memory(), static_cast<int>(jobs_.size()) + (fresh ? 1 : 0)) << "of a failed run";
    }
    disarm();
    if (point.at_start) {
      if (!fresh) {
        fresh = std::make_unique<Job>(ranks);
      }
      fresh->load();
      fresh->run_good();
      fresh.reset();
    } else {
      if (point.run_over) {  // found when the next run starts; that may be too late for it
        try {
          job_of(ranks).run_good();
        } catch (const Error& late) {
          EXPECT_EQ(late.code(), ErrorCode::kRankDied) << late.what();
        }
      }
      job_of(ranks).run_good();
    }
    expect_settled();
  }

  std::map<int, std::unique_ptr<Job>> jobs_;
  Snapshot settled_;
};

TEST_F(RankFault, DeathAtEveryPointIsReportedAndTheNextRunIsRight) {
  Latencies latencies("death of a rank");
  const int deaths = count_of(2 * kPointCount, 200);
  for (int i = 0; i < deaths && !HasFailure(); ++i) {
    const Point& point = kPoints[i % kPointCount];
    const int round = i / kPointCount;
    const int ranks = kRankCounts[(i + round) % 3];
    const End& end = kEnds[point.after ? 0 : static_cast<std::size_t>(i + round) % std::size(kEnds)];
    hurt(point, round, ranks, (i % kPointCount + round / 3) % ranks, end, latencies);
  }
}

TEST_F(RankFault, DeathOfAllRanksIsReportedAndTheNextRunIsRight) {
  Latencies latencies("death of all ranks");
  for (const int ranks : kRankCounts) {
    Job& job = job_of(ranks);
    const std::set<pid_t> victims = job.pids();
    std::atomic<std::uint64_t> start_ns{0};
    std::thread killer([&] {
      std::this_thread::sleep_for(100ms);
      start_ns = base::now_ns();
      for (const pid_t victim : victims) {
        kill(victim, SIGKILL);
      }
    });
    test::expect_error(ErrorCode::kRankDied, {"signal 9"}, [&] { job.run(Mode::kWait, 60'000); });
    latencies.add_since(start_ns);
    killer.join();
    job.run_good();
    expect_settled();
  }
}

TEST_F(RankFault, StoppedAtEveryPointForAWhileIsNoError) {
  const int stops = count_of(kPointCount, 3 * kPointCount);
  for (int i = 0; i < stops && !HasFailure(); ++i) {
    const Point& point = kPoints[i % kPointCount];
    const int round = i / kPointCount;
    const int ranks = kRankCounts[(i + round) % 3];
    const int rank = (i % kPointCount + round / 3) % ranks;
    SCOPED_TRACE(fmt::format("{}, rank {} of {}", point.name, rank, ranks));
    const int pid = job_of(ranks).pid_of(rank);
    arm(fault_at(point, round, point.at_start ? rank : living(pid), {Effect::kSignal, SIGSTOP, ""}));
    Continuer continuer;
    EXPECT_NO_THROW({
      if (point.at_start) {
        Job fresh(ranks);
        fresh.load();
        fresh.run_good();
      } else {
        job_of(ranks).run_good();
      }
      job_of(ranks).run_good();
    });
    EXPECT_TRUE(continuer.finish()) << "the point was not reached";
    disarm();
    expect_settled();
  }
}

}  // namespace
}  // namespace tileput::fault
