// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What host code of CPU unit tests calls of the device runtime (spec section 1.6), all at global scope. Kernels use
/// none of it.
///
/// There is no device: its memory is the heap of this process, and every call is complete when it returns. Functions
/// return 0 (ACL_SUCCESS), or another of the values below and have then changed nothing.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "pto/common/numeric.hpp"

using aclError = int;
using aclrtStream = void*;

/// IEEE binary16, as `half`.
using aclFloat16 = half;

inline constexpr aclError ACL_SUCCESS = 0;
inline constexpr aclError ACL_ERROR_INVALID_PARAM = 1;
inline constexpr aclError ACL_ERROR_BAD_ALLOC = 2;

/// Where device memory comes from: here always the heap.
enum aclrtMemMallocPolicy {
  ACL_MEM_MALLOC_HUGE_FIRST,
  ACL_MEM_MALLOC_HUGE_ONLY,
  ACL_MEM_MALLOC_NORMAL_ONLY,
  ACL_MEM_MALLOC_HUGE_FIRST_P2P,
  ACL_MEM_MALLOC_HUGE_ONLY_P2P,
  ACL_MEM_MALLOC_NORMAL_ONLY_P2P
};

/// From where to where a copy goes: here always inside this process.
enum aclrtMemcpyKind {
  ACL_MEMCPY_HOST_TO_HOST = 0,
  ACL_MEMCPY_HOST_TO_DEVICE = 1,
  ACL_MEMCPY_DEVICE_TO_HOST = 2,
  ACL_MEMCPY_DEVICE_TO_DEVICE = 3
};

inline aclError aclInit(const char* /*config_path*/) noexcept { return ACL_SUCCESS; }
inline aclError aclFinalize() noexcept { return ACL_SUCCESS; }
inline aclError aclrtSetDevice(std::int32_t /*device*/) noexcept { return ACL_SUCCESS; }
inline aclError aclrtResetDevice(std::int32_t /*device*/) noexcept { return ACL_SUCCESS; }

/// `size` bytes with undefined contents at a multiple of 64, as windows are; `size` 0 gives a pointer to free, too.
inline aclError aclrtMalloc(void** pointer, std::size_t size, aclrtMemMallocPolicy /*policy*/) noexcept {
  if (pointer == nullptr) {
    return ACL_ERROR_INVALID_PARAM;
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, 64, size == 0 ? 1 : size) != 0) {
    return ACL_ERROR_BAD_ALLOC;
  }
  *pointer = memory;
  return ACL_SUCCESS;
}
inline aclError aclrtMallocHost(void** pointer, std::size_t size) noexcept {
  return aclrtMalloc(pointer, size, ACL_MEM_MALLOC_NORMAL_ONLY);
}
inline aclError aclrtFree(void* pointer) noexcept {
  std::free(pointer);
  return ACL_SUCCESS;
}
inline aclError aclrtFreeHost(void* pointer) noexcept { return aclrtFree(pointer); }

/// Copies `count` bytes into a target that has room for `target_max`; the two do not overlap.
inline aclError aclrtMemcpy(void* target, std::size_t target_max, const void* source, std::size_t count,
                            aclrtMemcpyKind /*kind*/) noexcept {
  if (count > target_max || (count != 0 && (target == nullptr || source == nullptr))) {
    return ACL_ERROR_INVALID_PARAM;
  }
  if (count != 0) {
    std::memcpy(target, source, count);
  }
  return ACL_SUCCESS;
}

/// Sets `count` bytes of a target that has room for `target_max`.
inline aclError aclrtMemset(void* target, std::size_t target_max, std::int32_t value, std::size_t count) noexcept {
  if (count > target_max || (count != 0 && target == nullptr)) {
    return ACL_ERROR_INVALID_PARAM;
  }
  if (count != 0) {
    std::memset(target, value, count);
  }
  return ACL_SUCCESS;
}

/// A stream is a byte of the heap: distinct and not null until it is destroyed. Nothing is ever pending in one.
inline aclError aclrtCreateStream(aclrtStream* stream) noexcept {
  return aclrtMalloc(stream, 1, ACL_MEM_MALLOC_NORMAL_ONLY);
}
inline aclError aclrtDestroyStream(aclrtStream stream) noexcept { return aclrtFree(stream); }
inline aclError aclrtSynchronizeStream(aclrtStream /*stream*/) noexcept { return ACL_SUCCESS; }
inline aclError aclrtSynchronizeDevice() noexcept { return ACL_SUCCESS; }

struct HcclRootInfo {};

/// Nothing: its operands are not evaluated.
#define HcclHostBarrier(x, y) static_cast<void>(0)

/// CommContext under the name that host code uses, without the ABI's header (spec section 15).
struct CommDeviceContext {
  static constexpr int kRanks = 64;

  std::uint64_t workSpace;
  std::uint64_t workSpaceSize;
  std::uint32_t rankId;
  std::uint32_t rankNum;
  std::uint64_t winSize;
  std::uint64_t windowsIn[kRanks];
  std::uint64_t windowsOut[kRanks];
};
static_assert(std::is_standard_layout_v<CommDeviceContext> && std::is_trivially_copyable_v<CommDeviceContext>);
static_assert(sizeof(CommDeviceContext) == 1056 && offsetof(CommDeviceContext, rankId) == 16 &&
              offsetof(CommDeviceContext, winSize) == 24 && offsetof(CommDeviceContext, windowsIn) == 32 &&
              offsetof(CommDeviceContext, windowsOut) == 544);

#include "pto/common/address_space.hpp"
