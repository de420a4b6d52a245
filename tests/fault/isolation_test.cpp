// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What a job keeps to itself: its names, its descriptors, and its memory against its own past.

#include <fcntl.h>

#include "fault/support.hpp"

namespace tileput::fault {
namespace {

using Isolation = FaultTest;

TEST_F(Isolation, LateStoresOfAFailedRunNeverReachTheNext) {
  constexpr int kRanks = 2;
  const auto job = good_job(kRanks, 3s);
  job->run(Mode::kInspect, 0);
  const std::int32_t place = job->out()[1][1];

  // The next thing rank 0 does is a push.
  arm({living(job->pid_of(0)), Call::kPointPush, 1, Effect::kSignal, SIGSTOP});
  test::expect_error(ErrorCode::kNoProgress, {}, [&] { job->run(Mode::kAllToAll, kEpochs); });
  ASSERT_TRUE(fired());
  disarm();
  const pid_t former = plan().fired_pid;

  std::thread late([former] {
    std::this_thread::sleep_for(100ms);  // while the next run looks at its windows
    kill(former, SIGCONT);
  });
  job->run(Mode::kInspect, 600);
  late.join();
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(job->out()[static_cast<std::size_t>(rank)][0], 0) << "words of rank " << rank << "'s window were written";
  }
  EXPECT_EQ(job->out()[1][1], place) << "the windows must lie where the failed run had them";
  EXPECT_FALSE(job->pids().contains(former));
  EXPECT_EQ(state_of(former), '-') << "the former rank is still there";
  job->run_good();
}

TEST_F(Isolation, WindowThatCannotBeClearedIsRefused) {
  if (kSanitized) {
    GTEST_SKIP() << "the sanitizer interposes the same calls";
  }
  const auto job = good_job(2);
  arm({living(job->pid_of(1)), Call::kFallocate, 1, Effect::kFail, EOPNOTSUPP});
  test::expect_error(ErrorCode::kSystem, {"clear window memory"}, [&] { job->run_good(); });
  EXPECT_TRUE(fired());
  job->run_good();
}

TEST_F(Isolation, NothingHasANameWhileARunIsOn) {
  const std::set<std::string> before = shared_names();
  {
    const auto job = good_job(4);
    const SharedMemory memory = job->worker().allocate_tensor(1U << 20U);
    std::set<std::string> during;
    std::thread looker([&during] {
      for (int i = 0; i < 20; ++i) {
        during.merge(shared_names());
        std::this_thread::sleep_for(10ms);
      }
    });
    job->run(Mode::kSleep, 250);
    looker.join();
    EXPECT_EQ(during, before);
  }
  EXPECT_EQ(shared_names(), before);
}

/// What a rank may hold: its channel (twice, once for the watch on the worker), the memory of its job.
void expect_only_the_job(pid_t pid, int ranks) {
  int memfds = 0;
  std::set<std::string> sockets;
  for (const auto& [fd, target] : descriptors_of(pid)) {
    SCOPED_TRACE(fmt::format("descriptor {} of process {} is {}", fd, pid, target));
    if (fd == STDIN_FILENO) {
      EXPECT_EQ(target, "/dev/null");
    } else if (target.starts_with("/memfd:tileput-")) {
      ++memfds;
    } else if (target.starts_with("socket:")) {
      sockets.insert(target);
    } else {
      EXPECT_TRUE(fd == STDOUT_FILENO || fd == STDERR_FILENO);
    }
  }
  EXPECT_EQ(memfds, ranks + 2) << "control memory, a heap per rank, the worker's heap";
  EXPECT_EQ(sockets.size(), 1U);
}

TEST_F(Isolation, RanksHoldDescriptorsOfTheirJobOnly) {
  constexpr int kRanks = 3;
  // What a program forgets to mark close-on-exec, before and after its first worker starts.
  const base::UniqueFd early(open("/proc/self/status", O_RDONLY));
  const auto job = good_job(kRanks);
  const base::UniqueFd late(open("/proc/self/status", O_RDONLY));
  const base::UniqueFd high(fcntl(late.get(), F_DUPFD, 300));
  ASSERT_TRUE(early && late && high);
  const auto other = good_job(2);
  for (const pid_t pid : job->pids()) {
    expect_only_the_job(pid, kRanks);
  }
  for (const pid_t pid : other->pids()) {
    expect_only_the_job(pid, 2);
  }
  kill(*job->pids().begin(), SIGKILL);
  EXPECT_TRUE(wait_until(10s, [&] {
    try {
      job->run_good();
      return true;
    } catch (const Error&) {
      return false;
    }
  }));
  for (const pid_t pid : job->pids()) {
    expect_only_the_job(pid, kRanks);
  }
}

TEST_F(Isolation, RanksOfAProgramWithoutStandardStreamsDoNotPrintIntoWindows) {
  // The first descriptors of such a program, and of its ranks, would be those of the job's memory.
  std::vector<base::UniqueFd> kept;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    kept.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 100));
    close(fd);
  }
  std::vector<std::string> streams;
  {
    const auto job = good_job(2);
    for (const pid_t pid : job->pids()) {
      for (const auto& [fd, target] : descriptors_of(pid)) {
        if (fd <= STDERR_FILENO) {
          streams.push_back(target);
        }
      }
    }
  }
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
    dup2(kept[static_cast<std::size_t>(fd)].get(), fd);
  }
  EXPECT_EQ(streams, std::vector<std::string>(6, "/dev/null"));
}

}  // namespace
}  // namespace tileput::fault
