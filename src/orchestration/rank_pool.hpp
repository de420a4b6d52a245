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
#include <string>
#include <thread>
#include <vector>

#include "base/archive.hpp"
#include "domain/heaps.hpp"
#include "orchestration/protocol.hpp"
#include "rank/channel.hpp"
#include "rank/control.hpp"
#include "rank/process.hpp"
#include "tileput/worker.hpp"

namespace tileput::orchestration {

/// What a rank answered to one request.
struct Answer {
  std::optional<Error> error;
  std::vector<std::byte> payload;
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

  /// Starts every rank that is not there; `started` is called for each, to bring it up to date.
  void start_missing(const std::function<void(int rank)>& started);

  /// Sends a request and returns its id; the answer arrives through progress(). A rank that is gone answers kRankDied.
  /// nullopt: the rank has so many requests before it that its channel is full.
  std::optional<std::uint64_t> send(int rank, RequestKind kind, const base::Writer& payload);
  /// Sends what nobody answers; false: the channel stayed full. A rank that is gone need not know.
  bool tell(int rank, RequestKind kind, const base::Writer& payload);
  /// Takes the answer to a request, if it is there.
  std::optional<Answer> take(std::uint64_t id);
  /// Receives what ranks have sent, waiting at most `timeout_ms` (-1: without end) for the first of it.
  void progress(int timeout_ms);
  /// The ranks that have not answered everything yet.
  [[nodiscard]] std::set<int> owing() const;
  /// Drops answers that nobody will take.
  void forget_answers() noexcept { answers_.clear(); }
  /// Ends a rank for good and clears its memory. After it nothing of that rank can write anywhere any more.
  void retire(int rank);

 private:
  struct Member {
    rank::Channel channel;
    rank::Process process;
    std::thread thread;
    std::optional<int> core;
    int device = 0;
    std::set<std::uint64_t> open_requests;
  };

  void start(int rank);
  /// The channel of a rank has closed: says so in answer to everything it still owed.
  void lost(int rank);
  /// Forgets what a rank that is gone left in the job's memory.
  void clear(int rank);
  void receive_from(int rank);
  rank::Channel::Sent post(Member& member, RequestHeader header, const base::Writer& payload);
  [[nodiscard]] bool is_process() const noexcept { return ranks_as_ == RanksAs::kProcess; }

  RanksAs ranks_as_;
  std::filesystem::path helper_;
  rank::WaitPolicy wait_policy_;
  base::UniqueFd control_fd_;
  std::unique_ptr<rank::Control> control_;
  std::unique_ptr<domain::Heaps> heaps_;
  std::vector<Member> ranks_;
  std::map<std::uint64_t, Answer> answers_;
  std::uint64_t last_id_ = 0;
};

}  // namespace tileput::orchestration
