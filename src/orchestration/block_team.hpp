// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The blocks of a rank: block 0 on the rank's own thread, the others on threads of their own, with a core each. With
/// an executor there are no threads: it runs the blocks in turn.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "machine/on_chip.hpp"
#include "machine/phase_counter.hpp"
#include "rank/control.hpp"
#include "rank/waiting.hpp"
#include "tileput/machine/core.hpp"

namespace tileput::orchestration {

/// What all blocks of a task execute; must be callable from several threads.
struct BlockWork {
  void (*run)(const void* context, int block) = nullptr;
  const void* context = nullptr;
};

/// Made and used by the rank's thread. Cores and threads of further blocks are made by the first task that has so many,
/// and kept for later ones.
class BlockTeam {
 public:
  /// `core`: what the cores of all blocks have in common.
  BlockTeam(const rank::Control& control, int rank, int ranks, rank::WaitPolicy policy, const machine::Core& core,
            rank::Executor* executor = nullptr);
  /// Joins the threads, which execute nothing then.
  ~BlockTeam();
  BlockTeam(const BlockTeam&) = delete;
  BlockTeam& operator=(const BlockTeam&) = delete;

  struct Failure {
    int block = 0;
    std::exception_ptr error;  ///< null: all blocks returned
  };

  /// Block 0: the core of the rank's own thread, and how that waits.
  [[nodiscard]] machine::Core& core() noexcept { return blocks_.front()->core; }
  [[nodiscard]] rank::Waiting& waiting() noexcept { return blocks_.front()->waiting; }

  /// What the cores may address from now on, and whether they are counted; null and false: nothing any more.
  void attach(const machine::KnownMemory* memory, bool observe);

  /// Executes `work` as blocks 0 to `count` - 1 at the same time, and returns when all have ended. `count` is 2 to
  /// rank::kBlocksMax. When one throws, the others leave their waits; answers what was thrown first, kAborted only
  /// where there is nothing else. A block that never waits or tests cannot be ended.
  [[nodiscard]] Failure run(int count, const BlockWork& work);

  /// Of block 0, with what the others did in the same task at the same phase.
  [[nodiscard]] machine::PhaseCounter& counter() noexcept { return blocks_.front()->counter; }

 private:
  struct Block {
    Block(const BlockTeam& team, int index);
    machine::OnChipMemory on_chip;
    machine::Core core;
    rank::Waiting waiting;
    std::vector<machine::KnownRange> known;
    machine::PhaseCounter counter;
    std::condition_variable go;
    bool has_work = false;  // with the team's mutex
    std::thread thread;     // none for block 0
  };

  void grow(int count);
  void attach_to(Block& block);
  void serve(Block& block);
  void start_threads(int count);
  void start_in_turn(int count);
  void await_others();
  void end_block(const Block& block);
  void execute(const Block& block) noexcept;
  void fail(int block, std::exception_ptr error) noexcept;
  void start(int count, const BlockWork& work);
  void merge_counts(int count, std::size_t first_phase);

  const rank::Control& control_;
  int rank_;
  int ranks_;
  int cores_;
  rank::WaitPolicy policy_;
  rank::Executor* executor_;
  machine::Core common_;
  const machine::KnownMemory* memory_ = nullptr;
  bool observe_ = false;
  std::vector<std::unique_ptr<Block>> blocks_;

  BlockWork work_;  // set while no block runs
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable done_;
  int running_ = 0;      // of the blocks on threads of their own
  bool ending_ = false;  // the threads are to return
  Failure failure_;
};

}  // namespace tileput::orchestration
