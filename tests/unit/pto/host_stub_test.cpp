// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// The device runtime's names that host code of unit tests calls (spec section 1.6).

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "platform_comm/comm_context.h"
#include "pto/common/cpu_stub.hpp"

namespace {

TEST(HostStub, NamesAreTheContract) {
  static_assert(std::is_same_v<aclrtStream, void*>);
  static_assert(std::is_empty_v<HcclRootInfo>);
  static_assert(ACL_SUCCESS == 0);
  static_assert(ACL_MEMCPY_HOST_TO_HOST == 0 && ACL_MEMCPY_HOST_TO_DEVICE == 1 && ACL_MEMCPY_DEVICE_TO_HOST == 2 &&
                ACL_MEMCPY_DEVICE_TO_DEVICE == 3);
  static_assert(sizeof(aclFloat16) == 2);
  EXPECT_EQ(static_cast<float>(aclFloat16(1.5F)), 1.5F);
}

TEST(HostStub, DeviceContextIsLaidOutAsTheKernels) {
  static_assert(sizeof(CommDeviceContext) == sizeof(CommContext));
  static_assert(offsetof(CommDeviceContext, workSpaceSize) == offsetof(CommContext, workSpaceSize));
  static_assert(offsetof(CommDeviceContext, rankNum) == offsetof(CommContext, rankNum));
  CommDeviceContext host{};
  host.rankId = 3;
  host.rankNum = 5;
  host.winSize = 4096;
  host.windowsIn[63] = 7;
  host.windowsOut[63] = 8;
  CommContext kernel{};
  ASSERT_EQ(aclrtMemcpy(&kernel, sizeof(kernel), &host, sizeof(host), ACL_MEMCPY_HOST_TO_DEVICE), 0);
  EXPECT_EQ(kernel.rankId, 3U);
  EXPECT_EQ(kernel.rankNum, 5U);
  EXPECT_EQ(kernel.winSize, 4096U);
  EXPECT_EQ(kernel.windowsIn[63], 7U);
  EXPECT_EQ(kernel.windowsOut[63], 8U);
}

TEST(HostStub, MemoryIsCopiedSetAndFreed) {
  ASSERT_EQ(aclInit(nullptr), 0);
  ASSERT_EQ(aclrtSetDevice(0), 0);
  constexpr std::size_t kSize = 100;
  void* device = nullptr;
  std::uint8_t* host = nullptr;
  ASSERT_EQ(aclrtMalloc(&device, kSize, ACL_MEM_MALLOC_HUGE_FIRST), 0);
  ASSERT_EQ(aclrtMallocHost(reinterpret_cast<void**>(&host), kSize), 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(device) % 64, 0U) << "as a window is";
  for (std::size_t i = 0; i < kSize; ++i) {
    host[i] = static_cast<std::uint8_t>(i);
  }
  EXPECT_EQ(aclrtMemcpy(device, kSize, host, kSize, ACL_MEMCPY_HOST_TO_DEVICE), 0);
  EXPECT_EQ(aclrtMemset(host, kSize, 0xAB, kSize - 1), 0);
  EXPECT_EQ(host[kSize - 2], 0xAB);
  EXPECT_EQ(host[kSize - 1], kSize - 1);
  EXPECT_EQ(aclrtMemcpy(host, kSize, device, 10, ACL_MEMCPY_DEVICE_TO_HOST), 0);
  EXPECT_EQ(host[9], 9);
  EXPECT_EQ(host[10], 0xAB);
  EXPECT_EQ(aclrtFree(device), 0);
  EXPECT_EQ(aclrtFreeHost(host), 0);
  EXPECT_EQ(aclrtResetDevice(0), 0);
  EXPECT_EQ(aclFinalize(), 0);
}

TEST(HostStub, ExactlyWhatFitsIsCopied) {
  std::vector<std::uint8_t> target(8, 0xEE);
  const std::vector<std::uint8_t> source(8, 0x11);
  EXPECT_NE(aclrtMemcpy(target.data(), 4, source.data(), 5, ACL_MEMCPY_HOST_TO_HOST), 0);
  EXPECT_NE(aclrtMemset(target.data(), 4, 0, 5), 0);
  EXPECT_EQ(target, std::vector<std::uint8_t>(8, 0xEE)) << "a refused call changes nothing";
  EXPECT_EQ(aclrtMemcpy(target.data(), 4, source.data(), 4, ACL_MEMCPY_HOST_TO_HOST), 0);
  EXPECT_EQ(target, (std::vector<std::uint8_t>{0x11, 0x11, 0x11, 0x11, 0xEE, 0xEE, 0xEE, 0xEE}));
  EXPECT_EQ(aclrtMemset(target.data(), 2, 0, 2), 0);
  EXPECT_EQ(target[1], 0);
  EXPECT_EQ(target[2], 0x11);
}

TEST(HostStub, NothingIsCopiedFromNowhere) {
  std::uint8_t byte = 1;
  EXPECT_NE(aclrtMemcpy(nullptr, 1, &byte, 1, ACL_MEMCPY_HOST_TO_DEVICE), 0);
  EXPECT_NE(aclrtMemcpy(&byte, 1, nullptr, 1, ACL_MEMCPY_DEVICE_TO_HOST), 0);
  EXPECT_NE(aclrtMemset(nullptr, 1, 0, 1), 0);
  EXPECT_EQ(aclrtMemcpy(nullptr, 0, nullptr, 0, ACL_MEMCPY_DEVICE_TO_DEVICE), 0);
  EXPECT_EQ(aclrtMemset(nullptr, 0, 0, 0), 0);
  EXPECT_NE(aclrtMalloc(nullptr, 1, ACL_MEM_MALLOC_NORMAL_ONLY), 0);
  EXPECT_EQ(byte, 1);
}

TEST(HostStub, NoBytesAreMemoryToo) {
  void* empty = nullptr;
  ASSERT_EQ(aclrtMalloc(&empty, 0, ACL_MEM_MALLOC_HUGE_ONLY), 0);
  EXPECT_NE(empty, nullptr);
  EXPECT_EQ(aclrtFree(empty), 0);
}

TEST(HostStub, StreamsAreDistinct) {
  aclrtStream first = nullptr;
  aclrtStream second = nullptr;
  ASSERT_EQ(aclrtCreateStream(&first), 0);
  ASSERT_EQ(aclrtCreateStream(&second), 0);
  EXPECT_NE(first, nullptr);
  EXPECT_NE(first, second);
  EXPECT_EQ(aclrtSynchronizeStream(first), 0);
  EXPECT_EQ(aclrtSynchronizeDevice(), 0);
  EXPECT_EQ(aclrtDestroyStream(first), 0);
  EXPECT_EQ(aclrtDestroyStream(second), 0);
}

TEST(HostStub, HostBarrierEvaluatesNothing) {
  int evaluated = 0;
  HcclHostBarrier(++evaluated, ++evaluated);
  EXPECT_EQ(evaluated, 0);
}

}  // namespace
