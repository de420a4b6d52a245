// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/worker_impl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "base/memory.hpp"
#include "base/system.hpp"
#include "orchestration/kernel_object.hpp"

namespace tileput {

using orchestration::Answer;
using orchestration::LoadRequest;
using orchestration::RequestKind;

namespace {

template <class Request>
base::Writer saved(const Request& request) {
  base::Writer out;
  request.save(out);
  return out;
}

base::Writer saved(std::uint64_t value) {
  base::Writer out;
  out.put(value);
  return out;
}

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
      memory_limit_bytes_(options.memory_limit_bytes),
      pool_(options),
      store_(pool_.heaps(), options.memory_limit_bytes) {}

template <class Work>
void Worker::Impl::within_run(Work&& work) {
  try {
    start_run();
    work();
  } catch (...) {
    end_run();
    throw;
  }
  end_run();
}

Callable Worker::Impl::load(const CallableSpec& spec) {
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
  request.callable = callables_.size() + 1;
  std::vector<int> everybody(static_cast<std::size_t>(pool_.size()));
  std::iota(everybody.begin(), everybody.end(), 0);
  within_run([&] { load_on(everybody, request); });
  callables_.emplace(request.callable, request);
  return Callable(request.callable);
}

void Worker::Impl::load_on(const std::vector<int>& ranks, const LoadRequest& request) {
  call(ranks, RequestKind::kLoad, [&](std::size_t) { return saved(request); });
}

void Worker::Impl::start_run() {
  deadline_ns_ = timeout_.count() > 0 ? base::now_ns() + static_cast<std::uint64_t>(timeout_.count()) : 0;
  pool_.start_missing([this](int rank) {
    for (const auto& [id, request] : callables_) {
      load_on({rank}, request);
    }
  });
}

RunReport Worker::Impl::run(Worker& worker, const std::function<void(Orchestrator&)>& program) {
  if (running_) {
    throw Error(ErrorCode::kBadArgument, "run() inside run()", "submit the work to the Orchestrator at hand");
  }
  running_ = true;
  ++run_id_;
  RunReport report;
  within_run([&] {
    std::exception_ptr refused;  // what the program threw although nothing of the run failed
    try {
      Orchestrator orchestrator(worker);
      program(orchestrator);
    } catch (...) {
      refused = std::current_exception();
    }
    wait_for_all();
    release_domains();
    if (refused) {
      std::rethrow_exception(refused);
    }
    for (Submission& submission : submissions_) {
      report.submissions.push_back(std::move(submission.report));
    }
  });
  return report;
}

void Worker::Impl::end_run() {
  if (failure_) {
    abandon_run();
  }
  failure_.reset();
  deadline_ns_ = 0;
  running_ = false;
  submissions_.clear();
  domains_.clear();
  trim_staging();
}

void Worker::Impl::fail(const Error& error) {
  if (!failure_) {
    failure_ = error;
  }
  throw Error(*failure_);
}

void Worker::Impl::pump(int timeout_ms) {
  if (failure_) {
    throw Error(*failure_);
  }
  if (deadline_ns_ != 0) {
    const std::uint64_t now = base::now_ns();
    if (now >= deadline_ns_) {
      fail(Error(ErrorCode::kNoProgress,
                 fmt::format("run {} is not complete after its limit of {} ms: {}", run_id_,
                             std::chrono::duration_cast<std::chrono::milliseconds>(timeout_).count(), wait_table()),
                 "look for the notify that is missing, or raise the time limit"));
    }
    const std::uint64_t left_ms = std::min<std::uint64_t>((deadline_ns_ - now) / 1'000'000 + 1, 60'000);
    timeout_ms = timeout_ms < 0 ? static_cast<int>(left_ms) : std::min(timeout_ms, static_cast<int>(left_ms));
  }
  pool_.progress(timeout_ms);
  for (Submission& submission : submissions_) {
    if (!submission.complete()) {
      complete(submission);
    }
  }
}

std::uint64_t Worker::Impl::send(int rank, RequestKind kind, const base::Writer& payload) {
  std::optional<std::uint64_t> request = pool_.send(rank, kind, payload);
  while (!request) {  // the rank is busy and has many requests waiting; meanwhile its peers may fail
    pump(10);
    request = pool_.send(rank, kind, payload);
  }
  return *request;
}

std::vector<Answer> Worker::Impl::call(const std::vector<int>& ranks, RequestKind kind, const Payload& payload) {
  std::vector<std::uint64_t> requests;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    requests.push_back(send(ranks[i], kind, payload(i)));
  }
  std::vector<Answer> answers;
  for (const std::uint64_t request : requests) {
    std::optional<Answer> answer = pool_.take(request);
    while (!answer) {
      pump();
      answer = pool_.take(request);
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

void Worker::Impl::complete(Submission& submission) {
  for (std::size_t i = 0; i < submission.members.size(); ++i) {
    if (submission.requests[i] == 0) {
      continue;
    }
    const std::optional<Answer> answer = pool_.take(submission.requests[i]);
    if (!answer) {
      continue;
    }
    submission.requests[i] = 0;
    ++submission.answered;
    if (answer->error) {
      fail(*answer->error);
    }
    base::Reader in(answer->payload);
    orchestration::RunAnswer run;
    run.load(in);
    RankReport& report = submission.report.ranks[i];
    report.min = std::chrono::nanoseconds(run.min_ns);
    report.median = std::chrono::nanoseconds(run.median_ns);
    report.max = std::chrono::nanoseconds(run.max_ns);
    report.barriers = run.barriers;
    report.notifies = run.notifies;
    report.tiles = run.tiles;
    for (const machine::Phase& phase : run.phases) {
      report.puts += phase.puts;
      report.remote_loads += phase.remote_loads();
      report.phases.push_back({machine::name_of(phase.kind), phase.puts, phase.gets, phase.loads, phase.stores,
                               phase.remote_loads(), phase.bytes, std::chrono::nanoseconds(phase.time_ns)});
    }
  }
  if (submission.complete()) {
    for (const Staged& staged : submission.staged) {
      if (staged.copy_back && staged.bytes != 0) {
        std::memcpy(const_cast<std::byte*>(staged.host), store_.at(staged.block.offset), staged.bytes);
      }
      staging_.push_back(staged.block);
    }
    submission.staged.clear();
  }
}

void Worker::Impl::wait_for_all() {
  if (failure_) {  // noticed inside the program, which may have caught it
    throw Error(*failure_);
  }
  while (std::any_of(submissions_.begin(), submissions_.end(), [](const Submission& s) { return !s.complete(); })) {
    pump();
  }
}

void Worker::Impl::wait_for_conflicts(const Submission& fresh) {
  const auto conflicts = [&fresh](const Submission& earlier) {
    for (const Range& a : earlier.ranges) {
      for (const Range& b : fresh.ranges) {
        if ((a.written || b.written) && a.begin < b.end && b.begin < a.end) {
          return true;
        }
      }
    }
    return false;
  };
  for (std::size_t i = 0; i < submissions_.size(); ++i) {
    while (!submissions_[i].complete() && conflicts(submissions_[i])) {
      pump();
    }
  }
}

void Worker::Impl::release_domains() {
  for (const auto& [id, record] : domains_) {
    // Two rounds: only when nobody can reach a window any more is its memory given back.
    for (const RequestKind kind : {RequestKind::kDetach, RequestKind::kFree}) {
      call(record.domain.ranks(), kind, [id = id](std::size_t) { return saved(id); });
    }
  }
  domains_.clear();
}

void Worker::Impl::abandon_run() {
  std::set<int> involved = pool_.owing();
  for (const Submission& submission : submissions_) {
    involved.insert(submission.members.begin(), submission.members.end());
  }
  for (const auto& [id, record] : domains_) {
    involved.insert(record.domain.ranks().begin(), record.domain.ranks().end());
  }
  for (const int rank : involved) {
    pool_.control().abort(rank, run_id_);
  }
  for (const int rank : involved) {
    pool_.retire(rank);
  }
  pool_.forget_answers();
  for (Submission& submission : submissions_) {
    for (const Staged& staged : submission.staged) {
      staging_.push_back(staged.block);
    }
  }
}

void Worker::Impl::release_shared(const Block& block) noexcept {
  // Nobody answers: a rank closes the range before it can be asked to open it, or another one there, again.
  bool all_told = true;
  for (int rank = 0; rank < pool_.size(); ++rank) {
    all_told = pool_.tell(rank, RequestKind::kCloseShared, saved(block.offset)) && all_told;
  }
  if (all_told) {
    store_.release(block);
  }
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
  return store_.allocate(base::round_up(std::max<std::uint64_t>(bytes, 1), base::page_bytes()));
}

void Worker::Impl::trim_staging() {
  constexpr std::size_t kBlocksMax = std::size_t{4} * kRanksMax;
  constexpr std::uint64_t kBytesMax = 256U << 20U;
  std::uint64_t bytes = 0;
  for (const Block& block : staging_) {
    bytes += block.bytes;
  }
  while (!staging_.empty() && (staging_.size() > kBlocksMax || bytes > kBytesMax)) {
    const Block block = staging_.back();
    staging_.pop_back();
    bytes -= block.bytes;
    release_shared(block);
  }
}

}  // namespace tileput
