// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What inject.cpp does to the system calls of a test and of its rank processes, and how a test asks for it.
///
/// The library built from inject.cpp is linked into the test and preloaded into its ranks. All of them look into one
/// shared page, the plan: at the n-th call of one function, in the worker or in one rank, counted from arm(), something
/// happens to the caller. Kernels of these tests pass named points that count like calls.

#include <atomic>
#include <cstdint>

namespace tileput::fault {

/// What is counted.
enum class Call : int {
  kMemfdCreate,
  kFtruncate,
  kFallocate,
  kMmap,
  kMprotect,
  kSocketpair,
  kSendmsg,
  kRecvmsg,
  kPoll,
  kSpawn,
  kSpawnActions,  ///< posix_spawn_file_actions_init and _add...
  kPidfdOpen,     ///< through syscall()
  kOpen,
  kDuplicate,  ///< dup, dup2, fcntl(F_DUPFD_CLOEXEC)
  kPipe,
  kThreadCreate,
  kAnswer,         ///< rank::Channel::send in a rank, whichever way the message goes
  kPointPush,      ///< of fault_kernel: between two TPUTs
  kPointNotified,  ///< of fault_kernel: between TNOTIFY and TWAIT
  kPointCopyOut,   ///< of fault_kernel: between two TSTOREs to the output
  kCalls
};

enum class Effect : int {
  kFail,         ///< the call is not made, it fails with errno `value`
  kSignal,       ///< the caller raises signal `value`, then (if it lives) makes the call
  kSignalAfter,  ///< the same after the call
  kWildStore,    ///< the caller writes where nothing is
  kExit,         ///< the caller ends itself with _exit(value)
};

inline constexpr int kNobody = -1;           // process 1 is no rank
inline constexpr int kWorker = kNobody - 1;  // nor is process 2

inline constexpr int kAny = -1;

/// One page that the test and its ranks share. All accesses are sequentially consistent: it is a test.
struct Plan {
  /// kWorker, or a rank among the processes that start after arm(), or minus the number of a process; written last by
  /// arm().
  std::atomic<int> who{kNobody};
  std::atomic<int> armed{0};  ///< calls of arm()
  std::atomic<int> call{0};
  std::atomic<int> request{kAny};  ///< only what a rank does for a request of this kind (RequestKind) counts
  std::atomic<int> nth{0};         ///< from 1
  std::atomic<int> effect{0};
  std::atomic<int> value{0};
  std::atomic<int> seen{0};                ///< calls of that function by `who` since arm()
  std::atomic<std::uint64_t> fired_ns{0};  ///< when it happened (CLOCK_MONOTONIC); 0: not yet
  std::atomic<int> fired_pid{0};
};

}  // namespace tileput::fault

extern "C" {
/// Creates the plan of this process and makes the ranks it starts from now on share it.
tileput::fault::Plan* tileput_fault_plan();
/// A named point of a kernel.
void tileput_fault_point(int call);
}
