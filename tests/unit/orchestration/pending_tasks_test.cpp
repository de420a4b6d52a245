// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/pending_tasks.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "pto_orchestration_api.h"
#include "rank/control.hpp"
#include "tileput/error.hpp"

namespace tileput::orchestration {
namespace {

TEST(PendingTasks, OneMoreThanThereIsRoomForWaitsForTheFirst) {
  const base::UniqueFd fd = rank::Control::create(1);
  const rank::Control control(fd.get(), 1);
  rank::Waiting waiting(control, 0, {0, 0});
  control.slot(0).current_run = 1;
  std::int32_t counters[2] = {};
  const CoreTaskArgs args;
  PendingTasks tasks;
  for (std::uint64_t id = 0; id < PendingTasks::kTasksMax; ++id) {
    const CompletionCondition first{&counters[id == 0 ? 0 : 1], 1, nullptr};
    tasks.add(id, {args, {}}, {&first, 1}, waiting, 0);
  }
  std::atomic<bool> raised{false};
  std::thread peer([&] {
    while (control.blocks(0)->wait.sleeping.load() == 0) {
      std::this_thread::yield();
    }
    raised = true;
    __atomic_store_n(&counters[0], 1, __ATOMIC_SEQ_CST);
    rank::ring(control.doorbells()[0]);
  });
  const CompletionCondition last{&counters[1], 1, nullptr};
  tasks.add(PendingTasks::kTasksMax, {args, {}}, {&last, 1}, waiting, 0);
  EXPECT_TRUE(raised);
  peer.join();
  __atomic_store_n(&counters[1], 1, __ATOMIC_SEQ_CST);
  tasks.await_all(waiting, 0);
  EXPECT_TRUE(tasks.empty());
}

TEST(CompletionConditions, WhatWasRefusedIsNotListed) {
  CompletionConditions conditions;
  const std::int32_t counter = 0;
  std::vector<std::thread> blocks;
  std::atomic<int> refused{0};
  for (int block = 0; block < 4; ++block) {
    blocks.emplace_back([&] {
      for (int i = 0; i < 40; ++i) {
        try {
          conditions.add({&counter, 1, nullptr});
        } catch (const Error&) {
          ++refused;
        }
      }
    });
  }
  for (std::thread& block : blocks) {
    block.join();
  }
  EXPECT_EQ(conditions.all().size(), CompletionConditions::kConditionsMax);
  EXPECT_EQ(refused, 160 - static_cast<int>(CompletionConditions::kConditionsMax));
}

}  // namespace
}  // namespace tileput::orchestration
