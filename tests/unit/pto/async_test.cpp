// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// TPUT_ASYNC, TGET_ASYNC, events and sessions (spec section 13): natively, and under an observer that transfers as
/// late as the contract allows.

#include <cstdint>
#include <type_traits>

#include "any_tensor.hpp"
#include "pto/comm/async/sdma/sdma_types.hpp"
#include "pto/comm/async_common/async_types.hpp"
#include "pto/pto-inst.hpp"
#include "scene/kernels/deferring_observer.hpp"

namespace {

using pto::Tile;
using pto::TileType;
using pto::comm::AsyncEvent;
using pto::comm::AsyncSession;
using pto::comm::BuildAsyncSession;
using pto::comm::DmaEngine;
using pto::comm::TGET_ASYNC;
using pto::comm::TPUT_ASYNC;
using tileput::ErrorCode;
using tileput::machine::Instruction;
using tileput::machine::Opcode;
using tileput::test::error_of;
using tileput::test::Extents;
using tileput::test::Guarded;
using tileput::test::Observe;
using tileput::test::offset_of;
using tileput::test::Recorder;
using tileput::test::tensor_of;

using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;

TEST(AsyncTypes, HaveTheirDefaults) {
  const AsyncSession session = {};
  EXPECT_EQ(session.engine, DmaEngine::SDMA);
  EXPECT_FALSE(session.valid);
  EXPECT_EQ(session.syncId, 0U);
  EXPECT_EQ(session.blockBytes, 1U << 20U);
  EXPECT_EQ(session.commBlockOffset, 0U);
  EXPECT_EQ(session.queueNum, 1U);
  const pto::comm::sdma::SdmaBaseConfig& config = {};
  EXPECT_EQ(config.blockBytes, pto::comm::sdma::kDefaultSdmaBlockBytes);
  EXPECT_EQ(config.queueNum, 1U);
  EXPECT_EQ(pto::comm::sdma::kAutoChannelGroupIdx, UINT32_MAX);
  EXPECT_EQ(pto::comm::sdma::UB_ALIGN_SIZE, 256U);
  EXPECT_EQ(pto::comm::sdma::SDMA_FLAG_LENGTH, 128U);
}

TEST(AsyncTypes, ADefaultEventStandsForNoTransfer) {
  const AsyncSession session = {};
  AsyncEvent events[4];
  Recorder recorder;
  const Observe observe(recorder);  // which would answer no
  for (const AsyncEvent& event : events) {
    EXPECT_EQ(event.handle, 0U);
    EXPECT_EQ(event.engine, DmaEngine::SDMA);
    EXPECT_FALSE(event.valid());
    EXPECT_TRUE(event.Wait(session));
    EXPECT_TRUE(event.Test(session));
  }
  EXPECT_TRUE(recorder.records.empty());
  events[0] = AsyncEvent(7, DmaEngine::RDMA);
  EXPECT_TRUE(events[0].valid());
  EXPECT_EQ(events[0].handle, 7U);
  EXPECT_EQ(events[0].engine, DmaEngine::RDMA);
  static_assert(!pto::tileput_detail::Event<AsyncEvent>);
}

TEST(AsyncTypes, SessionsAreBuiltFromAWorkspace) {
  Tile<TileType::Vec, std::uint8_t, 1, 256> scratch;
  TASSIGN(scratch, 0x40);
  std::uint8_t workspace[64] = {};
  AsyncSession session = {};
  session.destRankId = 99;
  EXPECT_FALSE(BuildAsyncSession(scratch, nullptr, session));
  EXPECT_FALSE(BuildAsyncSession(scratch, workspace, session, 8));
  EXPECT_FALSE(BuildAsyncSession(scratch, workspace, session, 0, {1U << 20U, 0, 0}));
  EXPECT_EQ(session.destRankId, 99U) << "refused: as it was";
  EXPECT_TRUE(BuildAsyncSession<DmaEngine::SDMA>(scratch, workspace, session, 7, {4096, 64, 2}, 3));
  EXPECT_TRUE(session.valid);
  EXPECT_EQ(session.engine, DmaEngine::SDMA);
  EXPECT_EQ(session.context, workspace);
  EXPECT_EQ(session.tmpBuf, scratch.data());
  EXPECT_EQ(session.tmpBufSize, 256U);
  EXPECT_EQ(session.syncId, 7U);
  EXPECT_EQ(session.blockBytes, 4096U);
  EXPECT_EQ(session.commBlockOffset, 64U);
  EXPECT_EQ(session.queueNum, 2U);
  EXPECT_EQ(session.channelGroupIdx, 3U);
  EXPECT_EQ(session.destRankId, 0U);
  EXPECT_TRUE(BuildAsyncSession(scratch, workspace, session));
  EXPECT_EQ(session.channelGroupIdx, pto::comm::sdma::kAutoChannelGroupIdx);
}

/// One transfer of a numbered source against the slow model.
template <class T>
void check_copy(const Extents& shape, const Extents& target_stride, const Extents& source_stride, bool put,
                bool later) {
  Guarded<T> source(static_cast<std::size_t>(tileput::test::reach(shape, source_stride)));
  Guarded<T> target(static_cast<std::size_t>(tileput::test::reach(shape, target_stride)));
  Guarded<T> expected(target.size());
  source.number(static_cast<T>(1));
  const auto before = source.bytes();
  tileput::test::for_each_index(shape, [&](const Extents& i) {
    std::memcpy(expected.data() + offset_of(i, target_stride), source.data() + offset_of(i, source_stride), sizeof(T));
  });
  auto to = tensor_of(target.data(), shape, target_stride);
  auto from = tensor_of(source.data(), shape, source_stride);
  DeferringObserver deferring(true);
  auto& core = tileput::machine::current_core();
  core.observer = later ? &deferring : nullptr;
  const AsyncSession session = {};
  const AsyncEvent event = put ? TPUT_ASYNC(to, from, session) : TGET_ASYNC(to, from, session);
  EXPECT_TRUE(event.valid());
  EXPECT_TRUE(event.Wait(session));
  EXPECT_TRUE(event.Test(session));
  core.observer = nullptr;
  EXPECT_EQ(target.bytes(), expected.bytes());
  EXPECT_EQ(source.bytes(), before);
  EXPECT_EQ(deferring.pending(), 0U);
}

template <class T>
class AsyncCopies : public testing::Test {};
using Elements = testing::Types<float, half, bfloat16_t, std::int32_t, std::int16_t, std::uint8_t>;
TYPED_TEST_SUITE(AsyncCopies, Elements);

TYPED_TEST(AsyncCopies, AnyShapeIsThereAfterWait) {
  for (const Extents& shape : {Extents{1, 1, 1, 1, 256}, Extents{1, 1, 1, 65, 104}, Extents{2, 2, 1, 32, 32},
                               Extents{1, 1, 1, 1, 1}, Extents{1, 1, 1, 0, 8}}) {
    for (const bool put : {true, false}) {
      for (const bool later : {true, false}) {
        check_copy<TypeParam>(shape, tileput::test::strides_for(shape), tileput::test::strides_for(shape), put, later);
        check_copy<TypeParam>(shape, tileput::test::strides_for(shape, 3), tileput::test::strides_for(shape, 1), put,
                              later);
      }
    }
  }
}

/// Two rows of eight floats each, sources and targets.
class Async : public testing::Test {
 protected:
  Async() {
    for (int i = 0; i < 8; ++i) {
      sources[0][i] = 1.0F + static_cast<float>(i);
      sources[1][i] = 11.0F + static_cast<float>(i);
    }
  }
  float sources[2][8] = {};
  float targets[2][8] = {};
  Row from[2] = {Row(sources[0]), Row(sources[1])};
  Row to[2] = {Row(targets[0]), Row(targets[1])};
  AsyncSession session = {};
  AsyncSession other = {};
};

TEST_F(Async, HandlesRiseAndNameTheirEngine) {
  const AsyncEvent a = TPUT_ASYNC(to[0], from[0], session);
  const AsyncEvent b = TGET_ASYNC<DmaEngine::RDMA>(to[1], from[1], session, 3);
  std::uint32_t peer = 1;
  const AsyncEvent c = TPUT_ASYNC<DmaEngine::URMA>(to[1], from[1], other, peer);
  const AsyncEvent d = TGET_ASYNC(to[1], from[1], AsyncSession{});
  EXPECT_GT(a.handle, 0U);
  EXPECT_GT(b.handle, a.handle);
  EXPECT_GT(c.handle, b.handle);
  EXPECT_GT(d.handle, c.handle);
  EXPECT_EQ(a.engine, DmaEngine::SDMA);
  EXPECT_EQ(b.engine, DmaEngine::RDMA);
  EXPECT_EQ(c.engine, DmaEngine::URMA);
  EXPECT_EQ(targets[0][7], 8.0F);
}

struct Counted {
  int waits = 0;
  void Wait() { ++waits; }
};

TEST_F(Async, EventsOfOtherInstructionsAreWaitedFor) {
  Counted event;
  TPUT_ASYNC(to[0], from[0], session, event);
  TPUT_ASYNC(to[0], from[0], session, 0, event, event);
  TGET_ASYNC(to[0], from[0], session, event);
  TGET_ASYNC(to[0], from[0], session, 0, event);
  EXPECT_EQ(event.waits, 5);
}

TEST_F(Async, TheSourceIsReadAsLateAsWait) {
  DeferringObserver deferring(false);
  const Observe observe(deferring);
  const AsyncEvent changed = TPUT_ASYNC(to[0], from[0], session);
  sources[0][7] = -1.0F;  // breaks the contract, and shows
  pipe_barrier(PIPE_ALL);
  dsb(DSB_DDR);
  EXPECT_EQ(targets[0][7], 0.0F) << "no fence completes it";
  EXPECT_TRUE(changed.Wait(session));
  EXPECT_EQ(targets[0][7], -1.0F);
  const AsyncEvent kept = TPUT_ASYNC(to[1], from[1], session);
  EXPECT_TRUE(kept.Wait(session));
  sources[1][7] = -1.0F;
  EXPECT_EQ(targets[1][7], 18.0F);
  EXPECT_EQ(deferring.pending(), 0U);
}

TEST_F(Async, WaitingForTheLastDrainsItsSessionOnly) {
  float more[2][8] = {};
  Row third(more[0]);
  Row fourth(more[1]);
  DeferringObserver deferring(true);
  const Observe observe(deferring);
  TPUT_ASYNC(to[0], from[0], session);
  const AsyncEvent foreign = TPUT_ASYNC(third, from[1], other);
  const AsyncEvent last = TGET_ASYNC(to[1], from[1], session);
  const AsyncEvent later = TPUT_ASYNC(fourth, from[0], session);
  EXPECT_TRUE(last.Wait(session));
  EXPECT_EQ(targets[0][0], 1.0F);
  EXPECT_EQ(targets[1][0], 11.0F);
  EXPECT_EQ(more[0][0], 0.0F) << "another session";
  EXPECT_EQ(more[1][0], 0.0F) << "later than the one waited for";
  EXPECT_TRUE(foreign.Wait(other));
  EXPECT_EQ(more[0][0], 11.0F);
  EXPECT_EQ(deferring.pending(), 1U);
  EXPECT_FALSE(later.Test(session));
  EXPECT_TRUE(later.Test(session));
  EXPECT_EQ(more[1][0], 1.0F);
}

TEST_F(Async, RecordsNameHandleAndSession) {
  Recorder recorder;
  AsyncEvent put;
  AsyncEvent get;
  {
    const Observe observe(recorder);
    put = TPUT_ASYNC(to[0], from[0], session);
    get = TGET_ASYNC(to[1], from[1], other, 1);
    EXPECT_FALSE(put.Wait(session)) << "the observer's answer";
    EXPECT_FALSE(get.Test(other));
  }
  ASSERT_EQ(recorder.records.size(), 4U);
  const AsyncSession* const sessions[] = {&session, &other};
  for (std::size_t i = 0; i < 2; ++i) {
    const Instruction& record = recorder.records[i];
    EXPECT_EQ(record.opcode, i == 0 ? Opcode::kTputAsync : Opcode::kTgetAsync);
    EXPECT_EQ(record.global_count, 2);
    EXPECT_EQ(record.tile_count, 0);
    EXPECT_EQ(record.piece_count, 1);
    EXPECT_EQ(record.global[0].address, reinterpret_cast<std::byte*>(targets[i]));
    EXPECT_EQ(record.global[1].address, reinterpret_cast<std::byte*>(sources[i]));
    EXPECT_EQ(record.immediate[0], static_cast<std::int64_t>(i == 0 ? put.handle : get.handle));
    EXPECT_EQ(record.immediate[1], reinterpret_cast<std::intptr_t>(sessions[i]));
    EXPECT_NE(record.site, nullptr);
    EXPECT_EQ(targets[i][7], 0.0F);
    EXPECT_TRUE(record.run());
    EXPECT_EQ(targets[i][7], sources[i][7]);
  }
  EXPECT_EQ(recorder.records[2].opcode, Opcode::kAsyncWait);
  EXPECT_EQ(recorder.records[2].immediate[0], static_cast<std::int64_t>(put.handle));
  EXPECT_EQ(recorder.records[3].opcode, Opcode::kAsyncTest);
  EXPECT_EQ(recorder.records[3].immediate[0], static_cast<std::int64_t>(get.handle));
  EXPECT_EQ(recorder.records[3].global_count + recorder.records[3].tile_count, 0);
  EXPECT_TRUE(recorder.records[3].run());
}

TEST_F(Async, DifferentShapesAreRefused) {
  auto shorter = tensor_of(sources[0], {1, 1, 1, 1, 7}, {8, 8, 8, 8, 1});
  const AsyncEvent before = TPUT_ASYNC(to[1], from[1], session);
  EXPECT_EQ(error_of([&] { TPUT_ASYNC(to[0], shorter, session); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(error_of([&] { TGET_ASYNC(to[0], shorter, session); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(targets[0][0], 0.0F);
  EXPECT_EQ(TPUT_ASYNC(to[1], from[1], session).handle, before.handle + 1) << "a refused transfer has no handle";
}

}  // namespace
