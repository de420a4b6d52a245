// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/block_team.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "rank/crash.hpp"
#include "rank/placement.hpp"
#include "tileput/error.hpp"
#include "tileput/machine/known_memory.hpp"

namespace tileput::orchestration {

namespace {

bool is_aborted(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    return e.code() == ErrorCode::kAborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

BlockTeam::Block::Block(const BlockTeam& team, int index)
    : core(team.common_),
      waiting(team.control_, team.rank_, team.policy_, index, &team.failed_, team.executor_),
      known(core.heap_count + machine::kKnownExtra),
      counter(core, team.rank_, team.ranks_) {
  on_chip.attach(core);
  core.notify_log = &team.control_.blocks(team.rank_)[index].notifies;
  core.waiting = &waiting;
  core.block_index = index;
}

BlockTeam::BlockTeam(const rank::Control& control, int rank, int ranks, rank::WaitPolicy policy,
                     const machine::Core& core, rank::Executor* executor)
    : control_(control),
      rank_(rank),
      ranks_(ranks),
      cores_(static_cast<int>(rank::allowed_cores().size())),
      policy_(policy),
      executor_(executor),
      common_(core) {
  blocks_.push_back(std::make_unique<Block>(*this, 0));
  control_.blocks(rank_)[0].state.store(rank::BlockState::kRuns, std::memory_order_relaxed);  // nothing happened before
}

BlockTeam::~BlockTeam() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  for (const auto& block : blocks_) {
    block->go.notify_one();
    if (block->thread.joinable()) {
      block->thread.join();
    }
  }
}

void BlockTeam::attach_to(Block& block) {
  block.core.memory = memory_;
  block.core.known = memory_ != nullptr ? block.known.data() : nullptr;
  block.core.observer = observe_ ? &block.counter : nullptr;
  std::fill(block.known.begin(), block.known.end(), machine::KnownRange{});
}

void BlockTeam::attach(const machine::KnownMemory* memory, bool observe) {
  memory_ = memory;
  observe_ = observe;
  for (const auto& block : blocks_) {
    attach_to(*block);
  }
}

void BlockTeam::grow(int count) {
  blocks_.reserve(static_cast<std::size_t>(count));  // a block whose thread runs cannot be lost any more
  while (static_cast<int>(blocks_.size()) < count) {
    auto block = std::make_unique<Block>(*this, static_cast<int>(blocks_.size()));
    attach_to(*block);
    if (executor_ != nullptr) {
      blocks_.push_back(std::move(block));
      continue;
    }
    try {
      block->thread = std::thread([this, own = block.get()] { serve(*own); });
    } catch (const std::system_error& error) {
      throw Error(
          ErrorCode::kSystem,
          fmt::format("starting a thread for block {} of rank {} failed: {}", blocks_.size(), rank_, error.what()),
          "raise the limit of processes (ulimit -u)");
    }
    blocks_.push_back(std::move(block));
  }
}

void BlockTeam::start(int count, const BlockWork& work) {
  rank::RankSlot& slot = control_.slot(rank_);
  rank::BlockSlot* const slots = control_.blocks(rank_);
  work_ = work;
  // A bound rank has one core for all its blocks, others share the machine's.
  const rank::WaitPolicy policy = rank::WaitPolicy::of(ranks_ * count, cores_);
  // Blocks that run are known before any of them does something: pairs with the load in blocks_used().
  slot.more_blocks_max.store(std::max(slot.more_blocks_max.load(std::memory_order_relaxed), count - 1),
                             std::memory_order_release);
  slot.more_blocks.store(count - 1, std::memory_order_relaxed);  // for reports
  for (int i = 0; i < count; ++i) {
    Block& block = *blocks_[static_cast<std::size_t>(i)];
    block.core.block_count = count;
    block.waiting.use(policy);
    if (i > 0) {
      block.counter.begin_beside(counter());
      slots[i].state.store(rank::BlockState::kRuns, std::memory_order_seq_cst);
    }
  }
  executor_ != nullptr ? start_in_turn(count) : start_threads(count);
}

void BlockTeam::start_threads(int count) {
  const std::lock_guard lock(mutex_);
  running_ = count - 1;
  for (int i = 1; i < count; ++i) {
    blocks_[static_cast<std::size_t>(i)]->has_work = true;
    blocks_[static_cast<std::size_t>(i)]->go.notify_one();
  }
}

void BlockTeam::start_in_turn(int count) {
  running_ = count - 1;
  for (int i = 1; i < count; ++i) {
    executor_->spawn([this, block = blocks_[static_cast<std::size_t>(i)].get()] {
      machine::tileput_current_core = &block->core;
      execute(*block);
      machine::tileput_current_core = nullptr;
      end_block(*block);
    });
  }
}

void BlockTeam::await_others() {
  if (executor_ != nullptr) {
    executor_->wait_until([this] { return running_ == 0; });
    return;
  }
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
}

BlockTeam::Failure BlockTeam::run(int count, const BlockWork& work) {
  grow(count);
  const std::size_t first_phase = counter().open_phase();
  start(count, work);
  execute(*blocks_.front());

  // Off while this thread only waits for the others: see BlockState and StuckRanks.
  std::atomic<rank::BlockState>& own = control_.blocks(rank_)[0].state;
  own.exchange(rank::BlockState::kOff, std::memory_order_seq_cst);
  await_others();
  own.store(rank::BlockState::kRuns, std::memory_order_seq_cst);

  control_.slot(rank_).more_blocks.store(0, std::memory_order_relaxed);
  blocks_.front()->core.block_count = 1;
  blocks_.front()->waiting.use(policy_);
  if (failed_.load(std::memory_order_relaxed)) {  // all blocks have ended; the mutex ordered them before this
    failed_.store(false, std::memory_order_relaxed);
    return std::exchange(failure_, {});
  }
  if (observe_) {
    merge_counts(count, first_phase);
  }
  return {};
}

void BlockTeam::serve(Block& block) {
  machine::tileput_current_core = &block.core;
  const rank::CrashStack stack;
  std::unique_lock lock(mutex_);
  for (;;) {
    block.go.wait(lock, [&] { return block.has_work || ending_; });
    if (!block.has_work) {
      return;
    }
    block.has_work = false;
    lock.unlock();
    execute(block);
    end_block(block);
    lock.lock();
  }
}

void BlockTeam::end_block(const Block& block) {
  // What this block stored is visible to who sees it off.
  control_.blocks(rank_)[block.core.block_index].state.exchange(rank::BlockState::kOff, std::memory_order_seq_cst);
  const std::lock_guard lock(mutex_);
  if (--running_ == 0) {
    done_.notify_one();
  }
}

void BlockTeam::execute(const Block& block) noexcept {
  try {
    work_.run(work_.context, block.core.block_index);
  } catch (...) {
    fail(block.core.block_index, std::current_exception());
  }
}

void BlockTeam::fail(int block, std::exception_ptr error) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_.error || (is_aborted(failure_.error) && !is_aborted(error))) {
      failure_ = {block, std::move(error)};
    }
  }
  failed_.store(true, std::memory_order_seq_cst);  // before the ring; pairs with the load in Waiting::throw_if_aborted
  rank::ring(control_.doorbells()[rank_]);
}

void BlockTeam::merge_counts(int count, std::size_t first_phase) {
  for (int i = 1; i < count; ++i) {
    machine::PhaseCounter& other = blocks_[static_cast<std::size_t>(i)]->counter;
    other.end_call();
    counter().merge(other, first_phase);
  }
}

}  // namespace tileput::orchestration
