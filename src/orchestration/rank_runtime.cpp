// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/rank_runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/system.hpp"
#include "machine/phase_counter.hpp"
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

/// Attaches an observer to a core for the duration of a task.
class Observed {
 public:
  Observed(machine::Core& core, machine::Observer* observer) noexcept : core_(core) { core.observer = observer; }
  ~Observed() { core_.observer = nullptr; }
  Observed(const Observed&) = delete;
  Observed& operator=(const Observed&) = delete;

 private:
  machine::Core& core_;
};

}  // namespace

RankRuntime::RankRuntime(rank::Channel channel, const rank::Control& control, domain::Heaps& heaps, const Hello& hello,
                         bool shared_objects)
    : channel_(std::move(channel)),
      heaps_(heaps),
      rank_(hello.rank),
      ranks_(hello.ranks),
      shared_objects_(shared_objects),
      waiting_(control, hello.rank, hello.wait_policy),
      ranges_(heaps.stride_bytes(), base::page_bytes()) {
  on_chip_.attach(core_);
  core_.heap_base = reinterpret_cast<std::uintptr_t>(heaps.base());
  core_.heap_shift = heaps.shift();
  core_.heap_count = static_cast<std::uint32_t>(hello.ranks);  // the worker's heap has no doorbell
  core_.doorbells = control.doorbells();
  core_.waiting = &waiting_;
}

RankRuntime::~RankRuntime() {
  for (const auto& [offset, bytes] : shared_) {
    heaps_.close({ranks_, offset});
  }
}

void RankRuntime::serve() {
  const CurrentCore current(core_);
  while (const std::optional<rank::Message> message = channel_.receive()) {
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
  try {
    base::Writer payload;
    handle(header.kind, in, payload);
    answer.put(AnswerHeader{header.id, 0});
    answer.append(payload);
  } catch (const Error& error) {
    answer = {};
    answer.put(AnswerHeader{header.id, 1});
    save_error(answer, error);
  } catch (const std::exception& error) {
    answer = {};
    answer.put(AnswerHeader{header.id, 1});
    save_error(answer, Error(ErrorCode::kInternal, fmt::format("rank {}: {}", rank_, error.what()), ""));
  }
  if (header.id == 0) {
    return;  // nobody waits for it
  }
  channel_.send(answer.bytes());  // a closed channel ends serve() at its next receive
}

void RankRuntime::handle(RequestKind kind, base::Reader& in, base::Writer& out) {
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
      load(request);
      return;
    }
    case RequestKind::kRun: {
      RunRequest request;
      request.load(in);
      run(request).save(out);
      return;
    }
    case RequestKind::kHello:
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

void RankRuntime::load(const LoadRequest& request) {
  LoadedCallable callable;
  callable.name = std::filesystem::path(request.orchestration).filename().string();
  callable.orchestration = KernelObject(request.orchestration, shared_objects_);
  callable.entry = callable.orchestration.symbol(request.entry);
  callable.config = request.config.empty() ? nullptr : callable.orchestration.symbol(request.config);
  for (const LoadRequest::Kernel& wanted : request.kernels) {
    Kernel kernel;
    kernel.name = std::filesystem::path(wanted.file).filename().string();
    kernel.object = KernelObject(wanted.file, shared_objects_);
    kernel.entry = reinterpret_cast<KernelEntry>(kernel.object.symbol("kernel_entry"));
    kernel.is_cube = wanted.is_cube != 0;
    callable.kernels.emplace(wanted.func_id, std::move(kernel));
  }
  callables_.insert_or_assign(request.callable, std::move(callable));
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
  if (!shared_.contains(tensor.range_offset)) {
    heaps_.open({ranks_, tensor.range_offset}, tensor.range_bytes);
    shared_.emplace(tensor.range_offset, tensor.range_bytes);
  }
}

RunAnswer RankRuntime::run(const RunRequest& request) {
  std::vector<ChipTensor> tensors;
  for (const WireTensor& wire : request.tensors) {
    if (wire.domain == 0) {
      open_shared(wire);
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

  TaskContext task;
  task.callable = &callable;
  task.rank = rank_;
  const ScopedTaskContext scope(task);
  waiting_.begin_run(request.run);

  RunAnswer answer;
  CallTimes times(request.calls);
  machine::PhaseCounter counter(core_, rank_, ranks_);
  const Observed observed(core_, request.observe != 0 ? &counter : nullptr);
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
    const auto entry = reinterpret_cast<void (*)(const ChipTaskArgs&)>(callable.entry);
    for (std::uint32_t call = 0; call < request.calls; ++call) {
      counter.begin_call();
      const std::uint64_t start = base::now_ns();
      entry(args);
      times.add(base::now_ns() - start);
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kOrchestration, fmt::format("{} on rank {} threw: {}", callable.name, rank_, error.what()),
                "correct the orchestration");
  } catch (...) {
    throw Error(ErrorCode::kOrchestration, fmt::format("{} on rank {} threw", callable.name, rank_),
                "correct the orchestration");
  }
  counter.end_call();
  times.summarise(answer);
  answer.barriers = counter.barriers();
  answer.notifies = counter.notifies();
  answer.tiles = counter.tiles();
  answer.phases = counter.phases();
  return answer;
}

}  // namespace tileput::orchestration
