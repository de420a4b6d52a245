// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestration/rank_pool.hpp"
#include "orchestration/shared_store.hpp"
#include "orchestration/wait_table.hpp"
#include "tileput/worker.hpp"

namespace tileput {

/// The state of a Worker: its ranks, what they have loaded, and the run in progress.
struct Worker::Impl {
  using Block = orchestration::SharedStore::Block;

  /// A domain of the current run with where its windows lie.
  struct DomainRecord {
    Domain domain;
    std::vector<tileput::domain::HeapAddress> windows;
  };

  /// Host memory of a submission that travels through a block of the worker's heap: arguments that overlap lie in one.
  struct Staged {
    std::byte* begin;
    std::byte* end;
    Block block;
    std::byte* copy;  ///< of `begin`, in the block
  };

  /// Host memory that an argument names.
  struct Range {
    std::byte* begin;
    std::byte* end;
    bool written;
  };

  struct Submission {
    std::vector<int> members;
    std::vector<std::uint64_t> requests;  ///< one per member; 0 before it is sent and once it is answered
    std::vector<Staged> staged;
    std::vector<Range> ranges;
    SubmissionReport report;
    std::size_t answered = 0;
    /// The staged memory that a host address lies in; null: it is shared already.
    [[nodiscard]] const Staged* staged_at(const std::byte* host) const noexcept;
    [[nodiscard]] bool complete() const noexcept { return answered == members.size(); }
  };

  explicit Impl(const WorkerOptions& options);

  Callable load(const CallableSpec& spec);
  Block allocate_shared(std::uint64_t bytes);
  [[nodiscard]] std::byte* address_of(const Block& block) const noexcept { return store_.at(block.offset); }
  void release_shared(const Block& block);

  [[nodiscard]] int ranks() const noexcept { return pool_.size(); }
  [[nodiscard]] std::vector<RankInfo> rank_infos() const { return pool_.infos(); }

  [[nodiscard]] const CheckReport& last_check() const noexcept { return last_check_; }
  RunReport run(Worker& worker, const std::function<void(Orchestrator&)>& program);
  Domain allocate_domain(const DomainOptions& options);
  void submit_group(const Callable& callable, const std::vector<RankTask>& members, const TaskOptions& options);

 private:
  using Payload = std::function<base::Writer(std::size_t index)>;

  template <class Request>
  static base::Writer saved(const Request& request) {
    base::Writer out;
    request.save(out);
    return out;
  }
  static base::Writer saved(std::uint64_t value) {
    base::Writer out;
    out.put(value);
    return out;
  }

  /// Brings every rank up and starts the clock of the hard limit.
  void start_run();
  /// Ends a run: after a failure everything in progress is abandoned.
  void end_run();
  /// What talks to the ranks, between start_run() and end_run().
  template <class Work>
  void within_run(Work&& work);
  /// Remembers the first failure of the run, which every later wait of it throws again, and throws it.
  [[noreturn]] void fail(const Error& error);
  /// Receives answers, waiting a while for the first of them. The caller goes on when `awaited` ranks have answered.
  /// Throws the failure of this run: of the first submission that failed, of a rank that died, or kNoProgress, when one
  /// of `awaited` can never answer or the hard limit has passed.
  void pump(const std::vector<int>& awaited);
  /// Every kTickMs while the program waits: who is stuck, and what to tell about those that take long.
  void tick(const std::vector<int>& awaited, std::uint64_t now);
  std::uint64_t send(int rank, orchestration::RequestKind kind, const base::Writer& payload);
  std::vector<orchestration::Answer> call(const std::vector<int>& ranks, orchestration::RequestKind kind,
                                          const Payload& payload);
  void load_on(const std::vector<int>& ranks, const orchestration::LoadRequest& request);
  void complete(Submission& submission);
  bool complete_open();
  void wait_for_all();
  void wait_for_conflicts(const Submission& fresh);
  void release_domains();
  /// Ends everything the current run has in progress, and its ranks; the next run replaces them.
  void abandon_run();
  /// The wait table of all ranks that take part in the run.
  [[nodiscard]] std::string wait_lines() const;

  void check_members(const Callable& callable, const std::vector<RankTask>& members, const TaskOptions& options) const;
  [[nodiscard]] orchestration::RunRequest make_request(const RankTask& member, const Submission& submission) const;
  /// Names the host memory of a submission to the checked machine.
  void describe_tensors(const std::vector<RankTask>& members, const Submission& submission);
  /// Collects the host memory of all members and gives what is not shared already a block.
  void stage(const std::vector<RankTask>& members, Submission& submission);
  void unstage(Submission& submission);
  [[nodiscard]] orchestration::WireTensor wire_host(const TaskArgs::TensorArg& arg, const Submission& submission) const;
  orchestration::WireTensor wire_window(const TaskArgs::TensorArg& arg, int rank) const;
  Block take_staging(std::uint64_t bytes);
  /// Frees blocks that are kept for later submissions, down to `bytes_max`.
  void trim_staging(std::uint64_t bytes_max);
  /// What WorkerOptions::memory_limit_bytes leaves; nullopt: no limit.
  [[nodiscard]] std::optional<std::uint64_t> limit_left() const;
  /// Calls `allocate`, and once more without kept blocks where memory does not suffice.
  template <class Allocate>
  auto with_room(Allocate&& allocate) {
    try {
      return allocate();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kOutOfMemory || staging_.empty() || failure_) {
        throw;
      }
    }
    trim_staging(0);
    return allocate();
  }
  void require_running(const char* call) const;

  std::chrono::nanoseconds timeout_;
  std::chrono::nanoseconds wait_report_;
  std::optional<std::uint64_t> memory_limit_bytes_;
  std::map<std::uint64_t, orchestration::LoadRequest> callables_;

  std::uint64_t run_id_ = 0;
  std::uint64_t deadline_ns_ = 0;  ///< 0: none
  std::uint64_t next_tick_ns_ = 0;
  std::uint64_t next_report_ns_ = 0;  ///< 0: none
  std::uint64_t started_ns_ = 0;
  orchestration::StuckRanks stuck_ranks_;
  std::set<int> asked_;  ///< ranks that were sent something since the last tick; they may have acted and answered since
  bool running_ = false;
  std::optional<Error> failure_;  ///< of the current run
  CheckReport last_check_;
  std::map<std::uint64_t, DomainRecord> domains_;
  std::vector<Submission> submissions_;
  std::set<int> participants_;     ///< ranks with a task or a window in the current run
  std::vector<std::size_t> open_;  ///< indices of submissions that are not complete
  std::vector<Block> staging_;     ///< free blocks, kept for the next submission
  std::vector<Block> unclosed_;    ///< to be freed once the ranks can be told to close them
  orchestration::RankPool pool_;
  orchestration::SharedStore store_;
};

}  // namespace tileput
