// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Finds what nothing orders in a trace.
///
/// Happens-before is what holds in every order that the trace's instructions could have taken place in, not only in
/// the one they took: a wait is ordered after a notify only if it could not have been satisfied without it. So a race
/// is found in every schedule that executes both accesses, also where the right notify happened to come first.
///
/// A core's clock has one number per core: the position of that core's scalar unit up to which it is known. Whether an
/// operation of a pipe is covered by such a position follows from when its own core drained and fenced it, so that no
/// clock needs a part for each pipe.

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "check/machine.hpp"
#include "check/trace.hpp"

namespace tileput::check {

/// What orders what, beside program order on a pipe; the differences of the models.
struct Rules {
  bool is_coherent = false;
  bool flags_order_global_memory = true;    ///< a GM round trip guarded by a pipe event alone
  bool transfers_complete_in_order = true;  ///< waiting for a transfer completes the earlier ones of its session
  bool waits_follow_the_run = false;        ///< a wait is ordered after what satisfied it in this run
  bool boundary_publishes = true;           ///< the end of a task is a drain, a fence and a clean
};

/// The clocks of a trace: which operation is ordered before which, by one set of rules.
class Order {
 public:
  using Clock = std::vector<std::uint32_t>;
  using Known = std::array<std::uint32_t, kPipes>;

  Order(const Trace& trace, std::vector<int> rank_of_core, const Rules& rules);

  /// Where an operation stands: what its pipe knows when it executes.
  struct View {
    int core = 0;
    OpId op = 0;
    Known known{};                     ///< of each pipe of the core, how many operations are complete
    Known known_global{};              ///< the same for effects on global memory
    std::uint32_t version = 0;         ///< of the core's clock
    std::uint32_t position = 0;        ///< of the core's scalar unit: earlier scalar operations are complete
    std::uint32_t cache_position = 0;  ///< the same, or of when the cache took in what is read or written
  };

  /// Repeats the trace until the clocks of all waits stay as they are.
  void settle();

  /// Repeats the trace once more and calls `at(view)` for every operation, in order of execution.
  template <class At>
  void for_each(At&& at) {
    reset();
    for (event_ = 0; event_ < trace_.events.size(); ++event_) {
      const Event& event = trace_.events[event_];
      apply(event);
      if (event.kind == Event::Kind::kExecute) {
        at(view_of(event.op));
      }
    }
  }

  /// Whether `a`, which was executed earlier in the trace, is ordered before what `b` does. `needs_publishing`: an
  /// effect of `a` in memory, rather than that it is over. `through_cache`: b reads what the core's cache may hold.
  [[nodiscard]] bool is_before(OpId a, const View& b, bool needs_publishing, bool is_on_chip) const;
  /// What `view` is for a read through the data cache: as of when the line was last invalidated.
  [[nodiscard]] View at_last_clean(const View& view, const Range& range) const;
  /// What `view` is for a write of a whole line: as of when the cache took the line in.
  [[nodiscard]] View at_fill(const View& view, const Range& range) const;

  /// What the pipe of an operation that was executed knew then.
  [[nodiscard]] View view_of(OpId op) const;
  /// `view` with everything its scalar unit knows now.
  [[nodiscard]] View current(const View& view) const;
  [[nodiscard]] const Clock& clock_of(const View& view) const {
    return units_[static_cast<std::size_t>(view.core)].clocks[view.version];
  }
  /// The position from which `a` may be relied on: drained, published; 0: never in this trace.
  [[nodiscard]] std::uint32_t drained_at(OpId a) const;
  [[nodiscard]] std::uint32_t published_at(OpId a) const;
  [[nodiscard]] std::uint64_t bytes() const noexcept;

 private:
  struct Step {  ///< from `position` on, `count` operations
    std::uint32_t count;
    std::uint32_t position;
  };
  struct Snapshot {
    Known known{};
    Known known_global{};
    std::uint32_t version = 0;
    std::uint32_t position = 0;
  };
  struct Unit {
    std::array<Known, kPipes> known{};
    std::array<Known, kPipes> known_global{};
    std::array<std::uint32_t, kPipes> version{};
    std::uint32_t position = 0;
    std::array<std::vector<Step>, kPipes> drains;
    std::array<std::vector<Step>, kPipes> publishes;
    std::vector<std::uint32_t> fences;
    std::vector<Clock> clocks;  ///< by version; version n begins with the n-th wait
    Snapshot all_clean;
    std::map<Address, Snapshot> line_clean;
    std::map<Address, Snapshot> line_fill;
    std::map<Address, std::vector<OpId>> dirty;  ///< scalar stores by line
  };
  struct Token {
    Known known{};
    Known known_global{};
    std::uint32_t version = 0;
  };
  /// A change of a signal word.
  struct Change {
    int core = 0;
    std::uint32_t position = 0;
    std::uint32_t version = 0;
    std::uint32_t event = 0;
    SignalOp op = SignalOp::kAdd;
    std::int32_t value = 0;
  };
  class WaitSolver;
  friend class WaitSolver;

  void collect_changes();
  void reset();
  void apply(const Event& event);
  void issue(const Event& event);
  void execute(const Event& event);
  void drain(Unit& unit, Pipe pipe, std::uint32_t position);
  void fence(Unit& unit, std::uint32_t position);
  void write_back_all(Unit& unit, std::uint32_t position);
  void invalidate_all(Unit& unit);
  void clean_line(Unit& unit, Address line, const Snapshot& now);
  void clean(Unit& unit, const Event& event);
  void boundary(Unit& unit, const Event& event);
  void wait(const Event& event);
  void new_version(Unit& unit, Clock clock);
  /// The position of the first step that covers that many operations; 0: none does.
  static std::uint32_t first_covering(const std::vector<Step>& steps, std::uint32_t index);
  [[nodiscard]] Snapshot snapshot(const Unit& unit) const;
  [[nodiscard]] std::uint32_t known_of(const Change& change, int core) const;

  const Trace& trace_;
  std::vector<int> rank_of_core_;
  Rules rules_;
  std::vector<Unit> units_;
  std::vector<Token> tokens_;
  std::vector<Snapshot> issued_;              ///< by OpId: what the scalar unit knew
  std::vector<Snapshot> executed_;            ///< by OpId: what the pipe knew
  std::vector<std::uint32_t> complete_;       ///< by OpId of an asynchronous transfer or a scalar store: its position
  std::vector<std::vector<Change>> changes_;  ///< by word
  std::uint32_t event_ = 0;
  bool sees_later_changes_ = false;
  bool clocks_changed_ = false;
};

/// The findings of one run.
class Analysis {
 public:
  Analysis(const Machine& machine, const Trace& trace) : machine_(machine), trace_(trace) {}
  /// Adds findings, hash and sizes to `result`.
  void run(RunResult& result);

 private:
  [[nodiscard]] std::uint64_t hash() const;
  void warn_of_repeated_sets(Findings& into) const;

  const Machine& machine_;
  const Trace& trace_;
};

}  // namespace tileput::check
