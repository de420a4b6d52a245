// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestration/rank_pool.hpp"
#include "orchestration/shared_store.hpp"
#include "orchestration/task_graph.hpp"
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
    std::size_t users = 0;  ///< tasks that name it and are not complete
    bool released = false;
  };

  /// A domain that is being given back: all ranks detach, and only when nobody can reach a window any more its memory
  /// is freed.
  struct Closing {
    std::uint64_t domain = 0;
    orchestration::RequestKind step = orchestration::RequestKind::kDetach;
    std::vector<int> unasked;             ///< ranks that this step was not sent to yet
    std::vector<std::uint64_t> requests;  ///< of this step, not answered yet
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
    std::size_t member;
    std::byte* begin;
    std::byte* end;
    bool written;
  };

  /// A group of tasks, from its submission to the end of the run. Once it is complete only `done` and `report` are
  /// left.
  struct Group {
    std::vector<int> members;
    std::vector<std::set<std::uint64_t>> domains;  ///< that each member names
    std::vector<base::Writer> payloads;            ///< of the requests, until they are sent
    std::vector<std::size_t> unsent;               ///< members, after the start
    std::vector<std::uint64_t> requests;           ///< one per member; 0 before it is sent and once it is answered
    orchestration::CheckedPlatform::Order before;  ///< on the checked machine: what was complete at its submission
    std::vector<orchestration::CheckedPlatform::Order> done;  ///< ... and each member's own end
    std::vector<Staged> staged;
    std::vector<Range> ranges;
    SubmissionReport report;
    /// The staged memory that a host address lies in; null: it is shared already.
    [[nodiscard]] const Staged* staged_at(const std::byte* host) const noexcept;
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
  void release_domain(std::uint64_t id);
  Submission submit_group(const Callable& callable, const std::vector<RankTask>& members, const TaskOptions& options);

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
  /// Receives answers, waiting a while for the first of them. The caller goes on when `awaited` ranks have answered,
  /// or, where it names none, when anybody has done enough. Throws the failure of this run: of the first submission
  /// that failed, of a rank that died, or kNoProgress, when one of `awaited` can never answer (none named: nobody can)
  /// or the hard limit has passed.
  void pump(const std::vector<int>& awaited);
  /// For StuckRanks, since the last call.
  orchestration::StuckRanks::Work work_of_ranks();
  /// Every kTickMs while the program waits: who is stuck, and what to tell about those that take long.
  void tick(const std::vector<int>& awaited, std::uint64_t now);
  std::uint64_t send(int rank, orchestration::RequestKind kind, const base::Writer& payload);
  std::vector<orchestration::Answer> call(const std::vector<int>& ranks, orchestration::RequestKind kind,
                                          const Payload& payload);
  void load_on(const std::vector<int>& ranks, const orchestration::LoadRequest& request);
  /// Takes what was answered, and starts and closes what can be. False: nothing has happened.
  bool go_on();
  /// The same with what has arrived meanwhile. On the checked machine ranks only run while somebody waits for them.
  void go_on_with_arrived();
  bool take_answers(std::size_t index);
  void note_return(Group& group, std::size_t member, const orchestration::Answer& answer);
  void note_completion(std::size_t index, std::size_t member);
  bool start_ready();
  /// Sends the tasks of groups that have started, as far as channels have room.
  bool send_started();
  /// Tells the checked machine what a task comes after that was sent.
  void note_sent(std::size_t index, int rank);
  bool go_on_closing();
  void wait_for_all();
  void close(std::uint64_t domain);
  /// Waits until a domain that was released is closed; false: there is none.
  bool await_released();
  void release_domains();
  [[nodiscard]] std::string waiting_lines() const;
  /// Ends everything the current run has in progress, and its ranks; the next run replaces them.
  void abandon_run();
  /// The wait table of all ranks that take part in the run.
  [[nodiscard]] std::string wait_lines() const;

  void check_members(const Callable& callable, const std::vector<RankTask>& members, const TaskOptions& options) const;
  void check_after(const TaskOptions& options) const;
  [[nodiscard]] orchestration::RunRequest make_request(const RankTask& member, const Group& group) const;
  /// What a group accesses, for the graph.
  [[nodiscard]] static std::vector<orchestration::TaskGraph::Task> accesses_of(const std::vector<RankTask>& members,
                                                                               const Group& group);
  /// Names the host memory of a submission to the checked machine.
  void describe_tensors(const std::vector<RankTask>& members, const Group& group);
  /// Collects the host memory of all members and gives what is not shared already a block.
  void stage(const std::vector<RankTask>& members, Group& group);
  /// The same; false, and nothing staged: there is memory only when a group that is open is complete.
  bool try_stage(const std::vector<RankTask>& members, Group& fresh);
  void unstage(Group& group);
  /// Tells the checked machine that what it was told about this memory is over.
  void give_back_checked(const std::byte* memory);
  [[nodiscard]] orchestration::WireTensor wire_host(const TaskArgs::TensorArg& arg, const Group& group) const;
  orchestration::WireTensor wire_window(const TaskArgs::TensorArg& arg, int rank) const;
  /// Ranks that execute nothing and that nothing starts on, as long as it lives.
  class Held;
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
  std::uint64_t run_number_ = 0;   ///< among all runs of the process
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
  std::vector<Group> groups_;  ///< in the order of submission
  orchestration::TaskGraph graph_;
  std::vector<std::size_t> sending_;         ///< groups that have started and are not sent to all their ranks yet
  std::vector<std::size_t> running_groups_;  ///< that have started and are not complete
  std::vector<Closing> closing_;
  std::set<int> participants_;   ///< ranks with a task or a window in the current run
  std::vector<Block> staging_;   ///< free blocks, kept for the next submission
  std::vector<Block> unclosed_;  ///< to be freed once the ranks can be told to close them
  orchestration::RankPool pool_;
  orchestration::SharedStore store_;
};

}  // namespace tileput
