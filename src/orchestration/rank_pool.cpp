// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/rank_pool.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sched.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <deque>
#include <set>
#include <system_error>
#include <utility>

#include "base/system.hpp"
#include "orchestration/rank_runtime.hpp"
#include "orchestration/wait_table.hpp"
#include "rank/placement.hpp"

namespace tileput::orchestration {

namespace {

constexpr int kExitGraceMs = 2000;
constexpr int kTickMs = 100;
/// How often the sockets are looked at while messages keep arriving in memory: those of ranks that died are readable.
constexpr std::uint64_t kPollNs = 1'000'000;
// Greetings carry all descriptors of the job, and the system bounds how many of a user are under way.
constexpr std::size_t kGreetingsMax = 4;

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
  if (options.debug_rank && (*options.debug_rank < 0 || *options.debug_rank >= options.ranks)) {
    throw Error(ErrorCode::kBadArgument, fmt::format("debug_rank {} of {} ranks", *options.debug_rank, options.ranks),
                "name a rank of the worker");
  }
  if (options.heap_bytes && (*options.heap_bytes < (1U << 16U) || *options.heap_bytes > (std::uint64_t{1} << 46U))) {
    throw Error(ErrorCode::kBadArgument, fmt::format("heap_bytes of {}", *options.heap_bytes), "use 64 KiB to 64 TiB");
  }
}

}  // namespace

RankPool::RankPool(const WorkerOptions& options)
    : ranks_as_((check_options(options), options.platform == Platform::kCheck ? RanksAs::kThread : options.ranks_as)),
      verbose_(options.verbose),
      debug_rank_(options.debug_rank),
      number_(fmt::to_string(base::next_number<RankPool>())),
      board_(("tileput-job." + number_).c_str()) {
  if (is_process()) {
    helper_ = rank::find_helper();
  }
  const int heaps = options.ranks + 1;
  const std::uint64_t stride =
      options.heap_bytes ? std::bit_ceil(*options.heap_bytes) : domain::Heaps::default_stride_bytes(heaps);
  control_fd_ = rank::Control::create(options.ranks, ("tileput-control." + number_).c_str());
  control_ = std::make_unique<rank::Control>(control_fd_.get(), options.ranks);
  std::vector<base::UniqueFd> fds;
  fds.reserve(static_cast<std::size_t>(heaps));
  for (int heap = 0; heap < heaps; ++heap) {
    fds.push_back(domain::Heaps::create(stride));
  }
  heaps_ = std::make_unique<domain::Heaps>(std::move(fds), stride);
  job_.heap_shift = heaps_->shift();
  job_.ranks.resize(static_cast<std::size_t>(options.ranks));

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
  if (options.platform == Platform::kCheck) {
    checked_ = std::make_unique<CheckedPlatform>(options.check);
  }
  start_missing([](int) {}, base::deadline_ns(options.timeout));
}

RankPool::~RankPool() {
  if (checked_ != nullptr) {
    checked_->stop();
    return;
  }
  for (int rank = 0; rank < size(); ++rank) {
    if (!tell(rank, RequestKind::kExit, {})) {
      ranks_[static_cast<std::size_t>(rank)].channel.close();  // says the same
    }
  }
  const std::uint64_t deadline = base::now_ns() + std::uint64_t{kExitGraceMs} * 1'000'000;
  for (Member& member : ranks_) {
    const std::uint64_t now = base::now_ns();
    if (member.process &&
        member.process.wait_for(now < deadline ? static_cast<int>((deadline - now) / 1'000'000) : 0)) {
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

void RankPool::start_missing(const std::function<void(int rank)>& started, std::uint64_t deadline_ns) {
  if (checked_ == nullptr) {
    receive_packets(0);  // who died meanwhile
  }
  std::vector<int> fresh;
  for (int rank = 0; rank < size(); ++rank) {
    if (!is_there(rank)) {
      fresh.push_back(rank);
    }
  }
  if (fresh.empty()) {
    return;
  }
  try {
    for (const int rank : fresh) {
      clear(rank);
      start(rank);
    }
    std::deque<std::uint64_t> greeted;
    const auto await_first = [&] {
      const Answer answer = await(greeted.front(), deadline_ns);
      greeted.pop_front();
      if (answer.error) {
        throw Error(*answer.error);
      }
    };
    for (const int rank : fresh) {
      if (greeted.size() == kGreetingsMax) {
        await_first();
      }
      greeted.push_back(greet(rank, deadline_ns));
    }
    while (!greeted.empty()) {
      await_first();
    }
    for (const int rank : fresh) {
      started(rank);
    }
    publish();
  } catch (...) {
    retire({fresh.begin(), fresh.end()});  // all up to date, or not there
    throw;
  }
}

void RankPool::begin_checked_run() {
  if (checked_ == nullptr) {
    return;
  }
  restart_checked(true);
}

void RankPool::restart_checked(bool is_next_run) {
  checked_->restart(is_next_run);
  for (int rank = 0; rank < size(); ++rank) {
    if (is_there(rank)) {
      serve_checked(rank);
    }
  }
}

void RankPool::serve_checked(int rank) {
  checked_->spawn([rank, runtime = ranks_[static_cast<std::size_t>(rank)].runtime.get()] {
    try {
      runtime->serve();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "tileput: rank %d ended: %s\n", rank, error.what());
    }
    runtime->leave();
  });
}

void RankPool::start(int rank) {
  Member& member = ranks_[static_cast<std::size_t>(rank)];
  auto [worker_end, rank_end] = checked_ != nullptr ? rank::Channel::create_local_pair() : rank::Channel::create_pair();
  if (checked_ != nullptr) {
    member.runtime =
        std::make_unique<RankRuntime>(std::move(rank_end), *control_, *heaps_, hello_of(rank), true, checked_.get());
    serve_checked(rank);
  } else {
    worker_end.use(control_->mailboxes(rank).to_worker, control_->mailboxes(rank).to_rank);
    if (is_process()) {
      member.process =
          rank::Process(helper_, rank_end.fd(), {fmt::format("rank {} of {} of worker {}", rank, size(), getpid())});
    } else {
      start_thread(rank, std::move(rank_end));
    }
  }
  member.channel = std::move(worker_end);
  member.end.clear();
  job_.ranks[static_cast<std::size_t>(rank)].process_id = is_process() ? member.process.pid() : getpid();
}

void RankPool::start_thread(int rank, rank::Channel channel) {
  try {
    ranks_[static_cast<std::size_t>(rank)].thread =
        std::thread([this, hello = hello_of(rank), channel = std::move(channel)]() mutable {
          try {
            RankRuntime(std::move(channel), *control_, *heaps_, hello, true).serve();
          } catch (const std::exception& error) {  // its channel is closed, so the worker notices
            std::fprintf(stderr, "tileput: rank %d ended: %s\n", hello.rank, error.what());
          }
        });
  } catch (const std::system_error& error) {
    throw Error(ErrorCode::kSystem, fmt::format("starting a thread for rank {} failed: {}", rank, error.what()),
                "raise the limit of processes (ulimit -u)");
  }
}

Hello RankPool::hello_of(int rank) const {
  return {rank,
          size(),
          ranks_[static_cast<std::size_t>(rank)].core.value_or(-1),
          heaps_->stride_bytes(),
          wait_policy_,
          static_cast<std::uint8_t>(verbose_),
          static_cast<std::uint8_t>(debug_rank_ == rank)};
}

std::uint64_t RankPool::greet(int rank, std::uint64_t deadline_ns) {
  base::Writer payload;
  payload.put(hello_of(rank));
  std::vector<int> fds;
  if (is_process()) {
    fds.push_back(control_fd_.get());
    for (int heap = 0; heap < heaps_->count(); ++heap) {
      fds.push_back(heaps_->fd(heap));
    }
  }
  for (;;) {
    if (const std::optional<std::uint64_t> id = send(rank, RequestKind::kHello, payload, fds)) {
      return *id;
    }
    check_deadline(deadline_ns);
    progress(kTickMs);
  }
}

Answer RankPool::await(std::uint64_t id, std::uint64_t deadline_ns) {
  std::optional<Answer> answer = take(id);
  while (!answer) {
    check_deadline(deadline_ns);
    progress(kTickMs);
    answer = take(id);
  }
  return *std::move(answer);
}

void RankPool::check_deadline(std::uint64_t deadline_ns) const {
  if (deadline_ns != 0 && base::now_ns() >= deadline_ns) {
    throw Error(ErrorCode::kNoProgress,
                fmt::format("within the time limit these ranks have not started: {}", fmt::join(owing(), ", ")),
                "raise the time limit, or look at what holds its process");
  }
}

rank::Channel::Sent RankPool::post(Member& member, RequestHeader header, const base::Writer& payload,
                                   std::span<const int> fds) {
  if (!member.channel) {
    return rank::Channel::Sent::kClosed;
  }
  base::Writer message;
  message.put(header);
  message.append(payload);
  return member.channel.send(message.bytes(), fds, false);
}

std::optional<std::uint64_t> RankPool::send(int rank, RequestKind kind, const base::Writer& payload,
                                            std::span<const int> fds) {
  Member& member = ranks_[static_cast<std::size_t>(rank)];
  const std::uint64_t id = last_id_ + 1;
  const rank::Channel::Sent sent = post(member, {id, kind}, payload, fds);
  if (sent == rank::Channel::Sent::kWouldBlock) {
    return std::nullopt;
  }
  last_id_ = id;
  member.open_requests.insert(id);
  if (rank::Doorbell& doorbell = control_->doorbells()[rank]; doorbell.sleepers.load(std::memory_order_seq_cst) != 0) {
    rank::ring(doorbell);  // it may wait for a deferred task, and then looks for messages as well
  }
  if (sent == rank::Channel::Sent::kClosed) {
    lost(rank);
  }
  return id;
}

bool RankPool::tell(int rank, RequestKind kind, const base::Writer& payload) noexcept {
  try {
    return post(ranks_[static_cast<std::size_t>(rank)], {0, kind}, payload, {}) != rank::Channel::Sent::kWouldBlock;
  } catch (const std::exception&) {
    return false;
  }
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

bool RankPool::defers(int rank) const {
  const std::set<std::uint64_t>& open = ranks_[static_cast<std::size_t>(rank)].open_requests;
  return !open.empty() && *open.rbegin() >= completion_of(0);
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

void RankPool::progress_checked() {
  checked_->advance();
  const std::size_t before = answers_.size();
  for (int rank = 0; rank < size(); ++rank) {
    while (is_there(rank) && receive_from(rank)) {
    }
  }
  if (answers_.size() == before && !owing().empty()) {
    checked_->fail_stuck();
  }
}

void RankPool::progress(int timeout_ms) {
  if (checked_ != nullptr) {
    progress_checked();
    return;
  }
  bool found = false;
  for (int rank = 0; rank < size(); ++rank) {  // it needs no system call
    found |= ranks_[static_cast<std::size_t>(rank)].channel.has_mail() && receive_from(rank);
  }
  const std::uint64_t now_ns = base::now_ns();
  if (found && now_ns < next_poll_ns_) {
    return;
  }
  next_poll_ns_ = now_ns + kPollNs;
  if (receive_packets(0) || found || timeout_ms == 0 || look_for_answers()) {
    return;
  }
  bool has_mail = false;
  for (Member& member : ranks_) {
    has_mail |= !member.channel.before_sleep();
  }
  receive_packets(has_mail ? 0 : timeout_ms);
  for (Member& member : ranks_) {
    member.channel.after_sleep();
  }
}

bool RankPool::receive_packets(int timeout_ms) {
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
    base::throw_errno("poll", "free some memory, or raise the limit of open files (ulimit -n)");
  }
  for (std::size_t i = 0; ready > 0 && i < entries.size(); ++i) {
    if (entries[i].revents != 0) {
      receive_from(owners[i]);
    }
  }
  return ready > 0;
}

bool RankPool::look_for_answers() {
  const std::set<int> ranks = owing();
  bool found = false;
  const std::uint64_t sleep_ns = base::now_ns() + rank::kLookNs;
  for (int look = 1; !found && base::now_ns() < sleep_ns; ++look) {
    sched_yield();
    for (const int rank : ranks) {
      if (look % rank::kLooksPerPacket == 0 || ranks_[static_cast<std::size_t>(rank)].channel.has_mail()) {
        found |= receive_from(rank);
      }
    }
  }
  return found;
}

bool RankPool::receive_from(int rank) {
  Member& member = ranks_[static_cast<std::size_t>(rank)];
  bool would_block = false;
  const std::optional<rank::Message> message = member.channel.receive(false, &would_block);
  if (!message) {
    if (!would_block) {
      lost(rank);
    }
    return !would_block;
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
  answer.is_deferred = header.deferred != 0;
  if (answer.is_deferred) {
    member.open_requests.insert(completion_of(header.id));
  }
  answers_.emplace(header.id, std::move(answer));
  return true;
}

void RankPool::lost(int rank) {
  Member& member = ranks_[static_cast<std::size_t>(rank)];
  if (member.end.empty()) {
    member.end = is_process() ? end_of_process(rank) : fmt::format("rank {} ended its thread", rank);
  }
  member.channel.close();
  for (const std::uint64_t id : member.open_requests) {
    answers_.emplace(id, Answer{death(rank), {}, false});
  }
  member.open_requests.clear();
  if (member.thread.joinable()) {
    member.thread.join();
  }
}

std::string RankPool::end_of_process(int rank) {
  Member& member = ranks_[static_cast<std::size_t>(rank)];
  const std::int64_t pid = member.process.pid();
  // The channel closes a moment before the process can be reaped; one that closed it and lives on is ended.
  if (!member.process.wait_for(kExitGraceMs)) {
    member.process.kill();
  }
  std::string how = member.process.wait();
  if (const int number = control_->slot(rank).crash.signal.load(std::memory_order_acquire); number != 0) {
    how = rank::killed_by(number);  // the signal that it noted, whatever ended it after that
  }
  return fmt::format("rank {} (process {}) {}{}", rank, pid, how, WaitTable(*control_, job_).crash(rank));
}

std::optional<Error> RankPool::death(int rank) const {
  const std::string& end = ranks_[static_cast<std::size_t>(rank)].end;
  if (end.empty()) {
    return std::nullopt;
  }
  // What the signal's handler left was read with acquire when `end` was written.
  const rank::CrashReport& crash = control_->slot(rank).crash;
  const bool is_fault =
      crash.has_address.load(std::memory_order_relaxed) != 0 && crash.sender.load(std::memory_order_relaxed) == 0;
  return Error(ErrorCode::kRankDied, end,
               is_fault
                   ? "check what is accessed there, and the number and order of the arguments; messages on stderr may "
                     "say more"
                   : "messages on stderr may say more; look for what sends signals, the system's out-of-memory "
                     "killer too");
}

void RankPool::retire(const std::set<int>& ranks) {
  if (checked_ != nullptr) {
    checked_->stop();
  }
  for (const int rank : ranks) {
    Member& member = ranks_[static_cast<std::size_t>(rank)];
    member.process.kill();
    member.channel.close();  // a thread leaves serve() when it has done what it was sent
  }
  for (const int rank : ranks) {
    Member& member = ranks_[static_cast<std::size_t>(rank)];
    if (member.process) {
      member.process.wait();
    }
    if (member.thread.joinable()) {
      member.thread.join();
    }
    member.open_requests.clear();
    member.runtime.reset();
  }
  answers_.clear();
  for (const int rank : ranks) {  // only now: nobody of them writes any more
    clear(rank);
  }
  if (checked_ != nullptr) {
    restart_checked(false);
  }
}

void RankPool::clear(int rank) {
  control_->reset(rank);
  heaps_->discard({rank, 0}, heaps_->stride_bytes());
  job_.ranks[static_cast<std::size_t>(rank)] = {};
}

}  // namespace tileput::orchestration
