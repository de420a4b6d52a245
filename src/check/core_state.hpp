// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a core of the checked machine has in flight. Internal to the machine.

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "check/machine.hpp"
#include "check/trace.hpp"

namespace tileput::check {

struct CheckedCore::State {
  struct Queued {
    OpId op;
    Effect effect;
  };
  /// A pipe: what the scalar unit has issued to it and it has not done yet.
  struct Pipeline {
    std::deque<Queued> queue;
    std::uint32_t issued = 0;
    std::uint32_t executed = 0;
    int engine = -1;  ///< the actor that executes, with delayed effects
  };
  /// The n-th wait of a flag takes the n-th set of it.
  struct FlagState {
    std::size_t sets = 0;
    std::size_t waits = 0;
    std::vector<std::uint32_t> tokens;
    Source last_set;
  };
  struct Transfer {
    std::uint64_t session;
    std::uint64_t handle;
    OpId op;
  };
  struct FailedTest {
    Source source;
    std::vector<Address> words;
    std::vector<std::int32_t> seen;
  };
  /// What the scalar unit waits for.
  struct Blocked {
    enum class Kind : std::uint8_t { kSignal, kPoll, kPipe, kPlace };
    Kind kind;
    Source source;
    std::vector<Address> words;
    Compare compare;
    std::int32_t value;
    Pipe pipe;
  };

  std::array<Pipeline, kPipes> pipes;
  std::uint32_t position = 0;  ///< counts what the scalar unit has done
  std::map<std::tuple<Pipe, Pipe, int>, FlagState> flags;
  std::unordered_map<std::uint32_t, bool> token_is_set;
  std::vector<Transfer> transfers;
  std::vector<FailedTest> failed_tests;
  std::optional<Blocked> blocked;

  void step() noexcept { ++position; }
  void note_progress() noexcept { failed_tests.clear(); }

  OpId enqueue(CheckedCore& core, Op op, std::vector<Access> accesses, Effect effect);
  OpId run_on_scalar(CheckedCore& core, Op op, std::vector<Access> accesses, const Effect& effect);
  [[nodiscard]] bool can_execute(const Trace& trace, const Pipeline& pipeline) const;
  void execute_one(CheckedCore& core, Pipeline& pipeline);
  /// Executes whatever no flag holds up.
  void advance(CheckedCore& core);
  /// Executes at once, or tells the scheduler which pipes could.
  void after_issue(CheckedCore& core);
  void await_pipe(CheckedCore& core, Pipe pipe, const Source& source);
  std::uint32_t new_tokens(Trace& trace, std::size_t count);
  std::uint32_t token_of(Trace& trace, FlagState& flag, std::size_t number);
  void satisfied(CheckedCore& core, const Source& source, const std::vector<Address>& words, Compare compare,
                 std::int32_t value);

  void check_owned(CheckedCore& core, const Source& source, Pipe pipe) const;
  void check_internal_flags(CheckedCore& core, const Source& source, int tiles);
  void warn_of_event_reuse(CheckedCore& core, const Source& source, Pipe from, Pipe to, int event);
  void check_flags_at_end(CheckedCore& core);
};

}  // namespace tileput::check
