// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/worker_impl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "base/system.hpp"
#include "orchestration/kernel_object.hpp"

namespace tileput {

using orchestration::Answer;
using orchestration::LoadRequest;
using orchestration::RequestKind;

namespace {

constexpr std::uint64_t kTickNs = 100'000'000;  // how often a run that waits is looked at

/// The configuration symbol of an orchestration: as named, else by convention where the file exports it, else none.
std::string config_symbol(const CallableSpec& spec, const std::filesystem::path& file) {
  if (!spec.config.empty()) {
    return spec.config;
  }
  const std::string by_entry =
      spec.entry == "aicpu_orchestration_entry" ? "aicpu_orchestration_config" : spec.entry + "_config";
  return orchestration::exports_symbol(file, by_entry) ? by_entry : std::string();
}

void require_symbol(const std::filesystem::path& file, const std::string& symbol) {
  if (!orchestration::exports_symbol(file, symbol)) {
    throw Error(ErrorCode::kMissingSymbol, fmt::format("{} does not export '{}'", file.string(), symbol),
                "declare it extern \"C\" with default visibility, and check its name");
  }
}

}  // namespace

Worker::Impl::Impl(const WorkerOptions& options)
    : timeout_(options.timeout),
      wait_report_(options.wait_report),
      memory_limit_bytes_(options.memory_limit_bytes),
      graph_(options.ranks),
      pool_(options),
      store_(pool_.heaps()) {}

template <class Work>
void Worker::Impl::within_run(Work&& work) {
  try {
    start_run();
    work();
  } catch (...) {
    if (!failure_ && !(graph_.empty() && domains_.empty() && pool_.owing().empty())) {
      failure_.emplace(ErrorCode::kInternal, "the run was left with work in progress", "free some memory");
    }
    end_run();
    throw;
  }
  end_run();
}

Callable Worker::Impl::load(const CallableSpec& spec) {
  if (running_) {
    throw Error(ErrorCode::kBadArgument, "load() inside run()", "load before the run");
  }
  LoadRequest request;
  const std::filesystem::path file = orchestration::find_object(spec.orchestration);
  require_symbol(file, spec.entry);
  request.orchestration = file.string();
  request.entry = spec.entry;
  request.config = config_symbol(spec, file);
  if (!request.config.empty()) {
    require_symbol(file, request.config);
  }
  std::set<std::int32_t> func_ids;
  for (const KernelSpec& kernel : spec.kernels) {
    if (!func_ids.insert(kernel.func_id).second) {
      throw Error(ErrorCode::kBadArgument, fmt::format("two kernels have func_id {}", kernel.func_id),
                  "give each kernel of a callable a func_id of its own");
    }
    const std::filesystem::path object = orchestration::find_object(kernel.path);
    require_symbol(object, "kernel_entry");
    request.kernels.push_back({kernel.func_id, static_cast<std::uint8_t>(kernel.core == Core::kAic), object.string()});
  }
  request.callable = base::next_number<Callable>();  // distinct in the process: never taken for another worker's
  std::vector<int> everybody(static_cast<std::size_t>(pool_.size()));
  std::iota(everybody.begin(), everybody.end(), 0);
  within_run([&] { load_on(everybody, request); });
  pool_.publish();
  callables_.emplace(request.callable, request);
  return Callable(request.callable);
}

void Worker::Impl::load_on(const std::vector<int>& ranks, const LoadRequest& request) {
  const std::vector<Answer> answers = call(ranks, RequestKind::kLoad, [&](std::size_t) { return saved(request); });
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    base::Reader in(answers[i].payload);
    std::vector<orchestration::LoadedObject>& objects = pool_.job().ranks[static_cast<std::size_t>(ranks[i])].objects;
    for (auto left = in.take<std::uint64_t>(); left != 0; --left) {
      objects.emplace_back().load(in);
    }
  }
}

void Worker::Impl::start_run() {
  stuck_ranks_ = {};  // ranks that were replaced count their waits from 0 again
  asked_.clear();
  started_ns_ = base::now_ns();
  deadline_ns_ = base::deadline_ns(timeout_);
  next_report_ns_ = base::deadline_ns(wait_report_);
  next_tick_ns_ = started_ns_ + kTickNs;
  pool_.start_missing(
      [this](int rank) {
        for (const auto& [id, request] : callables_) {
          load_on({rank}, request);
        }
      },
      deadline_ns_);
  std::vector<Block> unclosed = std::move(unclosed_);
  unclosed_.clear();
  for (const Block& block : unclosed) {
    release_shared(block);
  }
}

RunReport Worker::Impl::run(Worker& worker, const std::function<void(Orchestrator&)>& program) {
  if (running_) {
    throw Error(ErrorCode::kBadArgument, "run() inside run()", "submit the work to the Orchestrator at hand");
  }
  running_ = true;
  ++run_id_;
  run_number_ = base::next_number<Submission>();
  RunReport report;
  within_run([&] {
    pool_.begin_checked_run();
    pool_.job().run = run_id_;
    pool_.publish();
    std::exception_ptr refused;  // what the program threw although nothing of the run failed
    try {
      Orchestrator orchestrator(worker);
      program(orchestrator);
    } catch (...) {
      refused = std::current_exception();
    }
    try {
      wait_for_all();
      release_domains();
    } catch (...) {
      if (!refused) {
        throw;
      }
    }
    if (refused) {
      std::rethrow_exception(refused);  // also where what was submitted cannot end without what was not
    }
    for (Group& group : groups_) {
      report.submissions.push_back(std::move(group.report));
    }
  });
  report.check = last_check_;
  return report;
}

void Worker::Impl::end_run() {
  if (running_ && pool_.checked() != nullptr) {
    last_check_ = pool_.checked()->finish();
  }
  if (failure_) {
    abandon_run();
  }
  failure_.reset();
  deadline_ns_ = 0;
  running_ = false;
  groups_.clear();
  graph_ = orchestration::TaskGraph(pool_.size());
  sending_.clear();
  running_groups_.clear();
  closing_.clear();
  participants_.clear();
  domains_.clear();
  pool_.job().domains.clear();
  constexpr std::uint64_t kKeptBytes = 256U << 20U;
  trim_staging(kKeptBytes);
}

void Worker::Impl::fail(const Error& error) {
  if (!failure_) {
    failure_ = error;
  }
  throw Error(*failure_);
}

void Worker::Impl::pump(const std::vector<int>& awaited) {
  if (failure_) {
    throw Error(*failure_);
  }
  const std::uint64_t now = base::now_ns();
  if (now >= next_tick_ns_) {
    tick(awaited, now);
    next_tick_ns_ = now + kTickNs;
  }
  if (!go_on()) {  // what a rank that is gone was sent is answered already; nothing else may ever arrive
    try {
      pool_.progress(static_cast<int>(kTickNs / 1'000'000));
    } catch (const Error& error) {
      fail(error);  // an answer that cannot be had leaves ranks in a state we do not know
    }
    go_on();
  }
  for (const int rank : participants_) {
    if (const std::optional<Error> death = pool_.death(rank)) {
      fail(*death);  // although it owes nothing: its window is still in use
    }
  }
}

bool Worker::Impl::go_on() {
  bool moved = false;
  const std::vector<std::size_t> running = running_groups_;
  for (const std::size_t index : running) {
    moved |= take_answers(index);
  }
  moved |= go_on_closing();
  moved |= start_ready();
  moved |= send_started();
  return moved;
}

void Worker::Impl::go_on_with_arrived() {
  if (pool_.checked() == nullptr) {
    try {
      pool_.progress(0);
    } catch (const Error& error) {
      fail(error);
    }
  }
  go_on();
}

bool Worker::Impl::start_ready() {
  bool moved = false;
  while (const std::optional<std::size_t> ready = graph_.ready()) {
    Group& group = groups_[*ready];
    graph_.start(*ready);
    running_groups_.push_back(*ready);
    sending_.push_back(*ready);
    group.unsent.resize(group.members.size());
    std::iota(group.unsent.begin(), group.unsent.end(), std::size_t{0});
    for (const Staged& staged : group.staged) {  // outputs too: what a kernel does not write stays as it is
      std::memcpy(staged.copy, staged.begin, static_cast<std::size_t>(staged.end - staged.begin));
    }
    moved = true;
  }
  return moved;
}

void Worker::Impl::note_sent(std::size_t index, int rank) {
  orchestration::CheckedPlatform* const checked = pool_.checked();
  if (checked == nullptr) {
    return;
  }
  orchestration::CheckedPlatform::Order before = groups_[index].before;
  for (const orchestration::TaskGraph::Place& place : graph_.after(index)) {
    const orchestration::CheckedPlatform::Order& done = groups_[place.group].done[place.task];
    before.insert(before.end(), done.begin(), done.end());
  }
  checked->note_sent(rank, std::move(before));
}

bool Worker::Impl::send_started() {
  bool moved = false;
  for (const std::size_t index : sending_) {
    Group& group = groups_[index];
    std::vector<std::size_t> left;
    for (const std::size_t member : group.unsent) {
      const int rank = group.members[member];
      std::optional<std::uint64_t> request;
      try {
        request = pool_.send(rank, RequestKind::kRun, group.payloads[member]);
      } catch (const Error& error) {
        fail(error);  // a part of the group may have started
      }
      if (!request) {
        left.push_back(member);  // the rank is stopped, with many messages before this one
        continue;
      }
      asked_.insert(rank);
      group.requests[member] = *request;
      note_sent(index, rank);
      moved = true;
    }
    group.unsent = std::move(left);
    if (group.unsent.empty()) {
      group.payloads = {};
    }
  }
  std::erase_if(sending_, [this](std::size_t index) { return groups_[index].unsent.empty(); });
  return moved;
}

void Worker::Impl::close(std::uint64_t domain) {
  closing_.push_back({domain, RequestKind::kDetach, domains_.at(domain).domain.ranks(), {}});
}

bool Worker::Impl::go_on_closing() {
  bool moved = false;
  for (Closing& closing : closing_) {
    std::vector<int> left;
    for (const int rank : closing.unasked) {
      std::optional<std::uint64_t> request;
      try {
        request = pool_.send(rank, closing.step, saved(closing.domain));
      } catch (const Error& error) {
        fail(error);
      }
      if (request) {
        asked_.insert(rank);
        closing.requests.push_back(*request);
      } else {
        left.push_back(rank);
      }
    }
    closing.unasked = std::move(left);
    std::erase_if(closing.requests, [&](std::uint64_t request) {
      const std::optional<Answer> answer = pool_.take(request);
      if (answer && answer->error) {
        fail(*answer->error);
      }
      moved |= answer.has_value();
      return answer.has_value();
    });
    if (closing.unasked.empty() && closing.requests.empty() && closing.step == RequestKind::kDetach) {
      const DomainRecord& record = domains_.at(closing.domain);
      for (const domain::HeapAddress& window : record.windows) {
        give_back_checked(pool_.heaps().at(window));
      }
      closing.step = RequestKind::kFree;
      closing.unasked = record.domain.ranks();
      moved = true;
    }
  }
  const std::size_t closed = std::erase_if(closing_, [this](const Closing& closing) {
    const bool done = closing.unasked.empty() && closing.requests.empty();
    if (done) {
      domains_.erase(closing.domain);
      std::erase_if(pool_.job().domains, [&closing](const auto& described) { return described.id == closing.domain; });
    }
    return done;
  });
  if (closed != 0) {
    pool_.publish();
  }
  return moved || closed != 0;
}

void Worker::Impl::tick(const std::vector<int>& awaited, std::uint64_t now) {
  const auto ranks = static_cast<std::size_t>(pool_.size());
  const orchestration::StuckRanks::Work work = work_of_ranks();
  const std::vector<int> stuck = stuck_ranks_.stuck(pool_.control(), pool_.job(), work);
  std::vector<bool> never_end(ranks);
  for (const int rank : stuck) {
    never_end[static_cast<std::size_t>(rank)] = true;
  }
  const auto is_stuck = [&never_end](int rank) { return never_end[static_cast<std::size_t>(rank)]; };
  const std::set<int> owing = pool_.owing();
  const std::vector<bool> starts = graph_.may_start(never_end);
  const bool nobody_acts = !owing.empty() && std::all_of(owing.begin(), owing.end(), is_stuck) &&
                           std::find(starts.begin(), starts.end(), true) == starts.end();
  if (awaited.empty() ? nobody_acts : std::any_of(awaited.begin(), awaited.end(), is_stuck)) {
    std::set<int> queued;
    for (const std::size_t group : graph_.waiting()) {
      queued.insert(groups_[group].members.begin(), groups_[group].members.end());
    }
    fail(Error(ErrorCode::kNoProgress,
               fmt::format("run {} cannot go on: {}{}\n", run_id_,
                           orchestration::WaitTable(pool_.control(), pool_.job()).verdict(stuck, queued), wait_lines()),
               "send the notify that is missing, or wait for one that is sent"));
  }
  if (deadline_ns_ != 0 && now >= deadline_ns_) {
    fail(Error(ErrorCode::kNoProgress,
               fmt::format("run {} is not complete after its limit of {} ms:{}\n", run_id_,
                           std::chrono::duration_cast<std::chrono::milliseconds>(timeout_).count(), wait_lines()),
               "look for the rank that holds the others up, or raise the time limit"));
  }
  if (next_report_ns_ != 0 && now >= next_report_ns_) {
    next_report_ns_ = base::deadline_ns(wait_report_);
    base::logger().warn("run {} is not complete after {:.0f} s:{}", run_id_,
                        static_cast<double>(now - started_ns_) / 1e9, wait_lines());
  }
}

orchestration::StuckRanks::Work Worker::Impl::work_of_ranks() {
  const auto ranks = static_cast<std::size_t>(pool_.size());
  orchestration::StuckRanks::Work work;
  work.may_act.resize(ranks);
  work.asked.resize(ranks);
  work.defers.resize(ranks);
  for (const int rank : pool_.owing()) {
    work.may_act[static_cast<std::size_t>(rank)] = true;
    work.defers[static_cast<std::size_t>(rank)] = pool_.defers(rank);
  }
  for (const std::size_t index : sending_) {
    for (const std::size_t member : groups_[index].unsent) {
      work.may_act[static_cast<std::size_t>(groups_[index].members[member])] = true;
    }
  }
  for (const int rank : asked_) {
    work.asked[static_cast<std::size_t>(rank)] = true;
  }
  asked_.clear();
  work.may_start = [this](const std::vector<bool>& never_end) { return graph_.may_start(never_end); };
  return work;
}

std::string Worker::Impl::wait_lines() const {
  std::set<int> ranks = pool_.owing();
  ranks.insert(participants_.begin(), participants_.end());
  return orchestration::WaitTable(pool_.control(), pool_.job()).lines({ranks.begin(), ranks.end()}) + waiting_lines();
}

std::string Worker::Impl::waiting_lines() const {
  constexpr std::size_t kLinesMax = 8;
  std::string text;
  const std::vector<std::size_t>& waiting = graph_.waiting();
  for (std::size_t i = 0; i < waiting.size() && i < kLinesMax; ++i) {
    text +=
        fmt::format("\n  submission {} for rank{} {} has not started", waiting[i],
                    graph_.ranks_of(waiting[i]).size() == 1 ? "" : "s", fmt::join(graph_.ranks_of(waiting[i]), ", "));
  }
  if (waiting.size() > kLinesMax) {
    text += fmt::format("\n  and {} more submissions", waiting.size() - kLinesMax);
  }
  return text;
}

std::uint64_t Worker::Impl::send(int rank, RequestKind kind, const base::Writer& payload) {
  for (;;) {
    try {
      if (const std::optional<std::uint64_t> request = pool_.send(rank, kind, payload)) {
        asked_.insert(rank);
        return *request;
      }
    } catch (const Error& error) {
      fail(error);  // some ranks have been asked, this one has not
    }
    pump({rank});  // the rank is busy and has many requests waiting; meanwhile its peers may fail
  }
}

std::vector<Answer> Worker::Impl::call(const std::vector<int>& ranks, RequestKind kind, const Payload& payload) {
  std::vector<std::uint64_t> requests;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    requests.push_back(send(ranks[i], kind, payload(i)));
  }
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    std::optional<Answer> answer = pool_.take(requests[i]);
    while (!answer) {
      pump({ranks[i]});  // others may have answered, and then wait for what this program has not submitted yet
      answer = pool_.take(requests[i]);
    }
    answers.push_back(std::move(*answer));
  }
  for (const Answer& answer : answers) {
    if (answer.error && answer.error->code() == ErrorCode::kRankDied) {
      fail(*answer.error);
    }
  }
  for (const Answer& answer : answers) {
    if (answer.error) {
      throw Error(*answer.error);
    }
  }
  return answers;
}

bool Worker::Impl::take_answers(std::size_t index) {
  bool moved = false;
  for (std::size_t member = 0; member < groups_[index].requests.size(); ++member) {
    std::uint64_t& request = groups_[index].requests[member];
    if (request == 0) {
      continue;
    }
    const bool is_first = request != orchestration::completion_of(request);
    const std::optional<Answer> answer = pool_.take(request);
    if (!answer) {
      continue;
    }
    moved = true;
    if (answer->error) {
      request = 0;
      fail(*answer->error);
    }
    if (is_first) {
      note_return(groups_[index], member, *answer);
      graph_.note_return(index, member);
    }
    request = answer->is_deferred ? orchestration::completion_of(request) : 0;
    if (!answer->is_deferred) {
      note_completion(index, member);
    }
  }
  return moved;
}

void Worker::Impl::note_return(Group& group, std::size_t member, const Answer& answer) {
  base::Reader in(answer.payload);
  orchestration::RunAnswer run;
  run.load(in);
  RankReport& report = group.report.ranks[member];
  report.min = std::chrono::nanoseconds(run.min_ns);
  report.median = std::chrono::nanoseconds(run.median_ns);
  report.max = std::chrono::nanoseconds(run.max_ns);
  report.barriers = run.barriers;
  report.notifies = run.notifies;
  report.tiles = run.tiles;
  report.tasks = run.tasks;
  for (const machine::Phase& phase : run.phases) {
    report.puts += phase.puts;
    report.remote_loads += phase.remote_loads();
    report.phases.push_back({machine::name_of(phase.kind), phase.puts, phase.gets, phase.loads, phase.stores,
                             phase.remote_loads(), phase.bytes, std::chrono::nanoseconds(phase.time_ns)});
  }
}

void Worker::Impl::note_completion(std::size_t index, std::size_t member) {
  Group& group = groups_[index];
  if (pool_.checked() != nullptr) {
    group.done[member] = pool_.checked()->answered_by(group.members[member]);
  }
  for (const std::uint64_t id : group.domains[member]) {
    DomainRecord& record = domains_.at(id);
    if (--record.users == 0 && record.released) {
      close(id);
    }
  }
  graph_.note_completion(index, member);
  if (graph_.is_complete(index)) {  // only now: outputs of a group that fails are not written
    for (const Range& range : group.ranges) {
      const Staged* const staged = group.staged_at(range.begin);
      if (range.written && staged != nullptr) {
        std::memcpy(range.begin, staged->copy + (range.begin - staged->begin),
                    static_cast<std::size_t>(range.end - range.begin));
      }
    }
    unstage(group);
    Group rest;  // a run may have many
    rest.done = std::move(group.done);
    rest.report = std::move(group.report);
    group = std::move(rest);
    std::erase(running_groups_, index);
  }
}

void Worker::Impl::wait_for_all() {
  if (failure_) {  // noticed inside the program, which may have caught it
    throw Error(*failure_);
  }
  while (!graph_.empty() || !closing_.empty()) {
    const std::set<int> owing = pool_.owing();
    pump({owing.begin(), owing.end()});
  }
}

void Worker::Impl::release_domains() {
  for (const auto& [id, record] : domains_) {
    close(id);
  }
  wait_for_all();
}

void Worker::Impl::abandon_run() {
  std::set<int> involved = pool_.owing();
  involved.insert(participants_.begin(), participants_.end());
  for (const int rank : involved) {
    pool_.control().abort(rank, run_id_);
  }
  pool_.retire(involved);
  for (Group& group : groups_) {
    unstage(group);
  }
}

Worker::Impl::Block Worker::Impl::allocate_shared(std::uint64_t bytes) {
  return with_room([&] { return store_.allocate(bytes, limit_left()); });
}

void Worker::Impl::release_shared(const Block& block) {
  // Nobody answers: a rank closes the range before it can be asked to open it, or another one there, again.
  bool all_told = true;
  for (int rank = 0; rank < pool_.size(); ++rank) {
    all_told = pool_.tell(rank, RequestKind::kCloseShared, saved(block.offset)) && all_told;
  }
  if (all_told) {
    store_.release(block);
  } else {
    unclosed_.push_back(block);  // a rank that is stopped or busy; telling it twice does no harm
  }
}

void Worker::Impl::give_back_checked(const std::byte* memory) {
  if (pool_.checked() != nullptr) {
    pool_.checked()->give_back_memory(memory);
  }
}

void Worker::Impl::unstage(Group& group) {
  for (const Staged& staged : group.staged) {
    give_back_checked(address_of(staged.block));
    staging_.push_back(staged.block);
  }
  group.staged.clear();
}

Worker::Impl::Block Worker::Impl::take_staging(std::uint64_t bytes) {
  auto best = staging_.end();
  for (auto block = staging_.begin(); block != staging_.end(); ++block) {
    if (block->bytes >= bytes && (best == staging_.end() || block->bytes < best->bytes)) {
      best = block;
    }
  }
  if (best != staging_.end() && best->bytes / 2 <= std::max(bytes, base::page_bytes())) {
    const Block block = *best;
    staging_.erase(best);
    return block;
  }
  return allocate_shared(base::round_up(bytes, base::page_bytes()));
}

void Worker::Impl::trim_staging(std::uint64_t bytes_max) {
  constexpr std::size_t kBlocksMax = std::size_t{4} * kRanksMax;
  std::uint64_t bytes = 0;
  for (const Block& block : staging_) {
    bytes += block.bytes;
  }
  while (!staging_.empty() && (staging_.size() > kBlocksMax || bytes > bytes_max)) {
    const Block block = staging_.back();
    staging_.pop_back();
    bytes -= block.bytes;
    release_shared(block);
  }
}

}  // namespace tileput
