// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestration/rank_pool.hpp"
#include "orchestration/shared_store.hpp"
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

  /// Host memory of a submission that travels through a block of the worker's heap.
  struct Staged {
    const std::byte* host;
    std::uint64_t bytes;
    Block block;
    bool copy_in = false;
    bool copy_back = false;
  };

  /// Host memory that a submission names, for the order between submissions.
  struct Range {
    const std::byte* begin;
    const std::byte* end;
    bool written;
  };

  struct Submission {
    std::vector<int> members;
    std::vector<std::uint64_t> requests;  ///< one per member; 0 once answered
    std::vector<Staged> staged;
    std::vector<Range> ranges;
    SubmissionReport report;
    std::size_t answered = 0;
    [[nodiscard]] bool complete() const noexcept { return answered == members.size(); }
  };

  explicit Impl(const WorkerOptions& options);

  Callable load(const CallableSpec& spec);
  Block allocate_shared(std::uint64_t bytes) { return store_.allocate(bytes); }
  [[nodiscard]] std::byte* address_of(const Block& block) const noexcept { return store_.at(block.offset); }
  void release_shared(const Block& block) noexcept;

  [[nodiscard]] int ranks() const noexcept { return pool_.size(); }
  [[nodiscard]] std::vector<RankInfo> rank_infos() const { return pool_.infos(); }

  RunReport run(Worker& worker, const std::function<void(Orchestrator&)>& program);
  Domain allocate_domain(const DomainOptions& options);
  void submit_group(const Callable& callable, const std::vector<RankTask>& members, const TaskOptions& options);

 private:
  using Payload = std::function<base::Writer(std::size_t index)>;

  /// Brings every rank up and starts the clock of the hard limit.
  void start_run();
  /// Ends a run: after a failure everything in progress is abandoned.
  void end_run();
  /// What talks to the ranks, between start_run() and end_run().
  template <class Work>
  void within_run(Work&& work);
  /// Remembers the first failure of the run, which every later wait of it throws again, and throws it.
  [[noreturn]] void fail(const Error& error);
  /// Receives answers, waiting at most `timeout_ms` (-1: without end) for the first of them. Throws the failure of
  /// this run: of the first submission that failed, of a rank that died, or kNoProgress at the hard limit.
  void pump(int timeout_ms = -1);
  std::uint64_t send(int rank, orchestration::RequestKind kind, const base::Writer& payload);
  std::vector<orchestration::Answer> call(const std::vector<int>& ranks, orchestration::RequestKind kind,
                                          const Payload& payload);
  void load_on(const std::vector<int>& ranks, const orchestration::LoadRequest& request);
  void complete(Submission& submission);
  void wait_for_all();
  void wait_for_conflicts(const Submission& fresh);
  void release_domains();
  /// Ends everything the current run has in progress, and its ranks; the next run replaces them.
  void abandon_run();
  [[nodiscard]] std::string wait_table() const;
  [[nodiscard]] std::string describe_wait(int rank) const;

  void check_members(const Callable& callable, const std::vector<RankTask>& members, const TaskOptions& options) const;
  orchestration::RunRequest make_request(const RankTask& member, Submission& submission);
  orchestration::WireTensor wire_host(const TaskArgs::TensorArg& arg, Submission& submission);
  orchestration::WireTensor wire_window(const TaskArgs::TensorArg& arg, int rank) const;
  Block take_staging(std::uint64_t bytes);
  void trim_staging();

  std::chrono::nanoseconds timeout_;
  std::optional<std::uint64_t> memory_limit_bytes_;
  std::map<std::uint64_t, orchestration::LoadRequest> callables_;

  std::uint64_t run_id_ = 0;
  std::uint64_t last_domain_ = 0;
  std::uint64_t deadline_ns_ = 0;  ///< 0: none
  bool running_ = false;
  std::optional<Error> failure_;  ///< of the current run
  std::map<std::uint64_t, DomainRecord> domains_;
  std::vector<Submission> submissions_;
  std::vector<Block> staging_;  ///< free blocks, kept for the next submission
  orchestration::RankPool pool_;
  orchestration::SharedStore store_;
};

}  // namespace tileput
