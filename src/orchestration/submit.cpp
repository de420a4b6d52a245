// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What a program asks of a run: domains and submissions. Everything is checked here, before anything is sent.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "base/memory.hpp"
#include "base/system.hpp"
#include "orchestration/worker_impl.hpp"

namespace tileput {

using orchestration::RequestKind;
using orchestration::WireTensor;

namespace {

constexpr std::size_t kTensorsMax = 256;
constexpr std::size_t kScalarsMax = 128;

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
  if (window_bytes == 0 ? sum == 0 : sum > window_bytes) {
    throw Error(ErrorCode::kBadArgument, fmt::format("a window of {} bytes for buffers of {} bytes", window_bytes, sum),
                sum == 0 ? "name a buffer or a window size" : "make the window at least as large as its buffers");
  }
  return std::max(window_bytes, sum);
}

}  // namespace

Domain Worker::Impl::allocate_domain(const DomainOptions& options) {
  Domain made;
  made.id_ = ++last_domain_;
  made.ranks_ = options.ranks;
  if (made.ranks_.empty()) {
    made.ranks_.resize(static_cast<std::size_t>(pool_.size()));
    std::iota(made.ranks_.begin(), made.ranks_.end(), 0);
  }
  check_ranks(made.ranks_, pool_.size(), "the domain");
  made.buffers_ = options.buffers;
  made.window_bytes_ = lay_out(made.buffers_, options.window_bytes);

  const base::NodeMemoryLock lock;
  std::optional<std::uint64_t> left;
  const std::uint64_t per_rank = base::round_up(made.window_bytes_, base::page_bytes());
  const auto members = static_cast<std::uint64_t>(made.size());
  if (memory_limit_bytes_) {
    std::uint64_t used = store_.used_bytes();
    for (const auto& [id, record] : domains_) {
      used += base::round_up(record.domain.window_bytes(), base::page_bytes()) *
              static_cast<std::uint64_t>(record.domain.size());
    }
    left = *memory_limit_bytes_ - std::min(used, *memory_limit_bytes_);
  }
  if (per_rank > std::numeric_limits<std::uint64_t>::max() / members) {
    throw Error(ErrorCode::kOutOfMemory, fmt::format("{} windows of {} bytes", members, made.window_bytes_),
                "use smaller buffers");
  }
  domain::require_memory(per_rank * members, fmt::format("a domain of {} windows", members).c_str(), left);

  DomainRecord record{made, {}};
  const std::vector<int>& ranks = made.ranks_;
  const auto undo = [&](RequestKind kind) {
    if (failure_) {
      return;  // the ranks are abandoned, with all they have
    }
    call(ranks, kind, [&](std::size_t) {
      base::Writer out;
      out.put(made.id_);
      return out;
    });
  };
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
      if (record == domains_.end()) {
        throw Error(
            ErrorCode::kBadArgument,
            fmt::format("the task for rank {} names domain {}, which this run has not allocated", member.rank, id),
            "a domain lives as long as the run that allocated it");
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

WireTensor Worker::Impl::wire_host(const TaskArgs::TensorArg& arg, Submission& submission) {
  const Tensor& tensor = *arg.host;
  const auto* const host = static_cast<const std::byte*>(tensor.data());
  const bool written = arg.direction != TaskArgs::Direction::kInput;
  const bool read = arg.direction != TaskArgs::Direction::kOutput;
  submission.ranges.push_back({host, host + tensor.bytes(), written});

  WireTensor wire;
  wire.bytes = tensor.bytes();
  wire.dims = static_cast<std::uint32_t>(tensor.shape().size());
  std::copy(tensor.shape().begin(), tensor.shape().end(), wire.shape);
  wire.type = static_cast<std::uint8_t>(tensor.type());
  wire.place.heap = store_.heap();
  Block block;
  if (const auto shared = store_.find(host, wire.bytes)) {
    block = *shared;
    wire.place.offset = static_cast<std::uint64_t>(host - store_.at(0));
  } else {
    // Arguments that name the same memory share one block, as they would share the memory itself.
    auto staged = std::find_if(submission.staged.begin(), submission.staged.end(),
                               [&](const Staged& s) { return s.host == host && s.bytes == wire.bytes; });
    if (staged == submission.staged.end()) {
      staged = submission.staged.insert(staged, Staged{host, wire.bytes, take_staging(wire.bytes)});
    }
    staged->copy_in |= read;
    staged->copy_back |= written;
    block = staged->block;
    wire.place.offset = block.offset;
  }
  wire.range_offset = block.offset;
  wire.range_bytes = block.bytes;
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

orchestration::RunRequest Worker::Impl::make_request(const RankTask& member, Submission& submission) {
  orchestration::RunRequest request;
  for (const TaskArgs::TensorArg& arg : member.args.tensors()) {
    request.tensors.push_back(arg.host ? wire_host(arg, submission) : wire_window(arg, member.rank));
  }
  for (const TaskArgs::ScalarArg& arg : member.args.scalars()) {
    request.scalars.push_back({arg.value, static_cast<std::uint8_t>(arg.is_context)});
  }
  return request;
}

void Worker::Impl::submit_group(const Callable& callable, const std::vector<RankTask>& members,
                                const TaskOptions& options) {
  check_members(callable, members, options);
  Submission fresh;
  std::vector<orchestration::RunRequest> requests;
  try {
    for (const RankTask& member : members) {
      fresh.members.push_back(member.rank);
      requests.push_back(make_request(member, fresh));
    }
    wait_for_conflicts(fresh);
  } catch (...) {
    for (const Staged& staged : fresh.staged) {
      staging_.push_back(staged.block);
    }
    throw;
  }
  for (const Staged& staged : fresh.staged) {
    if (staged.copy_in && staged.bytes != 0) {
      std::memcpy(store_.at(staged.block.offset), staged.host, staged.bytes);
    }
  }
  fresh.report.ranks.resize(members.size());
  fresh.requests.resize(members.size());
  submissions_.push_back(std::move(fresh));
  for (std::size_t i = 0; i < members.size(); ++i) {
    requests[i].run = run_id_;
    requests[i].callable = callable.id();
    requests[i].calls = options.calls;
    requests[i].observe = options.observe ? 1 : 0;
    base::Writer out;
    requests[i].save(out);
    RankReport& report = submissions_.back().report.ranks[i];
    report.rank = members[i].rank;
    report.calls = options.calls;
    submissions_.back().requests[i] = send(members[i].rank, RequestKind::kRun, out);
  }
}

std::string Worker::Impl::describe_wait(int rank) const {
  constexpr const char* kCompare[] = {"==", "!=", ">", ">=", "<", "<="};
  const rank::RankSlot& slot = pool_.control().slot(rank);
  if (slot.wait.sleeping.load(std::memory_order_acquire) == 0) {  // pairs with the release in Waiting::until
    return fmt::format("rank {} computes", rank);
  }
  const int heap = slot.wait.heap.load(std::memory_order_relaxed);
  const std::uint64_t offset = slot.wait.offset.load(std::memory_order_relaxed);
  std::string place = "memory outside every window";
  for (const auto& [id, record] : domains_) {
    for (const domain::HeapAddress& window : record.windows) {
      if (window.heap == heap && offset >= window.offset && offset - window.offset < record.domain.window_bytes()) {
        place = fmt::format("byte {} of rank {}'s window of domain {}", offset - window.offset, heap, id);
      }
    }
  }
  const std::uint32_t compare = slot.wait.compare.load(std::memory_order_relaxed);
  return fmt::format("rank {} waits for {} to be {} {} and sees {}", rank, place, kCompare[compare % 6],
                     slot.wait.expected.load(std::memory_order_relaxed),
                     slot.wait.seen.load(std::memory_order_relaxed));
}

std::string Worker::Impl::wait_table() const {
  std::vector<std::string> lines;
  std::set<int> silent = pool_.owing();
  for (const Submission& submission : submissions_) {
    for (std::size_t i = 0; i < submission.members.size(); ++i) {
      const int rank = submission.members[i];
      lines.push_back(submission.requests[i] == 0 ? fmt::format("rank {} has finished", rank) : describe_wait(rank));
      silent.erase(rank);
    }
  }
  for (const int rank : silent) {
    lines.push_back(fmt::format("rank {} does not answer", rank));
  }
  return lines.empty() ? "nothing was submitted" : fmt::format("{}", fmt::join(lines, "; "));
}

}  // namespace tileput
