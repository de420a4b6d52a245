// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/archive.hpp"
#include "domain/heaps.hpp"
#include "orchestration/checked_platform.hpp"
#include "orchestration/job_description.hpp"
#include "orchestration/protocol.hpp"
#include "orchestration/rank_runtime.hpp"
#include "rank/channel.hpp"
#include "rank/control.hpp"
#include "rank/process.hpp"
#include "tileput/worker.hpp"

namespace tileput::orchestration {

/// What a rank answered to one request.
struct Answer {
  std::optional<Error> error;
  std::vector<std::byte> payload;
  bool is_deferred = false;  ///< completion_of() its id is answered later
};

/// The ranks of one worker and the memory of the job: starts them, talks to them, notices their end, replaces them.
/// One thread at a time.
class RankPool {
 public:
  explicit RankPool(const WorkerOptions& options);
  ~RankPool();
  RankPool(const RankPool&) = delete;
  RankPool& operator=(const RankPool&) = delete;

  [[nodiscard]] int size() const noexcept { return static_cast<int>(ranks_.size()); }
  [[nodiscard]] domain::Heaps& heaps() noexcept { return *heaps_; }
  [[nodiscard]] const rank::Control& control() const noexcept { return *control_; }
  [[nodiscard]] std::vector<RankInfo> infos() const;
  /// The job as reports show it; publish() after a change.
  [[nodiscard]] JobDescription& job() noexcept { return job_; }
  [[nodiscard]] const JobDescription& job() const noexcept { return job_; }
  void publish() { board_.publish(job_); }

  /// With Platform::kCheck a new machine, at the start of each run().
  void begin_checked_run();
  /// Null with Platform::kCpu.
  [[nodiscard]] CheckedPlatform* checked() noexcept { return checked_.get(); }

  /// Starts every rank that is not there; `started` is called for each, to bring it up to date. On an error those that
  /// were started are ended again. `deadline_ns` (0: none) ends the waiting for them with kNoProgress.
  void start_missing(const std::function<void(int rank)>& started, std::uint64_t deadline_ns);

  /// Sends a request and returns its id; the answer arrives through progress(). A rank that is gone answers kRankDied.
  /// nullopt: not sent, because the rank has so many requests before it that its channel is full.
  std::optional<std::uint64_t> send(int rank, RequestKind kind, const base::Writer& payload,
                                    std::span<const int> fds = {});
  /// Sends what nobody answers; false: not sent. A rank that is gone need not know.
  bool tell(int rank, RequestKind kind, const base::Writer& payload) noexcept;
  /// Takes the answer to a request, if it is there.
  std::optional<Answer> take(std::uint64_t id);
  /// Receives what ranks have sent, waiting at most `timeout_ms` for the first of it.
  void progress(int timeout_ms);
  /// The ranks that have not answered everything yet.
  [[nodiscard]] std::set<int> owing() const;
  /// Whether a task of the rank has returned and is not complete.
  [[nodiscard]] bool defers(int rank) const;
  /// How a rank died that was not asked to; nullopt: it is there.
  [[nodiscard]] std::optional<Error> death(int rank) const;
  /// Ends ranks for good, then clears their memory, and drops all answers. After it nothing of those ranks can write
  /// anywhere any more.
  void retire(const std::set<int>& ranks);

 private:
  struct Member {
    rank::Channel channel;
    rank::Process process;
    std::thread thread;
    std::unique_ptr<RankRuntime> runtime;  ///< on the checked machine
    std::optional<int> core;
    int device = 0;
    std::set<std::uint64_t> open_requests;
    std::string end;  ///< how it ended without being asked to; empty: it did not
  };

  [[nodiscard]] bool is_there(int rank) const noexcept {
    return static_cast<bool>(ranks_[static_cast<std::size_t>(rank)].channel);
  }
  void start(int rank);
  void start_thread(int rank, rank::Channel channel);
  /// Lets a rank on the checked machine serve.
  void serve_checked(int rank);
  void restart_checked(bool is_next_run);
  void progress_checked();
  [[nodiscard]] Hello hello_of(int rank) const;
  std::uint64_t greet(int rank, std::uint64_t deadline_ns);
  Answer await(std::uint64_t id, std::uint64_t deadline_ns);
  void check_deadline(std::uint64_t deadline_ns) const;
  std::string end_of_process(int rank);
  /// The channel of a rank has closed: says so in answer to everything it still owed.
  void lost(int rank);
  /// Forgets what a rank that is gone left in the job's memory. Only when no peer of its last run writes any more.
  void clear(int rank);
  /// For rank::kLookNs at most; whether something has arrived.
  bool look_for_answers();
  /// Waits for the sockets; whether something has arrived there, or somebody is gone.
  bool receive_packets(int timeout_ms);
  /// Receives one message, or that the rank is gone; false: there is nothing.
  bool receive_from(int rank);
  static rank::Channel::Sent post(Member& member, RequestHeader header, const base::Writer& payload,
                                  std::span<const int> fds);
  [[nodiscard]] bool is_process() const noexcept { return ranks_as_ == RanksAs::kProcess; }

  RanksAs ranks_as_;
  bool verbose_;
  std::optional<int> debug_rank_;
  std::filesystem::path helper_;
  rank::WaitPolicy wait_policy_;
  std::string number_;  ///< tells the workers of one process apart in /proc
  JobBoard board_;
  JobDescription job_;
  base::UniqueFd control_fd_;
  std::unique_ptr<rank::Control> control_;
  std::unique_ptr<domain::Heaps> heaps_;
  std::vector<Member> ranks_;
  std::unique_ptr<CheckedPlatform> checked_;  ///< ended before the ranks, which run on it
  std::map<std::uint64_t, Answer> answers_;
  std::uint64_t last_id_ = 0;
  std::uint64_t next_poll_ns_ = 0;
};

}  // namespace tileput::orchestration
