// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/rank_runtime.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "base/system.hpp"
#include "machine/phase_counter.hpp"
#include "orchestration/task_memory.hpp"
#include "pto_orchestration_api.h"
#include "tileput/error.hpp"

namespace tileput::orchestration {

namespace {

/// Times of calls without remembering more than kSamplesMax of them: then the latest replace the oldest.
class CallTimes {
 public:
  explicit CallTimes(std::uint32_t calls) { samples_.reserve(std::min<std::size_t>(calls, kSamplesMax)); }

  void add(std::uint64_t ns) {
    if (samples_.size() < kSamplesMax) {
      samples_.push_back(ns);
    } else {
      samples_[next_++ % kSamplesMax] = ns;
    }
  }
  void summarise(RunAnswer& answer) {
    if (samples_.empty()) {
      return;
    }
    const auto middle = samples_.begin() + static_cast<std::ptrdiff_t>(samples_.size() / 2);
    std::nth_element(samples_.begin(), middle, samples_.end());
    answer.median_ns = *middle;
    const auto [least, most] = std::minmax_element(samples_.begin(), samples_.end());
    answer.min_ns = *least;
    answer.max_ns = *most;
  }

 private:
  static constexpr std::size_t kSamplesMax = 1U << 20U;
  std::vector<std::uint64_t> samples_;
  std::size_t next_ = 0;
};

/// Where a rank's windows begin in its heap. Heaps are a power of two apart, so windows at one offset in all of them
/// would compete for the same sets of caches and address translations: copies between them took up to half longer.
std::uint64_t colour_of(int rank, std::uint64_t heap_bytes) {
  const std::uint64_t room = heap_bytes / 64 / base::page_bytes();
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(rank) * 17, room) * base::page_bytes();
}

/// At most kPhasesMax phases, so that they fit a message: the last one has what follows it, too.
std::vector<machine::Phase> folded(std::vector<machine::Phase> phases) {
  constexpr std::size_t kPhasesMax = 1024;
  for (std::size_t i = kPhasesMax; i < phases.size(); ++i) {
    phases[kPhasesMax - 1] += phases[i];
  }
  phases.resize(std::min(phases.size(), kPhasesMax));
  return phases;
}

ChipTensor tensor_at(std::byte* address, const WireTensor& wire) {
  ChipTensor tensor = make_tensor_external(address, wire.shape, wire.dims, static_cast<::DataType>(wire.type));
  tensor.buffer.size = wire.bytes;  // a window buffer may be larger than its declared shape
  return tensor;
}

/// Makes a core the calling thread's, and no core afterwards.
class CurrentCore {
 public:
  explicit CurrentCore(machine::Core& core) noexcept { machine::tileput_current_core = &core; }
  ~CurrentCore() { machine::tileput_current_core = nullptr; }
  CurrentCore(const CurrentCore&) = delete;
  CurrentCore& operator=(const CurrentCore&) = delete;
};

/// What the cores of all blocks have in common.
machine::Core common_core(const rank::Control& control, const domain::Heaps& heaps, int ranks) {
  machine::Core core;
  core.heap_base = reinterpret_cast<std::uintptr_t>(heaps.base());
  core.heap_shift = heaps.shift();
  core.heap_count = static_cast<std::uint32_t>(ranks);  // the worker's heap has no doorbell
  core.doorbells = control.doorbells();
  return core;
}

}  // namespace

RankRuntime::RankRuntime(rank::Channel channel, const rank::Control& control, domain::Heaps& heaps, const Hello& hello,
                         bool shared_objects, CheckedPlatform* checked)
    : channel_(std::move(channel)),
      heaps_(heaps),
      rank_(hello.rank),
      ranks_(hello.ranks),
      shared_objects_(shared_objects),
      checked_(checked),
      waits_for_debugger_(hello.debug != 0),
      log_(base::make_logger(fmt::format("rank {}", hello.rank))),
      slot_(control.slot(hello.rank)),
      control_(control),
      team_(control, hello.rank, hello.ranks, hello.wait_policy, common_core(control, heaps, hello.ranks), checked),
      ranges_(heaps.stride_bytes(), base::page_bytes(), colour_of(hello.rank, heaps.stride_bytes())) {
  if (checked_ == nullptr) {
    channel_.use(control.mailboxes(rank_).to_rank, control.mailboxes(rank_).to_worker);
  }
  log_.set_level(hello.verbose != 0 ? spdlog::level::info : spdlog::level::warn);
  slot_.heap_base.store(team_.core().heap_base, std::memory_order_relaxed);  // for reports
  team_.waiting().use([this] { settle_deferred(); });
}

RankRuntime::~RankRuntime() {
  for (const auto& [offset, bytes] : shared_) {
    heaps_.close({ranks_, offset});
  }
}

void RankRuntime::greet(std::uint64_t id) {
  base::Writer answer;
  answer.put(AnswerHeader{id, 0, 0});
  channel_.send(answer.bytes());
}

std::optional<rank::Message> RankRuntime::receive() {
  if (checked_ != nullptr) {
    checked_->wait_until([this] { return channel_.has_message(); });
    return channel_.receive();
  }
  for (settle_deferred(); !deferred_.empty(); settle_deferred()) {
    bool would_block = false;
    std::optional<rank::Message> message = channel_.receive(false, &would_block);
    if (message || !would_block) {
      return message;
    }
    watch_counters();
  }
  const std::uint64_t sleep_ns = base::now_ns() + rank::kLookNs;
  for (int look = 1; base::now_ns() < sleep_ns; ++look) {
    bool would_block = !channel_.has_mail() && look % rank::kLooksPerPacket != 0;
    if (!would_block) {
      std::optional<rank::Message> message = channel_.receive(false, &would_block);
      if (!would_block) {
        return message;
      }
    }
    sched_yield();
  }
  return channel_.receive();
}

void RankRuntime::watch_counters() {
  struct Watched {
    const RankRuntime& runtime;
    const std::int32_t* first;  // what a report names
  };
  const auto unsatisfied = [](const void* context) -> const std::int32_t* {
    const auto& watched = *static_cast<const Watched*>(context);
    pollfd channel{watched.runtime.channel_.fd(), POLLIN, 0};
    const bool has_risen =
        std::any_of(watched.runtime.deferred_.begin(), watched.runtime.deferred_.end(),
                    [](const Deferred& task) { return task.conditions[task.met].unmet() == nullptr; });
    const bool has_message = watched.runtime.channel_.has_mail() || poll(&channel, 1, 0) != 0;
    return watched.runtime.deferred_.empty() || has_risen || has_message ? nullptr : watched.first;
  };
  const CompletionCondition& first = deferred_.front().conditions[deferred_.front().met];
  const Watched watched{*this, first.counter};
  try {
    team_.waiting().until(
        {team_.core().heap_base, static_cast<std::int32_t>(first.expected), rank::kCompareCounter, first.site},
        unsatisfied, &watched);
  } catch (const Error&) {
    deferred_.clear();  // the run is given up, and the worker ends this rank
  }
}

void RankRuntime::settle_deferred() {
  for (Deferred& task : deferred_) {
    while (task.met < task.conditions.size() && task.conditions[task.met].unmet() == nullptr) {
      ++task.met;
    }
    if (task.met == task.conditions.size()) {
      answer_completion(task.id);
    }
  }
  std::erase_if(deferred_, [](const Deferred& task) { return task.met == task.conditions.size(); });
}

void RankRuntime::answer_completion(std::uint64_t id) {
  base::Writer answer;
  answer.put(AnswerHeader{completion_of(id), 0, 0});
  channel_.send(answer.bytes());
}

void RankRuntime::defer(std::uint64_t id, std::vector<CompletionCondition> conditions) {
  if (checked_ == nullptr) {
    deferred_.push_back({id, std::move(conditions), 0});
    return;
  }
  checked_->watch_counters(rank_, team_.core(), std::move(conditions), [this, id] { answer_completion(id); });
}

void RankRuntime::serve() {
  const CurrentCore current(team_.core());
  while (const std::optional<rank::Message> message = receive()) {
    base::Reader peek(message->bytes);
    if (peek.take<RequestHeader>().kind == RequestKind::kExit) {
      return;
    }
    answer_request(message->bytes);
  }
}

void RankRuntime::answer_request(const std::vector<std::byte>& request) {
  base::Reader in(request);
  const auto header = in.take<RequestHeader>();
  base::Writer answer;
  std::vector<CompletionCondition> conditions;
  try {
    base::Writer payload;
    handle(header.kind, in, payload, conditions);
    answer.put(AnswerHeader{header.id, 0, static_cast<std::uint8_t>(!conditions.empty())});
    answer.append(payload);
  } catch (const Error& error) {
    answer = {};
    answer.put(AnswerHeader{header.id, 1, 0});
    save_error(answer, error);
  } catch (const std::exception& error) {
    answer = {};
    answer.put(AnswerHeader{header.id, 1, 0});
    save_error(answer, Error(ErrorCode::kInternal, fmt::format("rank {}: {}", rank_, error.what()), ""));
  }
  if (header.id == 0) {
    return;  // nobody waits for it
  }
  if (answer.bytes().size() > rank::kMessageBytesMax) {
    const std::size_t bytes = answer.bytes().size();
    answer = {};
    answer.put(AnswerHeader{header.id, 1, 0});
    save_error(answer, Error(ErrorCode::kInternal, fmt::format("an answer of {} bytes", bytes), "report this"));
    conditions.clear();
  }
  channel_.send(answer.bytes());  // a closed channel ends serve() at its next receive
  if (!conditions.empty()) {
    defer(header.id, std::move(conditions));
  }
}

void RankRuntime::handle(RequestKind kind, base::Reader& in, base::Writer& out,
                         std::vector<CompletionCondition>& conditions) {
  switch (kind) {
    case RequestKind::kReserve: out.put(reserve(in.take<ReserveRequest>())); return;
    case RequestKind::kAttach: {
      AttachRequest request;
      request.load(in);
      attach(request);
      return;
    }
    case RequestKind::kDetach: domains_.erase(in.take<std::uint64_t>()); return;
    case RequestKind::kFree: free_window(in.take<std::uint64_t>()); return;
    case RequestKind::kCloseShared: {
      const auto offset = in.take<std::uint64_t>();
      if (shared_.erase(offset) != 0) {
        heaps_.close({ranks_, offset});
      }
      return;
    }
    case RequestKind::kLoad: {
      LoadRequest request;
      request.load(in);
      const std::vector<LoadedObject> objects = load(request);
      out.put(static_cast<std::uint64_t>(objects.size()));
      for (const LoadedObject& object : objects) {
        object.save(out);
      }
      return;
    }
    case RequestKind::kRun: {
      RunRequest request;
      request.load(in);
      if (checked_ != nullptr) {
        checked_->begin_task(rank_);
      }
      run(request, conditions).save(out);
      if (checked_ != nullptr) {
        checked_->end_task(rank_);
      }
      return;
    }
    case RequestKind::kNothing:
    case RequestKind::kHello: return;  // a process has read its Hello already, a thread was started with it
    case RequestKind::kExit: break;
  }
  throw Error(ErrorCode::kInternal, fmt::format("rank {} got a request of kind {}", rank_, static_cast<int>(kind)),
              "worker and rank helper must be of one build");
}

std::uint64_t RankRuntime::reserve(const ReserveRequest& request) {
  const std::optional<std::uint64_t> offset = ranges_.allocate(request.bytes);
  if (!offset) {
    throw Error(ErrorCode::kOutOfMemory,
                fmt::format("a window of {} finds no room in the {} of address space of rank {} ({} in use)",
                            base::format_bytes(request.bytes), base::format_bytes(heaps_.stride_bytes()), rank_,
                            base::format_bytes(ranges_.used_bytes())),
                "use smaller windows or raise WorkerOptions::heap_bytes");
  }
  try {
    heaps_.reserve({rank_, *offset}, request.bytes);
  } catch (...) {
    ranges_.release(*offset);
    throw;
  }
  windows_.emplace(request.domain, *offset);
  return *offset;
}

void RankRuntime::attach(const AttachRequest& request) {
  log_.info("domain {}: rank {} of {}, windows of {} bytes", request.domain, request.index, request.windows.size(),
            request.bytes);
  domains_.emplace(request.domain,
                   std::make_unique<domain::Domain>(heaps_, request.windows, request.bytes, request.index));
}

void RankRuntime::free_window(std::uint64_t domain) {
  if (const auto window = windows_.find(domain); window != windows_.end()) {
    heaps_.discard({rank_, window->second}, ranges_.bytes_at(window->second));
    ranges_.release(window->second);
    windows_.erase(window);
  }
}

std::vector<LoadedObject> RankRuntime::load(const LoadRequest& request) {
  LoadedCallable callable;
  callable.id = request.callable;
  callable.name = std::filesystem::path(request.orchestration).filename().string();
  callable.orchestration = KernelObject(request.orchestration, shared_objects_);
  callable.entry = callable.orchestration.symbol(request.entry);
  callable.config = request.config.empty() ? nullptr : callable.orchestration.symbol(request.config);
  std::vector<LoadedObject> objects;
  const auto note = [&](const KernelObject& object, bool is_kernel, std::int32_t func_id, const std::string& file) {
    const KernelObject::Span span = object.span();
    objects.push_back({span.begin, span.end, request.callable, func_id, static_cast<std::uint8_t>(is_kernel), file});
    if (checked_ != nullptr) {
      checked_->add_object(objects.back());
    }
  };
  note(callable.orchestration, false, 0, request.orchestration);
  for (const LoadRequest::Kernel& wanted : request.kernels) {
    Kernel kernel;
    kernel.name = std::filesystem::path(wanted.file).filename().string();
    kernel.object = KernelObject(wanted.file, shared_objects_);
    kernel.entry = reinterpret_cast<KernelEntry>(kernel.object.symbol("kernel_entry"));
    kernel.is_cube = wanted.is_cube != 0;
    note(kernel.object, true, wanted.func_id, wanted.file);
    callable.kernels.emplace(wanted.func_id, std::move(kernel));
  }
  log_.info("callable {}: {} with {} kernels", request.callable, callable.name, callable.kernels.size());
  callables_.insert_or_assign(request.callable, std::move(callable));
  return objects;
}

const domain::Domain& RankRuntime::domain_of(std::uint64_t id) const {
  const auto found = domains_.find(id);
  if (found == domains_.end()) {
    throw Error(ErrorCode::kBadArgument, fmt::format("rank {} is no member of domain {}", rank_, id),
                "pass window buffers and contexts only to ranks of their domain");
  }
  return *found->second;
}

void RankRuntime::open_shared(const WireTensor& tensor) {
  if (tensor.range_bytes != 0 && !shared_.contains(tensor.range_offset)) {
    heaps_.open({ranks_, tensor.range_offset}, tensor.range_bytes);
    shared_.emplace(tensor.range_offset, tensor.range_bytes);
  }
}

RunAnswer RankRuntime::run(const RunRequest& request, std::vector<CompletionCondition>& conditions) {
  TaskMemory memory(team_, request.observe != 0);
  for (const auto& [id, domain] : domains_) {
    const CommContext& context = domain->context();
    for (std::uint32_t i = 0; i < context.rankNum; ++i) {
      memory.add(reinterpret_cast<const void*>(context.windowsIn[i]), context.winSize, i, id);
    }
  }
  std::vector<ChipTensor> tensors;
  for (const WireTensor& wire : request.tensors) {
    if (wire.domain == 0) {
      open_shared(wire);
      memory.add(heaps_.at(wire.place), wire.bytes, tensors.size());
      tensors.push_back(tensor_at(heaps_.at(wire.place), wire));
    } else {
      tensors.push_back(tensor_at(domain_of(wire.domain).own_window() + wire.place.offset, wire));
    }
  }
  std::vector<std::uint64_t> scalars;
  for (const WireScalar& wire : request.scalars) {
    scalars.push_back(wire.is_context == 0 ? wire.value
                                           : reinterpret_cast<std::uintptr_t>(&domain_of(wire.value).context()));
  }
  const ChipTaskArgs args(tensors.data(), static_cast<std::int32_t>(tensors.size()), scalars.data(),
                          static_cast<std::int32_t>(scalars.size()));
  const LoadedCallable& callable = callables_.at(request.callable);

  if (std::exchange(waits_for_debugger_, false)) {
    wait_for_debugger();
  }
  TaskContext task;
  task.callable = &callable;
  task.rank = rank_;
  task.slot = &slot_;
  task.team = &team_;
  task.memory = &memory;
  task.outputs.use(memory, checked_, rank_);
  if (checked_ != nullptr) {
    task.checked = checked_;
    task.pending.use(
        [this](const CompletionCondition& condition) { checked_->await_counter(rank_, team_.core(), condition); });
  }
  begin_run(request.run);
  const ScopedTaskContext scope(task);
  log_.info("run {}: {} with {} tensors and {} scalars, {} calls", request.run, callable.name, tensors.size(),
            scalars.size(), request.calls);

  RunAnswer answer;
  try {
    if (callable.config != nullptr) {
      const auto config = reinterpret_cast<PTO2OrchestrationConfig (*)(const ChipTaskArgs&)>(callable.config)(args);
      const std::size_t given = tensors.size() + scalars.size();
      if (config.expected_arg_count > 0 && given < static_cast<std::size_t>(config.expected_arg_count)) {
        throw Error(ErrorCode::kTooFewArguments,
                    fmt::format("{} expects {} arguments and got {} tensors and {} scalars", callable.name,
                                config.expected_arg_count, tensors.size(), scalars.size()),
                    "pass the tensors, then the scalars that the orchestration names");
      }
    }
    conditions = call_entry(request, args, task, answer);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kOrchestration, fmt::format("{} on rank {} threw: {}", callable.name, rank_, error.what()),
                "correct the orchestration");
  } catch (...) {
    throw Error(ErrorCode::kOrchestration, fmt::format("{} on rank {} threw", callable.name, rank_),
                "correct the orchestration");
  }
  log_.info("run {}: {} {}, {} ns a call", request.run, callable.name,
            conditions.empty() ? "complete" : "has deferred its completion", answer.median_ns);
  return answer;
}

void RankRuntime::begin_run(std::uint64_t run) {
  if (slot_.current_run.load(std::memory_order_relaxed) != run) {
    for (int block = 0; block < control_.blocks_used(rank_);
         ++block) {  // in another run the same places are other words
      control_.blocks(rank_)[block].notifies.count.store(0, std::memory_order_release);
    }
  }
  slot_.current_run.store(run, std::memory_order_relaxed);  // relaxed: read for reports, and by ourselves
}

std::vector<CompletionCondition> RankRuntime::call_entry(const RunRequest& request, const ChipTaskArgs& args,
                                                         TaskContext& task, RunAnswer& answer) {
  const auto entry = reinterpret_cast<void (*)(const ChipTaskArgs&)>(task.callable->entry);
  CallTimes times(request.calls);
  std::vector<CompletionCondition> conditions;
  std::uint64_t start = base::now_ns();
  for (std::uint32_t call = 0; call < request.calls; ++call) {
    team_.counter().begin_call();
    const std::uint64_t submitted = task.submitted;
    entry(args);
    if (call + 1 == request.calls) {
      conditions = task.end_task();
    } else {
      task.end_call();
    }
    answer.tasks = task.submitted - submitted;
    const std::uint64_t end = base::now_ns();  // one look at the clock a call: it takes as long as a small push
    times.add(end - start);
    start = end;
  }
  machine::PhaseCounter& counter = team_.counter();
  counter.end_call();
  times.summarise(answer);
  answer.barriers = counter.barriers();
  answer.notifies = counter.notifies();
  answer.tiles = counter.tiles();
  answer.phases = folded(counter.phases());
  return conditions;
}

void RankRuntime::wait_for_debugger() {
  const auto traced = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("TracerPid:")) {
        return std::atoi(line.c_str() + sizeof("TracerPid:")) != 0;
      }
    }
    return false;
  };
  slot_.activity.store(rank::Activity::kAwaitsDebugger, std::memory_order_relaxed);  // for reports
  log_.warn("process {} waits for a debugger: gdb -p {}, then 'continue'", getpid(), getpid());
  while (!traced()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace tileput::orchestration
