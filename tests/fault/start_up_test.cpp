// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Whatever system call of start-up, loading, a run or the end fails: the documented error, everything undone, and the
// same step works when it is repeated.

#include <fcntl.h>
#include <sys/resource.h>

#include "fault/support.hpp"

namespace tileput::fault {
namespace {

constexpr int kRanks = 2;
constexpr int kCallsMax = 400;  // more of one kind in one operation would be a loop without end

bool is_documented(ErrorCode code) {
  return code == ErrorCode::kSystem || code == ErrorCode::kOutOfMemory || code == ErrorCode::kRankDied;
}

/// Does a step; false: it threw an Error of the documented kinds. Anything else fails the test.
template <class Step>
bool works(const char* name, Step&& step) {
  try {
    step();
    return true;
  } catch (const Error& error) {
    EXPECT_TRUE(is_documented(error.code())) << name << ": " << error.what();
    EXPECT_FALSE(error.hint().empty()) << name << ": " << error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << name << " threw what is no Error: " << error.what();
  }
  return false;
}

/// The life of a small job. Each step may fail as long as the cause is there, then `remedy` removes the cause, and the
/// step works when it is repeated. Where nothing fails the job ends with the cause in place. Returns the failed steps.
template <class Remedy, class Check>
int live(RanksAs ranks_as, Remedy&& remedy, Check&& after_failed_start) {
  int failed = 0;
  const auto works_at_last = [&](const char* name, auto&& step) {
    if (!works(name, step)) {
      ++failed;
      remedy();
      EXPECT_NO_THROW(step()) << name << ", again";
    }
  };
  std::unique_ptr<Job> job;
  works_at_last("construction", [&] {
    try {
      job = std::make_unique<Job>(kRanks, 30s, ranks_as);
    } catch (...) {
      after_failed_start();
      throw;
    }
  });
  if (job != nullptr) {
    works_at_last("load", [&] { job->load(); });
    works_at_last("allocate_tensor", [&] { job->worker().allocate_tensor(100'000); });
    works_at_last("run", [&] { job->run_good(); });
    works_at_last("second run", [&] { job->run_good(); });
    if (plan().call != static_cast<int>(Call::kFallocate)) {  // which also gives memory back
      EXPECT_LE(heaps_with_memory(), 1) << "only the worker's own heap keeps memory between runs";
    }
  }
  return failed;
}

struct Injection {
  const char* name;
  int who;
  Call call;
  int error;
  bool always_matters = true;  ///< a call that fails makes a step fail; else it may be one that gives something back
  RanksAs ranks_as = RanksAs::kProcess;
};

class StartUp : public FaultTest, public testing::WithParamInterface<Injection> {};

TEST_P(StartUp, EveryFailingCallIsReportedAndUndone) {
  if (kSanitized) {
    GTEST_SKIP() << "the sanitizer interposes the same calls";
  }
  const Injection& injection = GetParam();
  good_job(kRanks);  // whatever the process does once is done
  int nth = 1;
  for (; nth <= kCallsMax && !HasFailure(); ++nth) {
    SCOPED_TRACE(fmt::format("{}, call {}, errno {}", injection.name, nth, injection.error));
    arm({injection.who, injection.call, nth, Effect::kFail, injection.error});
    const int failed = live(injection.ranks_as, disarm, [this] { expect_nothing_left(); });
    const bool reached = fired();
    EXPECT_LE(failed, reached ? 1 : 0);
    EXPECT_TRUE(failed == 1 || !reached || !injection.always_matters) << "nobody noticed";
    disarm();
    expect_nothing_left();
    if (!reached) {
      break;
    }
  }
  EXPECT_LE(nth, kCallsMax);
  EXPECT_GT(nth, 1) << "nobody makes this call";
  RecordProperty("calls", nth - 1);
}

constexpr Injection kInjections[] = {
    {"WorkerMemfdCreate", kWorker, Call::kMemfdCreate, EMFILE},
    {"WorkerFtruncate", kWorker, Call::kFtruncate, EFBIG},
    {"WorkerFallocate", kWorker, Call::kFallocate, ENOSPC, false},
    {"WorkerMmap", kWorker, Call::kMmap, ENOMEM},
    {"WorkerMprotect", kWorker, Call::kMprotect, ENOMEM, false},
    {"WorkerSocketpair", kWorker, Call::kSocketpair, EMFILE},
    {"WorkerSendmsg", kWorker, Call::kSendmsg, ENOBUFS, false},
    {"WorkerRecvmsg", kWorker, Call::kRecvmsg, ENOMEM},
    {"WorkerPoll", kWorker, Call::kPoll, ENOMEM, false},
    {"WorkerSpawn", kWorker, Call::kSpawn, EAGAIN},
    {"WorkerSpawnActions", kWorker, Call::kSpawnActions, ENOMEM},
    {"WorkerPidfdOpen", kWorker, Call::kPidfdOpen, ENFILE},
    {"WorkerOpen", kWorker, Call::kOpen, ENFILE, false},
    {"WorkerThreadCreate", kWorker, Call::kThreadCreate, EAGAIN, true, RanksAs::kThread},
    {"RankMmap", 1, Call::kMmap, ENOMEM},
    {"RankMprotect", 1, Call::kMprotect, ENOMEM, false},
    {"RankFallocate", 1, Call::kFallocate, ENOSPC, false},
    {"RankAnswer", 1, Call::kAnswer, ENOBUFS},
    {"RankRecvmsg", 1, Call::kRecvmsg, EMFILE, false},
    {"RankDuplicate", 1, Call::kDuplicate, EMFILE},
    {"RankThreadCreate", 1, Call::kThreadCreate, EAGAIN},
};
INSTANTIATE_TEST_SUITE_P(Fault, StartUp, testing::ValuesIn(kInjections),
                         [](const auto& injection) { return std::string(injection.param.name); });

/// Lowers one soft limit of this process, and of the ranks it starts, until it is destroyed.
class Limit {
 public:
  Limit(int resource, rlim_t value) : resource_(static_cast<__rlimit_resource>(resource)) {
    getrlimit(resource_, &before_);
    const rlimit low{value, before_.rlim_max};
    setrlimit(resource_, &low);
  }
  ~Limit() { lift(); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  void lift() const { setrlimit(resource_, &before_); }

 private:
  __rlimit_resource resource_;
  rlimit before_{};
};

using Limits = FaultTest;

TEST_F(Limits, EveryLowLimitOfOpenFilesIsReportedAndUndone) {
  good_job(kRanks);
  const int first_free = base::UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)).get();  // those below are taken
  ASSERT_GE(first_free, 0);
  bool failed = true;
  int files = first_free + 1;
  for (; failed && files < first_free + 300 && !HasFailure(); ++files) {
    SCOPED_TRACE(fmt::format("a limit of {} open files", files));
    failed = false;
    const Limit limit(RLIMIT_NOFILE, static_cast<rlim_t>(files));
    const auto remedy = [&] {
      failed = true;
      limit.lift();
    };
    live(RanksAs::kProcess, remedy, [&] {
      limit.lift();  // to look
      expect_nothing_left();
    });
  }
  EXPECT_FALSE(failed);
  EXPECT_GT(files, first_free + 4) << "a worker of two ranks has more descriptors than that";
}

TEST_F(Limits, LowLimitOfProcessesIsReportedAndUndone) {
  if (geteuid() == 0) {
    GTEST_SKIP() << "the limit of processes does not bind root; StartUp injects EAGAIN";
  }
  const Limit limit(RLIMIT_NPROC, 1);
  live(
      RanksAs::kProcess, [&] { limit.lift(); }, [&] { expect_nothing_left(); });
}

TEST_F(Limits, LowLimitOfAddressSpaceIsReportedAndUndone) {
  if (kSanitized) {
    GTEST_SKIP() << "the sanitizer needs the address space";
  }
  for (const rlim_t megabytes : {400U, 300U, 200U, 150U}) {
    SCOPED_TRACE(megabytes);
    const Limit limit(RLIMIT_AS, megabytes << 20U);
    live(
        RanksAs::kProcess, [&] { limit.lift(); },
        [&] {
          limit.lift();
          expect_nothing_left();
        });
  }
}

}  // namespace
}  // namespace tileput::fault
