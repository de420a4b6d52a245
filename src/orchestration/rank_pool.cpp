// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/rank_pool.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <set>
#include <utility>

#include "base/system.hpp"
#include "orchestration/rank_runtime.hpp"
#include "rank/placement.hpp"

namespace tileput::orchestration {

namespace {

constexpr int kExitGraceMs = 2000;
constexpr int kTellAttempts = 100;  // of a millisecond

void check_options(const WorkerOptions& options) {
  if (options.ranks < 1 || options.ranks > kRanksMax) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{} ranks", options.ranks),
                fmt::format("a worker has 1 to {} ranks", kRanksMax));
  }
  if (!options.devices.empty()) {
    const std::set<int> distinct(options.devices.begin(), options.devices.end());
    if (options.devices.size() != static_cast<std::size_t>(options.ranks) ||
        distinct.size() != options.devices.size() || *distinct.begin() < 0) {
      throw Error(ErrorCode::kBadArgument,
                  fmt::format("{} device ids ({} distinct) for {} ranks", options.devices.size(), distinct.size(),
                              options.ranks),
                  "give each rank one id of its own, 0 or more");
    }
  }
  if (options.heap_bytes && *options.heap_bytes < (1U << 16U)) {
    throw Error(ErrorCode::kBadArgument, fmt::format("heap_bytes of {}", *options.heap_bytes), "use at least 64 KiB");
  }
}

}  // namespace

RankPool::RankPool(const WorkerOptions& options) : ranks_as_(options.ranks_as) {
  check_options(options);
  if (is_process()) {
    helper_ = rank::find_helper();
  }
  const int heaps = options.ranks + 1;
  const std::uint64_t stride =
      options.heap_bytes ? std::bit_ceil(*options.heap_bytes) : domain::Heaps::default_stride_bytes(heaps);
  control_fd_ = rank::Control::create(options.ranks);
  control_ = std::make_unique<rank::Control>(control_fd_.get(), options.ranks);
  std::vector<base::UniqueFd> fds;
  fds.reserve(static_cast<std::size_t>(heaps));
  for (int heap = 0; heap < heaps; ++heap) {
    fds.push_back(domain::Heaps::create(stride));
  }
  heaps_ = std::make_unique<domain::Heaps>(std::move(fds), stride);

  const std::vector<int> allowed = rank::allowed_cores();
  wait_policy_ = rank::WaitPolicy::of(options.ranks, static_cast<int>(allowed.size()));
  const bool bind = options.binding == Binding::kCores && is_process();
  const std::vector<int> cores = bind ? rank::spread(options.ranks) : std::vector<int>();
  ranks_.resize(static_cast<std::size_t>(options.ranks));
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    ranks_[i].device = options.devices.empty() ? static_cast<int>(i) : options.devices[i];
    if (i < cores.size()) {
      ranks_[i].core = cores[i];
    }
  }
  start_missing([](int) {});
}

RankPool::~RankPool() {
  base::Writer exit;
  exit.put(RequestHeader{0, RequestKind::kExit});
  for (Member& member : ranks_) {
    if (member.channel) {
      member.channel.send(exit.bytes(), {}, false);
    }
  }
  for (Member& member : ranks_) {
    if (member.process && member.process.wait_for(kExitGraceMs)) {
      member.process.wait();
    }
    member.channel.close();
    if (member.thread.joinable()) {
      member.thread.join();
    }
  }  // a process that still runs is killed by ~Process
}

std::vector<RankInfo> RankPool::infos() const {
  std::vector<RankInfo> infos;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const Member& member = ranks_[i];
    infos.push_back({static_cast<int>(i), member.device, is_process() ? member.process.pid() : getpid(), member.core});
  }
  return infos;
}

void RankPool::start_missing(const std::function<void(int rank)>& started) {
  std::vector<int> fresh;
  try {
    for (int rank = 0; rank < size(); ++rank) {
      if (!ranks_[static_cast<std::size_t>(rank)].channel) {
        start(rank);
        fresh.push_back(rank);
      }
    }
    for (const int rank : fresh) {
      started(rank);
    }
  } catch (...) {
    for (const int rank : fresh) {  // all up to date, or not there
      retire(rank);
    }
    throw;
  }
}

void RankPool::start(int rank) {
  Member& member = ranks_[static_cast<std::size_t>(rank)];
  auto [worker_end, rank_end] = rank::Channel::create_pair();
  const Hello hello{rank, size(), member.core.value_or(-1), heaps_->stride_bytes(), wait_policy_};
  if (is_process()) {
    member.process =
        rank::Process(helper_, rank_end.fd(), {fmt::format("rank {} of {} of worker {}", rank, size(), getpid())});
    base::Writer message;
    message.put(RequestHeader{0, RequestKind::kHello}).put(hello);
    std::vector<int> fds{control_fd_.get()};
    for (int heap = 0; heap < heaps_->count(); ++heap) {
      fds.push_back(heaps_->fd(heap));
    }
    worker_end.send(message.bytes(), fds);  // a rank that is gone already is noticed by the first request
  } else {
    member.thread = std::thread([this, hello, channel = std::move(rank_end)]() mutable {
      RankRuntime(std::move(channel), *control_, *heaps_, hello, true).serve();
    });
  }
  member.channel = std::move(worker_end);
}

rank::Channel::Sent RankPool::post(Member& member, RequestHeader header, const base::Writer& payload) {
  if (!member.channel) {
    return rank::Channel::Sent::kClosed;
  }
  base::Writer message;
  message.put(header);
  message.append(payload);
  return member.channel.send(message.bytes(), {}, false);
}

std::optional<std::uint64_t> RankPool::send(int rank, RequestKind kind, const base::Writer& payload) {
  Member& member = ranks_[static_cast<std::size_t>(rank)];
  const std::uint64_t id = last_id_ + 1;
  const rank::Channel::Sent sent = post(member, {id, kind}, payload);
  if (sent == rank::Channel::Sent::kWouldBlock) {
    return std::nullopt;
  }
  last_id_ = id;
  member.open_requests.insert(id);
  if (sent == rank::Channel::Sent::kClosed) {
    lost(rank);
  }
  return id;
}

bool RankPool::tell(int rank, RequestKind kind, const base::Writer& payload) {
  for (int attempt = 0; attempt < kTellAttempts; ++attempt) {
    if (post(ranks_[static_cast<std::size_t>(rank)], {0, kind}, payload) != rank::Channel::Sent::kWouldBlock) {
      return true;
    }
    progress(1);
  }
  return false;
}

std::set<int> RankPool::owing() const {
  std::set<int> owing;
  for (int rank = 0; rank < size(); ++rank) {
    if (!ranks_[static_cast<std::size_t>(rank)].open_requests.empty()) {
      owing.insert(rank);
    }
  }
  return owing;
}

std::optional<Answer> RankPool::take(std::uint64_t id) {
  const auto found = answers_.find(id);
  if (found == answers_.end()) {
    return std::nullopt;
  }
  Answer answer = std::move(found->second);
  answers_.erase(found);
  return answer;
}

void RankPool::progress(int timeout_ms) {
  std::vector<pollfd> entries;
  std::vector<int> owners;
  for (int rank = 0; rank < size(); ++rank) {
    if (const rank::Channel& channel = ranks_[static_cast<std::size_t>(rank)].channel; channel) {
      entries.push_back({channel.fd(), POLLIN, 0});
      owners.push_back(rank);
    }
  }
  const int ready = poll(entries.data(), entries.size(), timeout_ms);
  if (ready < 0 && errno != EINTR) {
    base::throw_errno("poll", "");
  }
  for (std::size_t i = 0; ready > 0 && i < entries.size(); ++i) {
    if (entries[i].revents != 0) {
      receive_from(owners[i]);
    }
  }
}

void RankPool::receive_from(int rank) {
  Member& member = ranks_[static_cast<std::size_t>(rank)];
  for (;;) {
    bool would_block = false;
    const std::optional<rank::Message> message = member.channel.receive(false, &would_block);
    if (!message) {
      if (!would_block) {
        lost(rank);
      }
      return;
    }
    base::Reader in(message->bytes);
    const auto header = in.take<AnswerHeader>();
    Answer answer;
    if (header.failed != 0) {
      answer.error = load_error(in);
    } else {
      answer.payload.assign(message->bytes.begin() + sizeof(AnswerHeader), message->bytes.end());
    }
    member.open_requests.erase(header.id);
    answers_.emplace(header.id, std::move(answer));
  }
}

void RankPool::lost(int rank) {
  Member& member = ranks_[static_cast<std::size_t>(rank)];
  std::string how = "ended its thread";
  if (member.process) {
    const std::int64_t pid = member.process.pid();
    // The channel closes a moment before the process can be reaped; one that closed it and lives on is ended.
    if (!member.process.wait_for(kExitGraceMs)) {
      member.process.kill();
    }
    how = fmt::format("(process {}) {}", pid, member.process.wait());
  }
  member.channel.close();
  for (const std::uint64_t id : member.open_requests) {
    answers_.emplace(id, Answer{Error(ErrorCode::kRankDied, fmt::format("rank {} {}", rank, how),
                                      "its own messages on stderr may say why"),
                                {}});
  }
  member.open_requests.clear();
  if (member.thread.joinable()) {
    member.thread.join();
  }
  clear(rank);
}

void RankPool::retire(int rank) {
  Member& member = ranks_[static_cast<std::size_t>(rank)];
  if (member.process) {
    member.process.kill();
    member.process.wait();
  }
  member.channel.close();  // a thread leaves serve() at its next receive
  if (member.thread.joinable()) {
    member.thread.join();
  }
  member.open_requests.clear();
  clear(rank);
}

void RankPool::clear(int rank) {
  control_->reset(rank);
  heaps_->discard({rank, 0}, heaps_->stride_bytes());
}

}  // namespace tileput::orchestration
