// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Who waits for whom: what is found to be stuck, what is only slow, and what reports say. And accesses out of bounds.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "conformance/hang_support.hpp"

namespace tileput::test {
namespace {

using namespace std::chrono_literals;

TEST_P(HangTest, PeerThatReturnedWithoutTheNotify) {
  start(2);
  expect_stuck(
      {{Hang::kWait, 1}, {Hang::kReturn, 0}},
      {"cannot go on", "rank 0 waits for a notify that never comes: rank 1 has returned without it",
       "rank 0: waits for ", "at hang_kernel.cpp:", "(hang_kernel.so)", "until byte 0 of 'back' in rank 0's window",
       ">= 1, sees 0", "last notifier unknown", "rank 1: has finished"});
}

TEST_P(HangTest, CycleOfTwo) {
  start(2);
  expect_stuck({{Hang::kWait, 7}, {Hang::kWait, 8}},
               {"cycle: rank 0 waits for rank 1 waits for rank 0", ">= 7, sees 0", ">= 8, sees 0"});
}

TEST_P(HangTest, AllRanksWait) {
  start(3);
  expect_stuck({{Hang::kWait, 1}, {Hang::kWait, 1}, {Hang::kWait, 1}}, {"ranks 0, 1, 2 all wait"});
}

TEST_P(HangTest, NotifyLogNamesTheCycleAndTheLastNotifier) {
  start(3);
  expect_stuck({{Hang::kExchangeThenWait, 0}, {Hang::kExchangeThenWait, 0}, {Hang::kExchangeThenWait, 0}},
               {"cycle: rank 0 waits for rank 2 waits for rank 1 waits for rank 0", ">= 2, sees 1",
                "last notified by rank 2 (AtomicAdd 1 at hang_kernel.cpp:"});
}

TEST_P(HangTest, ReportNamesTheWordThatIsNotSatisfied) {
  start(1);
  expect_stuck({{Hang::kWaitForRegion, 0}}, {"byte 8 of 'front'", ">= 5, sees 0", "nobody else can send"});
}

TEST_P(HangTest, SlowPeerIsNotStuck) {
  start(3);
  run({{Hang::kWait, 1}, {Hang::kCompute, 900}, {Hang::kNotify, 700}});
}

TEST_P(HangTest, NotifyOfALaterSubmissionIsNotStuck) {
  start(3);
  worker_->run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.ranks = {0, 1}, .buffers = kBuffers});
    o.submit(*callable_, 1, args_of(1, domain, {Hang::kWait, 1}));
    std::this_thread::sleep_for(500ms);                                           // the program computes
    const Domain other = o.allocate_domain({.ranks = {2}, .buffers = kBuffers});  // and talks to others
    o.submit(*callable_, 2, args_of(2, other, {Hang::kCompute, 500}));
    o.allocate_domain({.ranks = {2}, .buffers = kBuffers});  // while this waits for rank 2, rank 1 only looks stuck
    o.submit(*callable_, 0, args_of(0, domain, {Hang::kNotify, 0}));
  });
}

TEST_P(HangTest, WorkThatIsSentAndAnsweredBetweenTwoLooksIsSeen) {
  start(3);
  for (int round = 0; round < 8; ++round) {
    worker_->run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.ranks = {0, 1}, .buffers = kBuffers});
      const Domain other = o.allocate_domain({.ranks = {2}, .buffers = kBuffers});
      o.submit(*callable_, 0, args_of(0, domain, {Hang::kWait, 1}));
      o.submit(*callable_, 2, args_of(2, other, {Hang::kCompute, 130 + 10 * round}));
      o.submit(*callable_, 2, args_of(2, other, {Hang::kReturn, 0}));  // waits: looks while rank 1 has nothing to do
      o.submit(*callable_, 1, args_of(1, domain, {Hang::kPlainNotify, 60}));
    });
  }
}

TEST_P(HangTest, RanksThatWereReplacedAreJudgedAnew) {
  start(2);
  for (int round = 0; round < 5; ++round) {
    expect_error(ErrorCode::kNoProgress, {"returned without it"}, [&] { run({{Hang::kWait, 1}, {Hang::kReturn, 0}}); });
    worker_->run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = kBuffers});
      o.submit(*callable_, 0, args_of(0, domain, {Hang::kWait, 1}));
      std::this_thread::sleep_for(120ms);
      o.submit(*callable_, 1, args_of(1, domain, {Hang::kPlainNotify, 0}));
    });
  }
}

TEST_P(HangTest, NotifiesOfAnEarlierRunBlameNobody) {
  start(3);
  run({{Hang::kReturn, 0}, {Hang::kReturn, 0}, {Hang::kNotify, 0}});  // rank 2 notifies rank 0
  expect_error(
      ErrorCode::kNoProgress, {"cycle: rank 0 waits for rank 1 waits for rank 0", "last notifier unknown"}, [&] {
        worker_->run([&](Orchestrator& o) {
          const Domain domain = o.allocate_domain({.ranks = {0, 1}, .buffers = kBuffers});
          o.submit_group(*callable_,
                         {{0, args_of(0, domain, {Hang::kWait, 9})}, {1, args_of(1, domain, {Hang::kWait, 9})}});
        });
      });
}

TEST_P(HangTest, RankOutsideTheDomainDoesNotSaveIt) {
  start(3);
  expect_error(ErrorCode::kNoProgress, {"cycle: rank 0 waits for rank 1 waits for rank 0", "rank 2: computes in"}, [&] {
    worker_->run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.ranks = {0, 1}, .buffers = kBuffers});
      const Domain other = o.allocate_domain({.ranks = {2}, .buffers = kBuffers});
      o.submit(*callable_, 2, args_of(2, other, {Hang::kCompute, 1500}));
      o.submit_group(*callable_,
                     {{0, args_of(0, domain, {Hang::kWait, 1})}, {1, args_of(1, domain, {Hang::kWait, 1})}});
    });
  });
}

TEST_P(HangTest, SubmitThatCanNeverStartSaysSo) {
  start(2);
  expect_error(ErrorCode::kNoProgress, {"cycle: rank 0 waits for rank 1 waits for rank 0"}, [&] {
    worker_->run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = kBuffers});
      o.submit_group(*callable_,
                     {{0, args_of(0, domain, {Hang::kWait, 1})}, {1, args_of(1, domain, {Hang::kWait, 1})}});
      o.submit(*callable_, 0, args_of(0, domain, {Hang::kReturn, 0}));  // writes the same tensor
    });
  });
}

TEST_P(HangTest, NotifyOfWhatHasNotStartedIsNamed) {
  start(3);
  expect_error(ErrorCode::kNoProgress,
               {"rank 0 waits for a notify that never comes: rank 2 has returned without it, and what was submitted "
                "for rank 1 has not started",
                "submission 2 for rank 1 has not started"},
               [&] {
                 worker_->run([&](Orchestrator& o) {
                   const Domain domain = o.allocate_domain({.buffers = kBuffers});
                   const Submission waits = o.submit(*callable_, 0, args_of(0, domain, {Hang::kWait, 1}));
                   o.submit(*callable_, 2, args_of(2, domain, {Hang::kReturn, 0}));
                   o.submit(*callable_, 1, args_of(1, domain, {Hang::kNotify, 0}), {.after = {waits}});
                 });
               });
}

TEST_P(HangTest, PollingRankEndsWithTheTimeLimit) {
  start(2, 3s);
  expect_stuck({{Hang::kPollForever, 0}, {Hang::kReturn, 0}},
               {"limit of 3000 ms", "rank 0: computes in hang_kernel.so", "rank 1: has finished"});
}

TEST_P(HangTest, PollingRankEndsWhenAPeerFails) {
  start(2, kTimeout);
  expect_error(ErrorCode::kOutOfWindow, {"hang_kernel.so on rank 1"}, [&] {
    run({{Hang::kPollForever, 0}, {Hang::kNotifyAt, 1 << 20}});
  });
  run({{Hang::kNotify, 0}, {Hang::kNotify, 0}});
}

TEST_P(HangTest, SlowRunIsReportedAgainAndAgain) {
  start(2, 0ns, 300ms);
  testing::internal::CaptureStderr();
  run({{Hang::kWait, 1}, {Hang::kNotify, 1000}});
  const std::string text = testing::internal::GetCapturedStderr();
  int found = 0;
  for (std::size_t at = text.find("run 1 is not complete after "); at != std::string::npos;
       at = text.find("run 1 is not complete after ", at + 1)) {
    ++found;
  }
  EXPECT_GE(found, 1) << text;
  EXPECT_LE(found, 40) << text;  // on a busy machine the run takes longer
  for (const char* const part :
       {"\n  rank 0: waits for ", "at hang_kernel.cpp:", "\n  rank 1: computes in hang_kernel.so"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
  }
}

#ifdef TILEPUT_COMMAND  // not built under sanitizers
TEST_P(HangTest, StatusShowsTheTableFromOutside) {
  start(2);
  std::string text;
  std::atomic<bool> over{false};
  std::thread observer([&] {
    const std::string command = std::string(TILEPUT_COMMAND) + " status " + std::to_string(getpid());
    while (!over && text.find("rank 0: waits for ") == std::string::npos) {
      text.clear();
      const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
      for (char line[1024]; std::fgets(line, sizeof(line), pipe.get()) != nullptr;) {
        text += line;
      }
    }
  });
  run({{Hang::kWait, 1}, {Hang::kNotify, 2000}});
  over = true;
  observer.join();
  for (const char* const part : {"2 ranks, run 1, 1 domains", "rank 0: waits for ", "at hang_kernel.cpp:",
                                 "until byte 0 of 'back' in rank 0's window", "rank 1: computes in hang_kernel.so"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
  }
}
#endif

TEST_P(HangTest, AccessesOutsideEveryWindowAreRefused) {
  start(2, kTimeout);
  constexpr std::int64_t kWords = 4096 / 4;
  const auto refused = [&](const Step& step, const std::vector<std::string>& parts) {
    SCOPED_TRACE(parts.front());
    expect_error(ErrorCode::kOutOfWindow, parts, [&] { run({step, {Hang::kReturn, 0}}); });
  };
  const auto allowed = [&](const Step& step) { run({step, {Hang::kReturn, 0}}); };
  for (const auto& [what, name, last] :
       std::initializer_list<std::tuple<Hang, const char*, std::int64_t>>{{Hang::kPut, "TPUT", kWords - 8},
                                                                          {Hang::kGet, "TGET", kWords - 8},
                                                                          {Hang::kLoad, "TLOAD", kWords - 8},
                                                                          {Hang::kStore, "TSTORE", kWords - 8},
                                                                          {Hang::kNotifyAt, "TNOTIFY", kWords - 1},
                                                                          {Hang::kWaitAt, "TWAIT", kWords - 1}}) {
    allowed({what, 0});
    allowed({what, last});
    const std::string at = std::string(name) + " at hang_kernel.cpp:";
    refused({what, last + 1}, {at, "hang_kernel.so on rank 0", "are not all inside one window", "the window of rank"});
    refused({what, -1}, {at, "begins 4 bytes after that"});
    refused({what, std::int64_t{1} << 40}, {at});
    refused({what, -(std::int64_t{1} << 40)}, {at});
  }
  allowed({Hang::kLoadNothing, kWords});
  refused({Hang::kLoadPart, kWords - 8}, {"TLOAD", "they begin at byte"});
  refused({Hang::kHugeShape, 0}, {"TPUT"});
  refused({Hang::kStridedPut, 0}, {"TPUT", "49184 bytes", "of the window of rank 1 in domain"});
  refused({Hang::kPutFromStack, 0}, {"TPUT", "32 bytes"});
  allowed({Hang::kTensor, 8});
  refused({Hang::kTensor, 9}, {"TPUT", "they begin at byte 36 of tensor argument 0, which has 64"});
}

TEST_P(HangTest, TilePastOnChipMemoryNamesItsLine) {
  start(1, kTimeout);
  expect_error(ErrorCode::kOnChipOverflow, {"TASSIGN at hang_kernel.cpp:", "196608"}, [&] {
    run({{Hang::kAssign, 196608 - 127}});
  });
  run({{Hang::kAssign, 196608 - 128}});
}

INSTANTIATE_TEST_SUITE_P(Conformance, HangTest, testing::Values(RanksAs::kProcess, RanksAs::kThread), kind_name);

/// Rank processes that die by a signal say where. Sanitizers report such signals themselves.
class CrashTest : public HangTest {
 protected:
  void SetUp() override {
    if (kSanitized) {
      GTEST_SKIP() << "the sanitizer's own handler reports";
    }
    start(2, kTimeout);
  }
};

TEST_P(CrashTest, PlainStoreBehindAWindowNamesLineAndBuffer) {
  expect_error(ErrorCode::kRankDied,
               {"rank 0 (process ", "was killed by signal 11", "at hang_kernel.cpp:", "(hang_kernel.so)",
                "accessing 0x", "100 bytes past the end of rank 1's window", "after 'back'"},
               [&] {
                 run({{Hang::kPlainStore, 4096 + 100}, {Hang::kWait, 1}});
               });
  run({{Hang::kNotify, 0}, {Hang::kNotify, 0}});
}

TEST_P(CrashTest, WildLoadNamesTheLine) {
  expect_error(ErrorCode::kRankDied,
               {"signal 11", "at hang_kernel.cpp:", "accessing 0x10", "a null pointer", "check what is accessed there"},
               [&] {
                 run({{Hang::kNullLoad, 16}, {Hang::kWait, 1}});
               });
}

TEST_P(CrashTest, SignalFromOutsideNamesItsSender) {
  const auto victim = static_cast<pid_t>(worker_->rank_infos().at(0).process_id);
  std::thread sender([victim] {
    std::this_thread::sleep_for(500ms);
    kill(victim, SIGSEGV);
  });
  expect_error(ErrorCode::kRankDied,
               {"signal 11", "at hang_kernel.cpp:", "sent by process " + std::to_string(getpid()),
                "look for what sends signals"},
               [&] {
                 run({{Hang::kWait, 1}, {Hang::kCompute, 1000}});
               });
  sender.join();
}

TEST_P(CrashTest, AbortNamesTheLineThatCalledIt) {
  expect_error(ErrorCode::kRankDied, {"signal 6", "at hang_kernel.cpp:"}, [&] {
    run({{Hang::kAbort, 0}, {Hang::kWait, 1}});
  });
}

INSTANTIATE_TEST_SUITE_P(Conformance, CrashTest, testing::Values(RanksAs::kProcess), kind_name);

}  // namespace
}  // namespace tileput::test
