// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "base/memory.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

namespace tileput::base {
namespace {

TEST(MemoryBudget, UsableIsTheLeastOfAllLessTheReserve) {
  MemoryBudget budget{.available_bytes = 1000, .cgroup_headroom_bytes = {}, .limit_bytes = {}, .reserve_bytes = 100};
  EXPECT_EQ(budget.usable_bytes(), 900U);
  budget.cgroup_headroom_bytes = 500;
  EXPECT_EQ(budget.usable_bytes(), 400U);
  budget.limit_bytes = 450;
  EXPECT_EQ(budget.usable_bytes(), 400U);
  budget.limit_bytes = 300;  // the caller's own limit keeps no reserve
  EXPECT_EQ(budget.usable_bytes(), 300U);
  budget.limit_bytes = 0;
  EXPECT_EQ(budget.usable_bytes(), 0U);
  budget.limit_bytes = {};
  budget.cgroup_headroom_bytes = 50;  // less than the reserve
  EXPECT_EQ(budget.usable_bytes(), 0U);
}

TEST(MemoryBudget, DescribesItsNumbers) {
  const MemoryBudget budget{.available_bytes = 20ULL << 30U,
                            .cgroup_headroom_bytes = 8ULL << 30U,
                            .limit_bytes = 4096,
                            .reserve_bytes = 512U << 20U};
  EXPECT_EQ(budget.describe(), "MemAvailable 20 GiB, control group 8 GiB, job limit 4 KiB, reserve 512 MiB");
}

TEST(MemoryBudget, OfThisMachineIsPlausible) {
  const MemoryBudget budget = memory_budget(12345);
  EXPECT_GT(budget.available_bytes, 0U);
  EXPECT_LE(budget.available_bytes, total_memory_bytes());
  EXPECT_EQ(budget.limit_bytes, 12345U);
  EXPECT_LE(budget.usable_bytes(), 12345U);
  EXPECT_GE(budget.reserve_bytes, 64U << 20U);
}

TEST(SmallRequests, NeedNoLookUpToAShareOfTheReserve) {
  SmallRequests small;
  EXPECT_FALSE(small.take(1)) << "nobody has looked yet";
  MemoryBudget budget{
      .available_bytes = 1U << 30U, .cgroup_headroom_bytes = {}, .limit_bytes = {}, .reserve_bytes = 64U << 20U};
  small.looked(budget);
  EXPECT_FALSE(small.take((1U << 20U) + 1));
  EXPECT_TRUE(small.take(1U << 19U));
  EXPECT_TRUE(small.take(1U << 19U));
  EXPECT_FALSE(small.take(1)) << "all is taken";
  small.looked(budget);
  EXPECT_TRUE(small.take(1U << 20U));
}

TEST(SmallRequests, AreNoMoreThanIsUsable) {
  SmallRequests small;
  small.looked(
      {.available_bytes = 1U << 30U, .cgroup_headroom_bytes = {}, .limit_bytes = 10, .reserve_bytes = 64U << 20U});
  EXPECT_FALSE(small.take(11));
  EXPECT_TRUE(small.take(10));
}

TEST(SmallRequests, ALookDoesNotHoldForLong) {
  SmallRequests small;
  small.looked(
      {.available_bytes = 1U << 30U, .cgroup_headroom_bytes = {}, .limit_bytes = {}, .reserve_bytes = 64U << 20U});
  std::this_thread::sleep_for(std::chrono::milliseconds(101));
  EXPECT_FALSE(small.take(1));
}

TEST(NodeMemoryLock, IsHeldByOneAtATimeAndReleased) {
  { const NodeMemoryLock first; }
  { const NodeMemoryLock second; }  // would take seconds, were the first still held
}

}  // namespace
}  // namespace tileput::base
