// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Tensors that the runtime allocates for core tasks (spec section 18.4): TensorCreateInfo objects among their outputs.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor.h"

class CoreTaskArgs;

namespace tileput::orchestration {

class CheckedPlatform;
class PendingTasks;
class TaskMemory;

/// `bytes` of memory, at least one, aligned to 64. Up to kPoisonedBytesMax they are filled with 0xcd, which costs a few
/// microseconds; more comes from the system page by page, as zeros, so that nothing of an earlier task is in it.
/// Errors: kOutOfMemory, with `name`.
std::shared_ptr<std::byte> allocate_output(std::uint64_t bytes, const std::string& name);
inline constexpr std::uint64_t kPoisonedBytesMax = 64U << 10U;

/// The buffers of one rank's chip task. A buffer belongs to the innermost scope of its submit call; an orchestration
/// call is the outermost. When its scope has ended no further task may name it, and its memory is given back once no
/// pending task names it. Used by the rank's thread, while no block runs.
class OutputBuffers {
 public:
  /// Where kernels learn of them. `checked`: the machine that the rank runs on; null: the CPU.
  void use(TaskMemory& memory, CheckedPlatform* checked, int rank) noexcept;

  /// One for each TensorCreateInfo in `args`, in that order. The descriptors live until end_call(). Memory that is
  /// neither a window nor an argument of the host is refused with its name: kOutOfMemory.
  [[nodiscard]] std::span<const ChipTensor> allocate(std::uint64_t task, std::int32_t func_id,
                                                     const CoreTaskArgs& args);
  /// Errors: kBadArgument where `tensor` was allocated in a scope that has ended.
  void require_live(const ChipTensor& tensor) const;

  void begin_scope() noexcept { ++depth_; }
  void end_scope(const PendingTasks& pending) noexcept;
  /// Gives back what has ended and is not pending any more.
  void collect(const PendingTasks& pending) noexcept;
  /// Ends everything; descriptors, too.
  void end_call(const PendingTasks& pending) noexcept;

  /// Buffers that hold memory.
  [[nodiscard]] std::size_t size() const noexcept { return open_.size() + ended_.size(); }

 private:
  struct Buffer {
    std::uint64_t task = 0;
    std::size_t index = 0;
    std::uint64_t depth = 0;  ///< of its scope
    std::uint64_t bytes = 0;
    std::shared_ptr<std::byte> memory;
    [[nodiscard]] std::uintptr_t begin() const noexcept { return reinterpret_cast<std::uintptr_t>(memory.get()); }
  };

  ChipTensor make(std::uint64_t task, std::size_t index, std::int32_t func_id, const ChipTensor& layout);
  void end_scopes_from(std::uint64_t depth) noexcept;

  TaskMemory* memory_ = nullptr;
  CheckedPlatform* checked_ = nullptr;
  int rank_ = 0;
  std::uint64_t depth_ = 0;
  std::list<Buffer> open_;                            // scopes nest, so those of the innermost are last
  std::list<Buffer> ended_;                           // in use by pending tasks
  std::map<std::uintptr_t, const Buffer*> by_begin_;  // of open_
  std::deque<std::vector<ChipTensor>> descriptors_;
};

}  // namespace tileput::orchestration
