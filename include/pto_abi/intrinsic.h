// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a kernel learns from its argument array besides tensors and scalars (spec sections 17.2 and 17.3). C++17,
/// global namespace. The forms of get_block_idx() without an argument are in pto/common/cpu_stub.hpp.

#include <cstdint>
#include <type_traits>

namespace tileput::abi {

/// The argument array of kernel_entry: tensor addresses, then scalars, then these two.
inline constexpr int kTaskTensorsMax = 32;
inline constexpr int kTaskScalarsMax = 16;
inline constexpr int kLocalContextIndex = 48;
inline constexpr int kGlobalContextIndex = 49;
inline constexpr int kTaskArgumentCount = 50;
static_assert(kTaskTensorsMax + kTaskScalarsMax == kLocalContextIndex);

inline constexpr int kDmaWorkspaceKinds = 2;

}  // namespace tileput::abi

/// Where a task registers the conditions that its completion waits for. A handle: kernels copy it, conditions and their
/// count live behind the pointer.
struct AsyncCtx {
  void* conditions = nullptr;
};

/// Per block of a task.
struct LocalContext {
  int32_t block_idx = 0;
  int32_t block_num = 1;
  AsyncCtx async_ctx;
};

/// Per core.
struct GlobalContext {
  int32_t sub_block_id = 0;
  uint64_t dma_workspace[tileput::abi::kDmaWorkspaceKinds] = {};
};

static_assert(std::is_trivially_copyable_v<AsyncCtx> && std::is_trivially_copyable_v<LocalContext> &&
              std::is_trivially_copyable_v<GlobalContext>);

inline const LocalContext& tileput_local_context(const int64_t* args) noexcept {
  return *reinterpret_cast<const LocalContext*>(static_cast<uintptr_t>(args[tileput::abi::kLocalContextIndex]));
}
inline const GlobalContext& tileput_global_context(const int64_t* args) noexcept {
  return *reinterpret_cast<const GlobalContext*>(static_cast<uintptr_t>(args[tileput::abi::kGlobalContextIndex]));
}

/// Which block of its task this invocation runs, of how many (0 of 1 without a launch specification).
inline int32_t get_block_idx(const int64_t* args) noexcept { return tileput_local_context(args).block_idx; }
inline int32_t get_block_num(const int64_t* args) noexcept { return tileput_local_context(args).block_num; }
inline int32_t get_sub_block_id(const int64_t* args) noexcept { return tileput_global_context(args).sub_block_id; }

/// The workspace of a DMA engine: kind 0 is SDMA, 1 is URMA; 0 when there is none.
inline uint64_t get_dma_workspace(const int64_t* args, int kind) noexcept {
  return kind >= 0 && kind < tileput::abi::kDmaWorkspaceKinds ? tileput_global_context(args).dma_workspace[kind] : 0;
}
