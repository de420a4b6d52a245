// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What a program asks of a run: domains and submissions. Everything is checked here, before anything is sent.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "base/system.hpp"
#include "orchestration/worker_impl.hpp"

namespace tileput {

using orchestration::RequestKind;
using orchestration::WireTensor;

namespace {

constexpr std::size_t kTensorsMax = 256;
constexpr std::size_t kScalarsMax = 128;
constexpr std::size_t kWaitingMax = 256;  // submissions that have not started; each new one is compared with all

void check_ranks(const std::vector<int>& ranks, int worker_ranks, const char* what) {
  std::set<int> distinct;
  for (const int rank : ranks) {
    if (rank < 0 || rank >= worker_ranks) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} names rank {} of {}", what, rank, worker_ranks),
                  fmt::format("ranks are 0 to {}", worker_ranks - 1));
    }
    if (!distinct.insert(rank).second) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} names rank {} twice", what, rank), "name each rank once");
    }
  }
}

std::set<std::uint64_t> domains_of(const RankTask& member) {
  std::set<std::uint64_t> ids;
  for (const TaskArgs::TensorArg& arg : member.args.tensors()) {
    if (!arg.host) {
      ids.insert(arg.window.domain);
    }
  }
  for (const TaskArgs::ScalarArg& arg : member.args.scalars()) {
    if (arg.is_context) {
      ids.insert(arg.value);
    }
  }
  return ids;
}

/// Fills in element counts and returns the bytes of a window.
std::uint64_t lay_out(std::vector<BufferSpec>& buffers, std::uint64_t window_bytes) {
  std::uint64_t sum = 0;
  std::set<std::string> names;
  for (BufferSpec& buffer : buffers) {
    if (buffer.name.empty() || !names.insert(buffer.name).second) {
      throw Error(ErrorCode::kBadArgument, fmt::format("two buffers, or one without a name, called '{}'", buffer.name),
                  "give each buffer of a domain a name of its own");
    }
    if (buffer.bytes > std::numeric_limits<std::uint64_t>::max() / 2 - sum) {
      throw Error(ErrorCode::kBadArgument, fmt::format("buffer '{}' of {} bytes", buffer.name, buffer.bytes),
                  "use a size that fits into 64 bits together with the others");
    }
    const std::uint64_t elements = buffer.bytes / element_bytes(buffer.type);
    if (buffer.elements && *buffer.elements > elements) {
      throw Error(
          ErrorCode::kBadArgument,
          fmt::format("buffer '{}' declares {} elements in {} bytes", buffer.name, *buffer.elements, buffer.bytes),
          fmt::format("{} fit", elements));
    }
    if (!buffer.elements) {
      // A tensor's shape has 32 bits; the buffer may be larger, its declared shape then covers what it can.
      buffer.elements =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(elements, std::numeric_limits<std::uint32_t>::max()));
    }
    sum += buffer.bytes;
  }
  if (window_bytes > std::numeric_limits<std::uint64_t>::max() / 2) {
    throw Error(ErrorCode::kBadArgument, fmt::format("a window of {} bytes", window_bytes),
                "use a size that fits into 63 bits");
  }
  if (window_bytes == 0 ? sum == 0 : sum > window_bytes) {
    throw Error(ErrorCode::kBadArgument, fmt::format("a window of {} bytes for buffers of {} bytes", window_bytes, sum),
                sum == 0 ? "name a buffer or a window size" : "make the window at least as large as its buffers");
  }
  return std::max(window_bytes, sum);
}

}  // namespace

void Worker::Impl::require_running(const char* call) const {
  if (!running_) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{} outside run()", call),
                "use an Orchestrator only inside the function that run() calls with it");
  }
}

std::optional<std::uint64_t> Worker::Impl::limit_left() const {
  if (!memory_limit_bytes_) {
    return std::nullopt;
  }
  std::uint64_t used = store_.used_bytes();
  for (const auto& [id, record] : domains_) {
    used += base::round_up(record.domain.window_bytes(), base::page_bytes()) *
            static_cast<std::uint64_t>(record.domain.size());
  }
  return *memory_limit_bytes_ - std::min(used, *memory_limit_bytes_);
}

class Worker::Impl::Held {
 public:
  Held(orchestration::TaskGraph& graph, const std::vector<int>& ranks) : graph_(graph), ranks_(ranks) {}
  ~Held() { graph_.hold(ranks_, false); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  /// False: one of them executes something.
  bool hold() {
    const bool idle = std::none_of(ranks_.begin(), ranks_.end(), [this](int rank) { return graph_.is_busy(rank); });
    graph_.hold(ranks_, idle);
    return idle;
  }

 private:
  orchestration::TaskGraph& graph_;
  const std::vector<int>& ranks_;
};

Domain Worker::Impl::allocate_domain(const DomainOptions& options) {
  require_running("allocate_domain");
  Domain made;
  made.id_ = base::next_number<Domain>();  // distinct in the process: never taken for another worker's
  made.ranks_ = options.ranks;
  if (made.ranks_.empty()) {
    made.ranks_.resize(static_cast<std::size_t>(pool_.size()));
    std::iota(made.ranks_.begin(), made.ranks_.end(), 0);
  }
  check_ranks(made.ranks_, pool_.size(), "the domain");
  made.buffers_ = options.buffers;
  made.window_bytes_ = lay_out(made.buffers_, options.window_bytes);

  DomainRecord record{made, {}, 0, false};
  const std::vector<int>& ranks = made.ranks_;
  participants_.insert(ranks.begin(), ranks.end());
  const auto call_all = [&](RequestKind kind) { call(ranks, kind, [&](std::size_t) { return saved(made.id_); }); };
  const auto undo = [&](RequestKind kind) {
    if (!failure_) {  // else the ranks are abandoned, with all they have
      call_all(kind);
    }
  };
  // The claim below, which other jobs of the machine may wait for, is then held for no longer than it takes to fill the
  // windows: these ranks execute nothing meanwhile. They answer one request after the other, so kNothing waits for what
  // they execute; when the last has answered, the first may have been given something else.
  Held held(graph_, ranks);
  while (!held.hold()) {
    call_all(RequestKind::kNothing);
  }
  const auto reserve = [&] {
    const auto members = static_cast<std::uint64_t>(made.size());
    const std::uint64_t per_rank = base::round_up(made.window_bytes_, base::page_bytes());
    if (per_rank > std::numeric_limits<std::uint64_t>::max() / members) {
      throw Error(ErrorCode::kOutOfMemory, fmt::format("{} windows of {} bytes", members, made.window_bytes_),
                  "use smaller buffers");
    }
    const domain::MemoryClaim claim(
        per_rank * members,
        fmt::format("a domain of {} windows of {} each,", members, base::format_bytes(per_rank)).c_str(), limit_left());
    try {
      const auto answers = call(ranks, RequestKind::kReserve, [&](std::size_t) {
        base::Writer out;
        out.put(orchestration::ReserveRequest{made.id_, made.window_bytes_});
        return out;
      });
      for (std::size_t i = 0; i < ranks.size(); ++i) {
        base::Reader in(answers[i].payload);
        record.windows.push_back({ranks[i], in.take<std::uint64_t>()});
      }
    } catch (const Error&) {
      undo(RequestKind::kFree);  // those that had room
      throw;
    }
  };
  for (;;) {
    try {
      with_room(reserve);
      break;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kOutOfMemory || failure_ || !await_released()) {
        throw;
      }
    }
  }
  // The allocation barrier: every window is zero, so from here on addresses may exist for everybody.
  try {
    call(ranks, RequestKind::kAttach, [&](std::size_t i) {
      base::Writer out;
      orchestration::AttachRequest{made.id_, made.window_bytes_, static_cast<std::int32_t>(i), record.windows}.save(
          out);
      return out;
    });
  } catch (const Error&) {
    undo(RequestKind::kDetach);
    undo(RequestKind::kFree);
    throw;
  }
  orchestration::JobDescription::Domain described{made.id_, made.window_bytes_, ranks, {}, {}};
  for (const domain::HeapAddress& window : record.windows) {
    described.windows.push_back(window.offset);
  }
  std::uint64_t offset = 0;
  for (const BufferSpec& buffer : made.buffers_) {
    described.buffers.push_back({buffer.name, offset, buffer.bytes});
    offset += buffer.bytes;
  }
  if (pool_.checked() != nullptr) {
    pool_.checked()->describe_domain(described, reinterpret_cast<std::uintptr_t>(pool_.heaps().base()),
                                     pool_.heaps().shift());
  }
  pool_.job().domains.push_back(std::move(described));
  pool_.publish();
  domains_.emplace(made.id_, record);
  return made;
}

void Worker::Impl::check_members(const Callable& callable, const std::vector<RankTask>& members,
                                 const TaskOptions& options) const {
  if (!callables_.contains(callable.id())) {
    throw Error(ErrorCode::kBadArgument, fmt::format("callable {} is not of this worker", callable.id()),
                "load it on the worker that runs it");
  }
  if (members.empty() || options.calls == 0) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("a group of {} members with {} calls", members.size(), options.calls),
                "submit at least one member and one call");
  }
  std::vector<int> ranks;
  for (const RankTask& member : members) {
    ranks.push_back(member.rank);
    const std::size_t tensors = member.args.tensors().size();
    const std::size_t scalars = member.args.scalars().size();
    if (tensors > kTensorsMax || scalars > kScalarsMax) {
      throw Error(ErrorCode::kBadArgument,
                  fmt::format("the task for rank {} has {} tensors and {} scalars", member.rank, tensors, scalars),
                  fmt::format("at most {} and {} fit", kTensorsMax, kScalarsMax));
    }
    const auto require_member = [&](std::uint64_t id) {
      const auto record = domains_.find(id);
      if (record == domains_.end() || record->second.released) {
        throw Error(
            ErrorCode::kBadArgument,
            fmt::format("the task for rank {} names domain {}, which this run has not allocated, or has released",
                        member.rank, id),
            "a domain lives until it is released, and not longer than the run that allocated it");
      }
      const std::vector<int>& of = record->second.domain.ranks();
      if (std::find(of.begin(), of.end(), member.rank) == of.end()) {
        throw Error(ErrorCode::kBadArgument,
                    fmt::format("the task for rank {} names domain {}, of which it is no member", member.rank, id),
                    "pass window buffers and contexts only to ranks of their domain");
      }
    };
    for (const TaskArgs::TensorArg& arg : member.args.tensors()) {
      if (!arg.host) {
        require_member(arg.window.domain);
      }
    }
    for (const TaskArgs::ScalarArg& arg : member.args.scalars()) {
      if (arg.is_context) {
        require_member(arg.value);
      }
    }
  }
  check_ranks(ranks, pool_.size(), "the group");
}

void Worker::Impl::release_domain(std::uint64_t id) {
  require_running("release_domain");
  const auto record = domains_.find(id);
  if (record == domains_.end() || record->second.released) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("domain {} to release, which this run has not allocated, or has released", id),
                "release each domain once, in the run that allocated it");
  }
  record->second.released = true;
  if (record->second.users == 0) {
    close(id);
  }
  go_on_with_arrived();
}

bool Worker::Impl::await_released() {
  const auto released = [this] {
    return std::count_if(domains_.begin(), domains_.end(), [](const auto& entry) { return entry.second.released; });
  };
  const auto before = released();
  while (before != 0 && released() == before) {
    pump({});
  }
  return before != 0;
}

void Worker::Impl::check_after(const TaskOptions& options) const {
  for (const Submission& submission : options.after) {
    if (submission.run_ != run_number_ || submission.index_ >= groups_.size()) {
      throw Error(ErrorCode::kBadArgument,
                  fmt::format("TaskOptions::after names submission {} of another run", submission.index_),
                  "name what submit_group() and submit() returned in this run");
    }
  }
}

void Worker::Impl::stage(const std::vector<RankTask>& members, Group& group) {
  for (std::size_t member = 0; member < members.size(); ++member) {
    for (const TaskArgs::TensorArg& arg : members[member].args.tensors()) {
      if (arg.host && arg.host->bytes() != 0) {
        auto* const begin = static_cast<std::byte*>(const_cast<void*>(arg.host->data()));  // written only if writable
        group.ranges.push_back(
            {member, begin, begin + arg.host->bytes(), arg.direction != TaskArgs::Direction::kInput});
      }
    }
  }
  std::vector<Range> apart = group.ranges;
  std::erase_if(apart, [this](const Range& range) {
    return store_.find(range.begin, static_cast<std::uint64_t>(range.end - range.begin)).has_value();
  });
  std::sort(apart.begin(), apart.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  for (std::size_t i = 0; i < apart.size();) {
    Staged staged{apart[i].begin, apart[i].end, {}, nullptr};
    bool merged = false;
    for (++i; i < apart.size() && apart[i].begin < staged.end; ++i) {
      merged |= apart[i].begin != staged.begin || apart[i].end != staged.end;
      staged.end = std::max(staged.end, apart[i].end);
    }
    // Where arguments lie inside each other, each keeps the alignment it has on the host.
    const std::uint64_t lead = merged ? reinterpret_cast<std::uintptr_t>(staged.begin) % 64 : 0;
    staged.block = take_staging(lead + static_cast<std::uint64_t>(staged.end - staged.begin));
    staged.copy = store_.at(staged.block.offset) + lead;
    group.staged.push_back(staged);
  }
}

const Worker::Impl::Staged* Worker::Impl::Group::staged_at(const std::byte* host) const noexcept {
  const auto found = std::find_if(staged.begin(), staged.end(), [host](const Staged& candidate) {
    return host >= candidate.begin && host < candidate.end;
  });
  return found == staged.end() ? nullptr : &*found;
}

WireTensor Worker::Impl::wire_host(const TaskArgs::TensorArg& arg, const Group& group) const {
  const Tensor& tensor = *arg.host;
  WireTensor wire;
  wire.bytes = tensor.bytes();
  wire.dims = static_cast<std::uint32_t>(tensor.shape().size());
  std::copy(tensor.shape().begin(), tensor.shape().end(), wire.shape);
  wire.type = static_cast<std::uint8_t>(tensor.type());
  wire.place.heap = store_.heap();
  if (wire.bytes == 0) {
    return wire;  // a place that nobody may access
  }
  const auto* const host = static_cast<const std::byte*>(tensor.data());
  const std::byte* address = host;
  std::optional<Block> block = store_.find(host, wire.bytes);
  if (!block) {
    const Staged* const staged = group.staged_at(host);
    block = staged->block;
    address = staged->copy + (host - staged->begin);
  }
  wire.place.offset = static_cast<std::uint64_t>(address - store_.at(0));
  wire.range_offset = block->offset;
  wire.range_bytes = block->bytes;
  return wire;
}

WireTensor Worker::Impl::wire_window(const TaskArgs::TensorArg& arg, int rank) const {
  WireTensor wire;
  wire.place = {rank, arg.window.offset_bytes};
  wire.domain = arg.window.domain;
  wire.bytes = arg.window.bytes;
  wire.shape[0] = arg.window.elements;
  wire.dims = 1;
  wire.type = static_cast<std::uint8_t>(arg.window.type);
  return wire;
}

orchestration::RunRequest Worker::Impl::make_request(const RankTask& member, const Group& group) const {
  orchestration::RunRequest request;
  for (const TaskArgs::TensorArg& arg : member.args.tensors()) {
    request.tensors.push_back(arg.host ? wire_host(arg, group) : wire_window(arg, member.rank));
  }
  for (const TaskArgs::ScalarArg& arg : member.args.scalars()) {
    request.scalars.push_back({arg.value, static_cast<std::uint8_t>(arg.is_context)});
  }
  return request;
}

void Worker::Impl::describe_tensors(const std::vector<RankTask>& members, const Group& group) {
  if (pool_.checked() == nullptr) {
    return;
  }
  for (const Staged& staged : group.staged) {
    pool_.checked()->take_memory(address_of(staged.block), staged.block.bytes);
  }
  for (const RankTask& member : members) {
    const std::vector<TaskArgs::TensorArg>& tensors = member.args.tensors();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].host && tensors[i].host->bytes() != 0) {
        const WireTensor wire = wire_host(tensors[i], group);
        pool_.checked()->describe_tensor(member.rank, i, reinterpret_cast<std::uintptr_t>(pool_.heaps().at(wire.place)),
                                         wire.bytes, element_bytes(tensors[i].host->type()));
      }
    }
  }
}

std::vector<orchestration::TaskGraph::Task> Worker::Impl::accesses_of(const std::vector<RankTask>& members,
                                                                      const Group& group) {
  std::vector<orchestration::TaskGraph::Task> tasks;
  for (const RankTask& member : members) {
    tasks.push_back({member.rank, {}});
    for (const TaskArgs::TensorArg& arg : member.args.tensors()) {
      if (!arg.host && arg.window.bytes != 0) {
        tasks.back().accesses.push_back(
            {arg.window.domain, arg.window.offset_bytes, arg.window.offset_bytes + arg.window.bytes, true});
      }
    }
  }
  for (const Range& range : group.ranges) {
    tasks[range.member].accesses.push_back(
        {0, reinterpret_cast<std::uintptr_t>(range.begin), reinterpret_cast<std::uintptr_t>(range.end), range.written});
  }
  return tasks;
}

Submission Worker::Impl::submit_group(const Callable& callable, const std::vector<RankTask>& members,
                                      const TaskOptions& options) {
  require_running("submit");
  check_members(callable, members, options);
  check_after(options);
  if (failure_) {
    throw Error(*failure_);
  }
  std::vector<std::size_t> after;
  for (const Submission& submission : options.after) {
    after.push_back(submission.index_);
  }
  go_on_with_arrived();
  Group fresh;
  while (!try_stage(members, fresh)) {
    const std::size_t open = running_groups_.size() + graph_.waiting().size();
    while (running_groups_.size() + graph_.waiting().size() == open) {
      pump({});  // memory comes back with the next group that is complete
    }
  }
  const std::size_t index = groups_.size();
  try {
    for (const RankTask& member : members) {
      orchestration::RunRequest request = make_request(member, fresh);
      request.run = run_id_;
      request.callable = callable.id();
      request.calls = options.calls;
      request.observe = options.observe ? 1 : 0;
      fresh.payloads.push_back(saved(request));
      fresh.members.push_back(member.rank);
      fresh.domains.push_back(domains_of(member));
      fresh.report.ranks.emplace_back();
      fresh.report.ranks.back().rank = member.rank;
      fresh.report.ranks.back().calls = options.calls;
    }
    fresh.requests.resize(members.size());
    if (pool_.checked() != nullptr) {
      fresh.before = pool_.checked()->answered();
      fresh.done.resize(members.size());
    }
    describe_tensors(members, fresh);
    participants_.insert(fresh.members.begin(), fresh.members.end());
    groups_.emplace_back();
    try {
      graph_.add(accesses_of(members, fresh), after);
    } catch (...) {
      groups_.pop_back();
      throw;
    }
  } catch (...) {
    unstage(fresh);
    throw;
  }
  groups_.back() = std::move(fresh);
  for (const std::set<std::uint64_t>& ids : groups_.back().domains) {
    for (const std::uint64_t id : ids) {
      ++domains_.at(id).users;
    }
  }
  go_on();
  while (graph_.waiting().size() > kWaitingMax) {
    pump({});
  }
  return {run_number_, index};
}

bool Worker::Impl::try_stage(const std::vector<RankTask>& members, Group& fresh) {
  try {
    stage(members, fresh);
    return true;
  } catch (const Error& error) {
    unstage(fresh);
    fresh = {};
    if (error.code() != ErrorCode::kOutOfMemory || failure_ || graph_.empty()) {
      throw;
    }
    return false;
  } catch (...) {
    unstage(fresh);
    throw;
  }
}

}  // namespace tileput
