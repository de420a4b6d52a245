// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "machine/phase_counter.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace tileput::machine {
namespace {

constexpr std::uint32_t kShift = 12;

/// Feeds instructions without effects to a counter of rank 1 of three; the fourth heap is the worker's.
class PhaseCounterTest : public testing::Test {
 protected:
  PhaseCounterTest() {
    core_.heap_base = reinterpret_cast<std::uintptr_t>(memory_.data());
    core_.heap_shift = kShift;
    core_.heap_count = 3;
    counter_.begin_call();
  }

  static constexpr int kHost = 3;

  static bool reads_a_second_operand(Opcode opcode) {
    return opcode == Opcode::kTget || opcode == Opcode::kTgetAsync || opcode == Opcode::kTgather ||
           opcode == Opcode::kTreduce;
  }

  /// One instruction on heap `heap` (its first global operand), with a tile at `tile`; a get reads heap `source`.
  void issue(Opcode opcode, int heap, int tile = 0, int source = kHost) {
    issue_on(counter_, opcode, heap, tile, source);
  }
  void issue_on(PhaseCounter& counter, Opcode opcode, int heap, int tile = 0, int source = kHost) {
    Instruction instruction;
    instruction.opcode = opcode;
    instruction.global_count = reads_a_second_operand(opcode) ? 2 : 1;
    instruction.global[1].address = memory_.data() + (static_cast<std::size_t>(source) << kShift);
    instruction.global[0].address = memory_.data() + (static_cast<std::size_t>(heap) << kShift);
    instruction.global[0].shape[4] = 8;
    instruction.global[0].element_bytes = 4;
    const bool is_signal = opcode == Opcode::kTnotify || opcode == Opcode::kTwait || opcode == Opcode::kTtest;
    if (!is_signal) {
      instruction.tile_count = 1;
      instruction.tile[0].address = memory_.data() + tile;
    }
    instruction.execute = [](const Instruction&, Pieces) { return true; };
    EXPECT_TRUE(counter.on_instruction(instruction));
  }

  std::string kinds() {
    std::string all;
    for (const Phase& phase : counter_.phases()) {
      all += (all.empty() ? "" : " ") + std::string(name_of(phase.kind));
    }
    return all;
  }

  std::vector<std::byte> memory_ = std::vector<std::byte>(std::size_t{5} << kShift);
  Core core_;
  PhaseCounter counter_{core_, 1, 3};
};

TEST_F(PhaseCounterTest, PushIsPutsThenCopyOut) {
  issue(Opcode::kTput, 0);
  issue(Opcode::kTput, 1);
  issue(Opcode::kTput, 2);
  issue(Opcode::kPipeBarrier, kHost);
  issue(Opcode::kTnotify, 0);
  issue(Opcode::kTnotify, 2);
  issue(Opcode::kTwait, 1);
  issue(Opcode::kTwait, 1);
  issue(Opcode::kTload, 1);
  issue(Opcode::kTstore, kHost);
  counter_.end_call();
  EXPECT_EQ(kinds(), "push copy-out");
  EXPECT_EQ(counter_.barriers(), 1U);
  EXPECT_EQ(counter_.notifies(), 2U);
  EXPECT_EQ(counter_.phases()[0].puts, 3U);
  EXPECT_EQ(counter_.phases()[0].bytes, 3U * 8 * 4);
  EXPECT_EQ(counter_.phases()[1].remote_loads(), 0U);
  EXPECT_EQ(counter_.phases()[1].loads, 1U);
  EXPECT_EQ(counter_.phases()[1].stores, 1U);
}

TEST_F(PhaseCounterTest, PullIsStageInThenRemoteLoadsOfAllSources) {
  issue(Opcode::kTload, kHost);
  issue(Opcode::kTstore, 1);
  issue(Opcode::kTnotify, 0);
  issue(Opcode::kTwait, 1);
  for (const int source : {2, 0, 1}) {
    issue(Opcode::kTload, source);
    issue(Opcode::kTstore, kHost);
  }
  issue(Opcode::kTnotify, 0);
  issue(Opcode::kTwait, 1);
  counter_.end_call();
  EXPECT_EQ(kinds(), "stage-in pull");
  EXPECT_EQ(counter_.barriers(), 2U);
  EXPECT_EQ(counter_.phases()[1].remote_loads(), 3U) << "the own window is one of the sources";
}

TEST_F(PhaseCounterTest, APutHidesNoRemoteLoads) {
  issue(Opcode::kTload, 1);
  issue(Opcode::kTload, 0);
  issue(Opcode::kTload, kHost);
  issue(Opcode::kTput, 2);
  issue(Opcode::kTload, 2);
  EXPECT_EQ(kinds(), "push");
  EXPECT_EQ(counter_.phases()[0].peer_loads, 2U);
  EXPECT_EQ(counter_.phases()[0].remote_loads(), 3U) << "the own window is one of the sources";
}

TEST_F(PhaseCounterTest, GetsReadRemotelyToo) {
  issue(Opcode::kTget, kHost, 0, 2);
  issue(Opcode::kTget, 1, 0, 0);
  issue(Opcode::kTget, 0, 0, 1);  // the own window, into a peer's
  issue(Opcode::kTget, 1, 0, kHost);
  EXPECT_EQ(kinds(), "pull");
  EXPECT_EQ(counter_.phases()[0].gets, 4U);
  EXPECT_EQ(counter_.phases()[0].remote_loads(), 3U);
}

TEST_F(PhaseCounterTest, CollectivesAndAsynchronousTransfersArePutsAndGets) {
  issue(Opcode::kTgather, kHost, 0, 2);
  issue(Opcode::kTgather, kHost, 0, 1);
  issue(Opcode::kTreduce, kHost, 0, 0);
  issue(Opcode::kTgetAsync, kHost, 0, 2);
  issue(Opcode::kAsyncWait, kHost);  // ends no phase
  EXPECT_EQ(kinds(), "pull");
  EXPECT_EQ(counter_.phases()[0].gets, 4U);
  EXPECT_EQ(counter_.phases()[0].remote_loads(), 4U) << "the own window is one of the sources";
  EXPECT_EQ(counter_.phases()[0].bytes, 4U * 8 * 4);
  issue(Opcode::kTbroadcast, 0);
  issue(Opcode::kTbroadcast, 1);
  issue(Opcode::kTscatter, 2);
  issue(Opcode::kTputAsync, 2);
  issue(Opcode::kAsyncTest, kHost);
  EXPECT_EQ(kinds(), "push");
  EXPECT_EQ(counter_.phases()[0].puts, 4U);
  EXPECT_EQ(counter_.phases()[0].bytes, 8U * 8 * 4);
  EXPECT_EQ(counter_.phases()[0].stores + counter_.phases()[0].loads, 0U);
}

TEST_F(PhaseCounterTest, RemoteLoadsAreCountedByPhase) {
  issue(Opcode::kTload, 0);
  issue(Opcode::kTnotify, 0);
  issue(Opcode::kTwait, 1);
  issue(Opcode::kTload, 1);
  EXPECT_EQ(kinds(), "pull copy-out");
  EXPECT_EQ(counter_.phases()[0].remote_loads(), 1U);
  EXPECT_EQ(counter_.phases()[1].remote_loads(), 0U);
}

TEST_F(PhaseCounterTest, TheFirstKindThatAppliesNamesThePhase) {
  issue(Opcode::kTload, kHost);
  EXPECT_EQ(kinds(), "local");
  issue(Opcode::kTload, 1);
  EXPECT_EQ(kinds(), "copy-out");
  issue(Opcode::kTstore, 1);
  EXPECT_EQ(kinds(), "stage-in");
  issue(Opcode::kTget, kHost);
  EXPECT_EQ(kinds(), "pull");
  issue(Opcode::kTput, 2);
  EXPECT_EQ(kinds(), "push");
  issue(Opcode::kTload, kHost);
  EXPECT_EQ(kinds(), "push");
  EXPECT_EQ(counter_.phases()[0].gets, 1U);
}

TEST_F(PhaseCounterTest, ABarrierHasNotifiesAndWaits) {
  issue(Opcode::kTnotify, 0);  // only one half
  issue(Opcode::kTput, 0);
  issue(Opcode::kTwait, 1);  // the other half
  issue(Opcode::kTput, 0);
  issue(Opcode::kTtest, 1);
  issue(Opcode::kTnotify, 0);
  counter_.end_call();
  EXPECT_EQ(counter_.barriers(), 1U);
  EXPECT_EQ(counter_.notifies(), 2U);
  EXPECT_EQ(kinds(), "push push");
}

TEST_F(PhaseCounterTest, CountsDistinctTilesAndForgetsThemWithTheCall) {
  issue(Opcode::kTput, 0, 0);
  issue(Opcode::kTput, 0, 0);
  issue(Opcode::kTput, 0, 64);
  counter_.end_call();
  EXPECT_EQ(counter_.tiles(), 2U);
  counter_.begin_call();
  EXPECT_EQ(counter_.tiles(), 0U);
  EXPECT_TRUE(counter_.phases().empty());
  EXPECT_EQ(counter_.barriers() + counter_.notifies(), 0U);
}

TEST_F(PhaseCounterTest, MemoryOutsideTheRanksHeapsIsNoWindow) {
  issue(Opcode::kTload, kHost);
  issue(Opcode::kTload, 4);
  EXPECT_EQ(kinds(), "local");
  EXPECT_EQ(counter_.phases()[0].window_loads, 0U);
}

TEST_F(PhaseCounterTest, AnotherCoreLeavesAnOpenPhaseWithItsOwnSignal) {
  issue(Opcode::kTload, kHost);  // of an earlier task; the phase stays open
  const std::size_t first = counter_.open_phase();
  PhaseCounter other(core_, 1, 3);
  other.begin_beside(counter_);
  for (PhaseCounter* counter : {&counter_, &other}) {
    issue_on(*counter, Opcode::kTtest, 1);
    issue_on(*counter, Opcode::kTload, kHost);
  }
  other.end_call();
  counter_.merge(other, first);
  ASSERT_EQ(counter_.phases().size(), 2U);
  EXPECT_EQ(counter_.phases()[0].loads, 1U);
  EXPECT_EQ(counter_.phases()[1].loads, 2U);
}

TEST_F(PhaseCounterTest, WhatAnotherCoreDidAtTheSameTimeCountsForTheSamePhases) {
  issue(Opcode::kTload, kHost);
  issue(Opcode::kTnotify, 1);
  const std::size_t first = counter_.open_phase();
  EXPECT_EQ(first, 1U);
  issue(Opcode::kTstore, 1);

  PhaseCounter other(core_, 1, 3);
  other.begin_call();
  issue_on(other, Opcode::kTput, 2, 64);
  issue_on(other, Opcode::kTnotify, 2);
  issue_on(other, Opcode::kTwait, 1);
  issue_on(other, Opcode::kTload, 1, 64);
  issue_on(other, Opcode::kTget, kHost, 128, 2);
  other.end_call();
  counter_.merge(other, first);
  EXPECT_EQ(counter_.open_phase(), 3U) << "the last phase is the other core's";
  counter_.end_call();

  EXPECT_EQ(kinds(), "local push pull");
  const std::vector<Phase>& phases = counter_.phases();
  EXPECT_EQ(phases[1].puts, 1U);
  EXPECT_EQ(phases[1].stores, 1U);
  EXPECT_EQ(phases[1].bytes, 64U);
  EXPECT_EQ(phases[2].remote_loads(), 2U);
  EXPECT_EQ(counter_.notifies(), 2U);
  EXPECT_EQ(counter_.barriers(), 0U) << "those of the other core are its own";
  EXPECT_EQ(counter_.tiles(), 3U);
}

}  // namespace
}  // namespace tileput::machine
