// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Who waits for what, from the control memory of a job and its description. The same for the error of a run that
/// cannot go on, for the reports of one that takes long, and for `tileput status`.

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/source_line.hpp"
#include "orchestration/job_description.hpp"
#include "rank/control.hpp"

namespace tileput::orchestration {

class WaitTable {
 public:
  WaitTable(const rank::Control& control, const JobDescription& job) noexcept : control_(control), job_(job) {}

  /// What the rank does, a line for each block that has not ended; a rank whose task has one block has one line. If it
  /// waits: since when, in which kernel and line, for which word of which buffer, the value it expects and the one it
  /// sees, and who has notified that word before.
  std::vector<std::string> lines_of(int rank);
  /// lines_of() all ranks given, each after a line break and indented.
  std::string lines(const std::vector<int>& ranks);

  /// One sentence about ranks that wait forever: the cycle, or the notify that never comes. `queued`: ranks for which
  /// something was submitted that has not started.
  std::string verdict(const std::vector<int>& stuck, const std::set<int>& queued) const;

  /// What a rank left behind that died by a signal: " at kernel.cpp:88 (kernel.so), accessing ...". Empty: nothing.
  std::string crash(int rank);

  /// "kernel.cpp:88 (kernel.so)" of a program counter of that rank, "kernel.so" without debug information; empty
  /// outside its kernels and orchestrations.
  std::string source(int rank, std::uint64_t address);
  /// "word 2 of buffer 'scratch' of rank 1's window (byte 8 of domain 1)".
  std::string place(std::uint64_t word) const;

 private:
  /// As source(), but empty where there is no line.
  std::string line_of(int rank, std::uint64_t address);
  std::string near_place(int rank, std::uint64_t address) const;
  std::string doing(int rank);
  std::string line(int rank, int block);
  std::string last_notify(std::uint64_t word);

  /// A block that sleeps.
  struct Wait {
    int rank = 0;
    int block = 0;
    std::uint64_t word = 0;
  };
  [[nodiscard]] std::vector<Wait> waits_of(int rank) const;
  /// Ranks whose notifies, as far as the logs of their blocks go back, changed the word.
  [[nodiscard]] std::vector<int> notifiers(std::uint64_t word) const;
  /// Who may have been meant to notify: those that did before, blocks of the same rank among them, else everybody else
  /// in the domain.
  [[nodiscard]] std::vector<int> expected(const Wait& wait) const;

  const rank::Control& control_;
  const JobDescription& job_;
  base::SourceLines sources_;
};

/// Finds ranks that can never leave their wait. Call stuck() again and again, some milliseconds apart.
///
/// Claim: the blocks in question of a rank in the result wait forever. Those are the blocks of the task that it
/// executes, less those that have ended; the rank's own thread is block 0.
///
/// A call reads the looks of all blocks (counts of looks that found a wait unsatisfied), then what sleeps, then which
/// blocks are off, then all looks again. Between two calls a waiting block has stayed in one wait (same episode), and
/// its looks went up by two from the end of the first call to the start of the second, so one whole look happened in
/// between and found its wait unsatisfied.
///
/// A rank is a candidate if it has such a block and all its other blocks were off at the first call, which read that
/// after it had seen the block asleep. Those stay off: only block 0 starts blocks, and only when no block of its task
/// is left. Block 0 itself, where it is off, waits until all blocks have ended, which the waiting one has not. Blocks
/// that were never used when that was read belong to no task that the waiting block belongs to. (See rank::BlockState.
/// A rank that executes a task of one block, or none, has nothing but block 0.)
///
/// So at that look all blocks of every other candidate were in their waits as well, from the states of the first call
/// to those of the second, or off, and store nothing there; what they stored before is visible, because falling asleep
/// and going off are sequentially consistent read-modify-writes. A rank that had no work at either call, and was sent
/// none in between, has been answered for, so its stores are done, too; and gets new work only
/// from what waits to start, see below. The caller has taken all answers before it calls. Only ranks of a word's domain
/// reach the word, the waiting rank's own blocks among them. The result is the largest set of candidates of which no
/// block waits in a domain with a rank outside the set that may act. A task that is given up because one of its blocks
/// failed is not found: its blocks leave their waits at their next look, and that is said before the block that failed
/// goes off.
///
/// A rank that watches the counters of deferred tasks does so in every wait, and looks for work when it executes
/// nothing. Whoever raises one of several counters may let a later submission start, so such a rank is in the result
/// only if no rank at all outside the set may act. If it was sent nothing since the first call, it had nothing to do at
/// its look. Work that has not started can act, too, if it can start although the ranks of the set never go on
/// (`may_start`): a rank that may get such work can act, whether it waits or not.
///
/// Not judged: waits outside every window, which the program itself may end, and blocks that poll without TWAIT. Not
/// covered: a thread that a kernel leaves behind when its task is answered.
class StuckRanks {
 public:
  /// Who has what to do.
  struct Work {
    std::vector<bool> may_act;      ///< by rank: it has work that is not answered yet
    std::vector<bool> asked = {};   ///< it was sent something since the last call; empty: none was
    std::vector<bool> defers = {};  ///< it watches counters of tasks that have returned; empty: none does
    /// Of ranks that never go on, the ranks on which work could still start; none: no work waits.
    std::function<std::vector<bool>(const std::vector<bool>& stuck)> may_start = {};
  };
  std::vector<int> stuck(const rank::Control& control, const JobDescription& job, const Work& work);

 private:
  struct Block {
    bool off = false;
    bool sleeping = false;
    std::uint64_t episode = 0;
    std::uint64_t word = 0;
    std::uint64_t looks_before = 0;  ///< before the states
    std::uint64_t looks = 0;         ///< after them
  };
  struct Rank {
    bool may_act = false;
    std::vector<Block> blocks;  ///< that were ever used
  };
  static std::vector<Rank> look(const rank::Control& control, const std::vector<bool>& may_act);

  std::vector<Rank> before_;
  JobDescription::Domain everybody_;
};

}  // namespace tileput::orchestration
