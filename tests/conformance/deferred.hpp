// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What deferred_orch.cpp submits and deferred_kernel.cpp does: a list of steps, a task each.

#include <cstdint>

enum class Deferred : int {
  kReturn,
  kDefer,       ///< complete when counter `at` is at least `value`
  kDeferMany,   ///< ... when counters 0 to `value` - 1 are at least 1
  kDeferNext,   ///< ... when counter `at` has been raised as often as this step was executed
  kRaiseOwn,    ///< counter `at` of the own window by `value`, and then as kDefer
  kNotify,      ///< counter `at` of the next rank by `value`
  kNotifyMany,  ///< counters `value` - 1 to 0 of the next rank by 1
  kAwait,       ///< TWAIT until counter `at` is `value` or more
  kPush,        ///< after a moment: element 0 of 'data' of the next rank is `value`, then its counter `at` one more
  kPushNext,    ///< ... `value` is how often this step was executed
  kSeeData,     ///< out[value] = element 0 of 'data'
  kSeeCounter,  ///< out[value] = counter `at`
  kCheckNext,   ///< counts in out[value] when 'data' is older than this execution
  kThrow,
  kNoTask,  ///< registers with a context of no task
  kUnaligned,
  kOutside,     ///< `value` bytes before the window
  kHostRead,    ///< no task: the orchestration reads element `at` of the step's tensor into out[value]
  kHostWrite,   ///< ... writes `value` there
  kIsDeferred,  ///< out[0], out[1]: of its own context and of one of no task
};

/// What a step's task does with its tensor.
enum class Use : int { kInput, kOutput, kInOut, kNoDep };

/// Which tensor: 'data', its halves, another; 'data' with manual_dep, and as 4 x 4 elements the left two columns and
/// the last row; one that the runtime allocates for the first step that writes it.
enum class Which : int { kData, kFirstHalf, kSecondHalf, kSide, kManual, kLeftColumns, kLastRow, kFresh, kFreshManual };

struct Step {
  Deferred what = Deferred::kReturn;
  std::int64_t at = 0;
  std::int64_t value = 0;
  Which which = Which::kSide;
  Use use = Use::kInput;
  int after = -1;  ///< index of a step that it names as dependency
  int blocks = 1;
};

inline constexpr int kStepScalars = 7;
inline constexpr int kCountersMax = 128;
