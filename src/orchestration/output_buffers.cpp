// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/output_buffers.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "base/system.hpp"
#include "domain/heaps.hpp"
#include "orchestration/checked_platform.hpp"
#include "orchestration/pending_tasks.hpp"
#include "orchestration/task_memory.hpp"
#include "pto_orchestration_api.h"
#include "tileput/error.hpp"

namespace tileput::orchestration {

namespace {

constexpr std::align_val_t kAlignment{64};
[[noreturn]] void fail_allocation(std::uint64_t bytes, const std::string& name) {
  throw Error(ErrorCode::kOutOfMemory,
              fmt::format("{} of {} ({} bytes) finds no memory", name, base::format_bytes(bytes), bytes),
              "use smaller outputs, or end a PTO2_SCOPE earlier");
}

/// Takes the pages now: memory that was promised and not taken would be promised to the next one as well.
std::shared_ptr<std::byte> map_pages(std::uint64_t bytes, const std::string& name) {
  void* const begin = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin == MAP_FAILED) {
    fail_allocation(bytes, name);
  }
  std::shared_ptr<std::byte> memory(static_cast<std::byte*>(begin),
                                    [bytes](std::byte* mapped) { munmap(mapped, bytes); });
  int result = 0;
  do {
    result = madvise(begin, bytes, MADV_POPULATE_WRITE);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EINVAL) {
    fail_allocation(bytes, name);
  }
  if (result != 0) {  // kernels before 5.14
    for (std::uint64_t at = 0; at < bytes; at += base::page_bytes()) {
      *static_cast<volatile std::byte*>(memory.get() + at) = std::byte{0};
    }
  }
  return memory;
}

}  // namespace

std::shared_ptr<std::byte> allocate_output(std::uint64_t bytes, const std::string& name) {
  const std::uint64_t page = base::page_bytes();
  if (bytes > std::numeric_limits<std::uint64_t>::max() - page) {
    fail_allocation(bytes, name);
  }
  const domain::MemoryClaim claim(bytes, name.c_str(), std::nullopt);
  if (bytes > kPoisonedBytesMax) {
    return map_pages(base::round_up(bytes, page), name);
  }
  const std::uint64_t padded = base::round_up(std::max<std::uint64_t>(bytes, 1), 64);
  auto* const begin = static_cast<std::byte*>(::operator new(padded, kAlignment, std::nothrow));
  if (begin == nullptr) {
    fail_allocation(bytes, name);
  }
  std::memset(begin, 0xcd, padded);
  return {begin, [](std::byte* memory) { ::operator delete(memory, kAlignment); }};
}

void OutputBuffers::use(TaskMemory& memory, CheckedPlatform* checked, int rank) noexcept {
  memory_ = &memory;
  checked_ = checked;
  rank_ = rank;
}

ChipTensor OutputBuffers::make(std::uint64_t task, std::size_t index, std::int32_t func_id, const ChipTensor& layout) {
  const std::string name = fmt::format("output {} of task {}", index, task);
  const std::uint64_t element_bytes = get_element_size(layout.dtype);
  if (layout.numel() > std::numeric_limits<std::uint64_t>::max() / element_bytes) {
    throw Error(ErrorCode::kOutOfMemory,
                fmt::format("{} has {} elements of {} bytes", name, layout.numel(), element_bytes),
                "use smaller outputs");
  }
  Buffer buffer;
  buffer.task = task;
  buffer.index = index;
  buffer.depth = depth_;
  buffer.bytes = layout.nbytes();
  // A region's name is the same in every call, so that findings of all calls are one.
  buffer.memory = checked_ == nullptr
                      ? allocate_output(buffer.bytes, name)
                      : checked_->take_output(rank_, fmt::format("output {} of func_id {}", index, func_id),
                                              buffer.bytes, static_cast<std::uint32_t>(element_bytes));
  memory_->add_output(buffer.memory.get(), buffer.bytes, index, task);
  open_.push_back(std::move(buffer));
  by_begin_[open_.back().begin()] = &open_.back();
  ChipTensor tensor = layout;
  tensor.buffer = {open_.back().begin(), open_.back().bytes};
  tensor.owner_task_id.raw = task;
  return tensor;
}

std::span<const ChipTensor> OutputBuffers::allocate(std::uint64_t task, std::int32_t func_id,
                                                    const CoreTaskArgs& args) {
  std::vector<ChipTensor> made;
  for (int i = 0; i < args.tensor_count(); ++i) {
    if (args.direction(i) == TensorArgType::OUTPUT) {
      made.push_back(make(task, made.size(), func_id, args.create_info(i).layout()));
    }
  }
  if (made.empty()) {
    return {};
  }
  return descriptors_.emplace_back(std::move(made));
}

void OutputBuffers::require_live(const ChipTensor& tensor) const {
  if (tensor.owner_task_id.raw == PTO2TaskId().raw) {
    return;
  }
  const std::uintptr_t first = tensor.buffer.addr;
  const auto found = by_begin_.find(first);
  if (found == by_begin_.end() || found->second->task != tensor.owner_task_id.raw) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("a tensor at {:#x} is an output of task {}, whose scope has ended", first,
                            tensor.owner_task_id.raw),
                "use outputs inside the PTO2_SCOPE, and the call, that they were allocated in");
  }
}

void OutputBuffers::end_scopes_from(std::uint64_t depth) noexcept {
  while (!open_.empty() && open_.back().depth >= depth) {
    by_begin_.erase(open_.back().begin());
    ended_.splice(ended_.end(), open_, std::prev(open_.end()));
  }
}

void OutputBuffers::end_scope(const PendingTasks& pending) noexcept {
  end_scopes_from(depth_);
  --depth_;
  collect(pending);
}

void OutputBuffers::collect(const PendingTasks& pending) noexcept {
  for (auto buffer = ended_.begin(); buffer != ended_.end();) {
    if (pending.names(buffer->begin(), buffer->begin() + std::max<std::uint64_t>(buffer->bytes, 1))) {
      ++buffer;
    } else {
      memory_->remove_output(buffer->memory.get());
      buffer = ended_.erase(buffer);
    }
  }
}

void OutputBuffers::end_call(const PendingTasks& pending) noexcept {
  end_scopes_from(0);
  collect(pending);
  depth_ = 0;
  descriptors_.clear();
}

}  // namespace tileput::orchestration
