// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Who waits for what, from the control memory of a job and its description. The same for the error of a run that
/// cannot go on, for the reports of one that takes long, and for `tileput status`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/source_line.hpp"
#include "orchestration/job_description.hpp"
#include "rank/control.hpp"

namespace tileput::orchestration {

class WaitTable {
 public:
  WaitTable(const rank::Control& control, const JobDescription& job) noexcept : control_(control), job_(job) {}

  /// One line: what the rank does, and if it waits: since when, in which kernel and line, for which word of which
  /// buffer, the value it expects and the one it sees, and who has notified that word before.
  std::string line(int rank);
  /// line() of all ranks given, each after a line break and indented.
  std::string lines(const std::vector<int>& ranks);

  /// Ranks whose notifies, as far as the logs go back, changed the word that `rank` waits for.
  std::vector<int> notifiers(int rank) const;

  /// One sentence about ranks that wait forever: the cycle, or the notify that never comes.
  std::string verdict(const std::vector<int>& stuck) const;

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
  std::string last_notify(int rank);

  const rank::Control& control_;
  const JobDescription& job_;
  base::SourceLines sources_;
};

/// Finds ranks that can never leave their wait. Call stuck() again and again, some milliseconds apart.
///
/// Claim: a rank in the result waits forever. A call reads the looks of all ranks (counts of looks that found a wait
/// unsatisfied), then all states, then all looks again. Between two calls a candidate has stayed in one wait (same
/// episode), and its looks went up by two from the end of the first call to the start of the second, so one whole look
/// happened in between and found its wait unsatisfied. At that look every other candidate was in its wait as well, from
/// the states of the first call to those of the second, and stores nothing there; what it stored before is visible,
/// because falling asleep is a sequentially consistent read-modify-write. A rank that had no work at either call, and
/// was sent none in between, has been answered for, so its stores are done, too; and nobody gives it new work as long
/// as the caller waits for a stuck rank. Only ranks of the word's domain reach the word. The result is the largest set
/// of candidates that no rank outside it can notify. Not judged: waits outside every window, which the program itself
/// may end, and ranks that poll without TWAIT. Not covered: a thread that a kernel leaves behind when its task is
/// answered.
class StuckRanks {
 public:
  /// `may_act[r]`: rank r has work that is not answered yet, or was sent some since the last call.
  std::vector<int> stuck(const rank::Control& control, const JobDescription& job, const std::vector<bool>& may_act);

 private:
  struct Look {
    bool may_act = false;
    bool sleeping = false;
    std::uint64_t episode = 0;
    std::uint64_t looks = 0;
  };
  std::vector<Look> before_;
};

}  // namespace tileput::orchestration
