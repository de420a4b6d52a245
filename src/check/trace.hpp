// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What happened in one run, in the order it happened. The machine writes it, the analysis reads it several times.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "check/finding.hpp"
#include "check/model.hpp"

namespace tileput::check {

/// How an operation reaches memory, which decides when others may rely on it.
enum class OpClass : std::uint8_t {
  kPipe,         ///< complete when its pipe is drained, visible to other ranks after a fence
  kAsync,        ///< complete and visible when its event has been waited for
  kScalarLoad,   ///< through the data cache
  kScalarStore,  ///< through the data cache: in memory once its line is cleaned and a fence has followed
  kScalarWord,   ///< uncached: in memory at once
  kNotify,       ///< in memory at once, and visible
  kClear,        ///< in memory at once, visible to other ranks after a fence
  kSetFlag,
  kWaitFlag,
};

using OpId = std::uint32_t;

/// One operation of one pipe.
struct Op {
  int core = 0;
  Pipe pipe = Pipe::kS;
  OpClass op_class = OpClass::kPipe;
  bool is_internal = false;    ///< of kSetFlag, kWaitFlag: an event inside TPUT or TGET
  bool touches_line = false;   ///< writes whole lines
  std::uint32_t index = 0;     ///< counts the operations of its pipe from 1; of no meaning to kAsync
  std::uint32_t position = 0;  ///< of the scalar unit when it issued this
  std::uint32_t token = 0;     ///< of kSetFlag, kWaitFlag
  std::uint32_t first_access = 0;
  std::uint32_t access_count = 0;
  Source source;
};

struct Event {
  enum class Kind : std::uint8_t {
    kIssue,    ///< op
    kExecute,  ///< op
    kDrain,    ///< the scalar unit has waited for `pipe`
    kFence,
    kClean,  ///< the lines of `range`
    kCleanAll,
    kModify,    ///< `word`: op and value by `signal_op`; its accesses are those of `op`
    kWait,      ///< wait `op` of Trace::waits was satisfied
    kComplete,  ///< asynchronous transfer `op` was waited for; `value` 1: by its own event
    kBoundary,
    kTakePlace,  ///< `value`: the core that gave the place up, or -1
  };
  Kind kind{};
  Pipe pipe = Pipe::kS;
  SignalOp signal_op = SignalOp::kAdd;
  int core = 0;
  std::uint32_t position = 0;  ///< of the scalar unit
  std::uint32_t op = 0;        ///< OpId, or index into Trace::waits
  std::uint32_t word = 0;
  std::int64_t value = 0;
  Range range = {};
};

struct Wait {
  std::vector<std::uint32_t> words;
  Compare compare = Compare::kGe;
  std::int32_t value = 0;
  Source source;
};

/// An int32 that somebody notifies, clears or waits for.
struct SignalWord {
  Address address = 0;
  std::int32_t initial = 0;
};

struct Trace {
  std::vector<Event> events;
  std::vector<Op> ops;
  std::vector<Access> accesses;
  std::vector<Wait> waits;
  std::vector<SignalWord> words;
  std::unordered_map<Address, std::uint32_t> word_index;
  std::uint32_t tokens = 0;
  std::vector<Finding> findings;  ///< what the machine itself noticed

  [[nodiscard]] std::span<const Access> accesses_of(const Op& op) const noexcept {
    return {accesses.data() + op.first_access, op.access_count};
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return events.capacity() * sizeof(Event) + ops.capacity() * sizeof(Op) + accesses.capacity() * sizeof(Access) +
           waits.capacity() * sizeof(Wait) + words.capacity() * (sizeof(SignalWord) + 32);
  }
  /// The word at `address`; its value now is its initial one when it is new.
  std::uint32_t word_at(Address address) {
    const auto [found, is_new] = word_index.try_emplace(address, static_cast<std::uint32_t>(words.size()));
    if (is_new) {
      words.push_back({address, *reinterpret_cast<const std::int32_t*>(address)});
    }
    return found->second;
  }
};

}  // namespace tileput::check
