// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// What the collectives promise beside their results (spec section 12): the order of a reduction, in-place operands,
/// extra arguments, records, and what is refused before anything is written.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "any_tensor.hpp"
#include "pto/pto-inst.hpp"

namespace {

using pto::BLayout;
using pto::DYNAMIC;
using pto::Tile;
using pto::TileType;
using pto::comm::CcuTriggerContext;
using pto::comm::CollEngine;
using pto::comm::ParallelGroup;
using pto::comm::ReduceOp;
using tileput::ErrorCode;
using tileput::machine::Instruction;
using tileput::machine::Opcode;
using tileput::machine::Pieces;
using tileput::test::AnyTensor;
using tileput::test::error_of;
using tileput::test::Extents;
using tileput::test::Observe;
using tileput::test::Recorder;
using tileput::test::tensor_of;

constexpr int kMembers = 4;
using Block = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 4, 8>, pto::Stride<32, 32, 32, 8, 1>>;
using Whole = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 16, 8>, pto::Stride<128, 128, 128, 8, 1>>;
using Staging = Tile<TileType::Vec, float, 2, 8>;

class CollectiveRules : public testing::Test {
 protected:
  CollectiveRules() {
    for (int rank = 0; rank < kMembers; ++rank) {
      std::fill(members[rank], members[rank] + 32, static_cast<float>(10 * rank + 1));
      tensors[rank] = Block(members[rank]);
    }
    std::fill(std::begin(local), std::end(local), -1.0F);
    TASSIGN(ping, 0);
    TASSIGN(pong, 0x100);
    TASSIGN(acc, 0x200);
  }

  alignas(32) float members[kMembers][32];
  alignas(32) float local[128];
  Block tensors[kMembers];
  ParallelGroup<Block> group{tensors, kMembers, 1};
  Block one{local};
  Whole whole{local};
  Staging ping;
  Staging pong;
  Staging acc;
};

TEST_F(CollectiveRules, TheRootComesFirstThenTheOthersInIncreasingOrder) {
  // The exact sum is 4; what rounding loses tells the order. Floats from 2^25 on are multiples of 4.
  const float big = 33554432.0F;
  const auto sum_with_root = [&](int root) {
    const float values[kMembers] = {big, 1.0F, -big, 3.0F};
    for (int rank = 0; rank < kMembers; ++rank) {
      std::fill(members[rank], members[rank] + 32, values[rank]);
    }
    group.rootIdx = root;
    TREDUCE(group, one, acc, ping, ReduceOp::Sum);
    const float result = local[0];
    EXPECT_TRUE(std::all_of(local, local + 32, [&](float value) { return value == result; }));
    return result;
  };
  EXPECT_EQ(sum_with_root(0), 3.0F);  // ((big + 1) - big) + 3
  EXPECT_EQ(sum_with_root(1), 3.0F);  // ((1 + big) - big) + 3
  EXPECT_EQ(sum_with_root(2), 4.0F);  // ((-big + big) + 1) + 3
  EXPECT_EQ(sum_with_root(3), 4.0F);  // ((3 + big) + 1) - big, where 3 + big is big + 4
}

TEST_F(CollectiveRules, RecordsRunLaterGiveTheSameOrder) {
  const float big = 33554432.0F;
  const float values[kMembers] = {big, 1.0F, -big, 3.0F};
  for (int root = 0; root < kMembers; ++root) {
    for (int rank = 0; rank < kMembers; ++rank) {
      std::fill(members[rank], members[rank] + 32, values[rank]);
    }
    group.rootIdx = root;
    TREDUCE(group, one, acc, ping, ReduceOp::Sum);
    const float direct = local[7];
    std::fill(std::begin(local), std::end(local), -1.0F);
    Recorder recorder;
    {
      const Observe observe(recorder);
      TREDUCE(group, one, acc, ping, ReduceOp::Sum);
    }
    EXPECT_EQ(local[7], -1.0F);
    for (const Instruction& record : recorder.records) {
      for (std::int64_t piece = record.piece_count; piece-- > 0;) {
        record.execute(record, Pieces{piece, 1});
      }
    }
    EXPECT_EQ(local[7], direct);
    EXPECT_EQ(local[31], direct);
    EXPECT_EQ(local[32], -1.0F);
  }
}

TEST_F(CollectiveRules, NarrowFloatsAreRoundedAfterEveryStep) {
  using Row = pto::GlobalTensor<half, pto::Shape<1, 1, 1, 1, 16>, pto::Stride<16, 16, 16, 16, 1>>;
  half memory[3][16];
  half result[16];
  std::fill(memory[0], memory[0] + 16, half(2048.0F));
  std::fill(memory[1], memory[1] + 16, half(1.0F));
  std::fill(memory[2], memory[2] + 16, half(1.0F));
  Row rows[3] = {Row(memory[0]), Row(memory[1]), Row(memory[2])};
  Row to(result);
  ParallelGroup<Row> three(rows, 3, 0);
  Tile<TileType::Vec, half, 1, 16> a;
  Tile<TileType::Vec, half, 1, 16> b;
  TREDUCE(three, to, a, b, ReduceOp::Sum);
  EXPECT_EQ(static_cast<float>(result[15]), 2048.0F) << "each 1 is lost in a tie to even";
}

TEST_F(CollectiveRules, ANanInAnyMemberIsOneInTheResult) {
  for (const ReduceOp op : {ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min}) {
    for (int rank = 0; rank < kMembers; ++rank) {
      members[rank][5] = std::numeric_limits<float>::quiet_NaN();
      TREDUCE(group, one, acc, ping, op);
      EXPECT_TRUE(std::isnan(local[5]));
      EXPECT_FALSE(std::isnan(local[4]));
      members[rank][5] = 0.0F;
    }
  }
}

TEST_F(CollectiveRules, TheRootsMemberMayBeTheLocalTensor) {
  Block own(members[1]);
  TBROADCAST(group, own, ping);
  for (const auto& member : members) {
    EXPECT_EQ(member[31], 11.0F);
  }
  for (int rank = 0; rank < kMembers; ++rank) {
    std::fill(members[rank], members[rank] + 32, static_cast<float>(10 * rank + 1));
  }
  TREDUCE(group, own, acc, ping, ReduceOp::Sum);
  EXPECT_EQ(members[1][0], 1.0F + 11.0F + 21.0F + 31.0F);
  EXPECT_EQ(members[1][31], 1.0F + 11.0F + 21.0F + 31.0F);
  Recorder runs([](const Instruction& record) { return record.run(); });
  const Observe observe(runs);
  TREDUCE(group, own, acc, ping, ReduceOp::Max);
  EXPECT_EQ(members[1][31], 64.0F);
  TBROADCAST(group, own, ping);
  EXPECT_EQ(members[3][0], 64.0F);
}

TEST_F(CollectiveRules, OneMemberIsCopied) {
  ParallelGroup<Block> alone(tensors + 2, 1, 0);
  TREDUCE(alone, one, acc, ping, ReduceOp::Sum);
  EXPECT_EQ(local[31], 21.0F);
  EXPECT_EQ(local[32], -1.0F);
}

struct Counted {
  int waits = 0;
  void Wait() { ++waits; }
};

TEST_F(CollectiveRules, EventsAreWaitedForAndTriggersCarried) {
  Counted event;
  static_assert(std::is_same_v<decltype(TBROADCAST(group, one, ping)), pto::RecordEvent>);
  TBROADCAST(group, one, ping, event);
  TBROADCAST(group, one, ping, pong, event, event);
  TGATHER(group, whole, ping, event);
  TGATHER(group, whole, ping, pong, event);
  TSCATTER(group, whole, ping, event);
  TSCATTER(group, whole, ping, pong, event);
  TREDUCE(group, one, acc, ping, ReduceOp::Sum, event);
  TREDUCE(group, one, acc, ping, pong, ReduceOp::Sum, event);
  EXPECT_EQ(event.waits, 9);
  CcuTriggerContext trigger;
  const CcuTriggerContext fixed;
  TBROADCAST<CollEngine::CCU>(group, one, ping, trigger);
  TBROADCAST<CollEngine::CCU>(group, one, ping, pong, CcuTriggerContext{}, event);
  TGATHER<CollEngine::CCU>(group, whole, ping, fixed);
  TGATHER<CollEngine::CCU>(group, whole, ping, pong, trigger);
  TSCATTER<CollEngine::CCU>(group, whole, ping, CcuTriggerContext{});
  TSCATTER<CollEngine::CCU>(group, whole, ping, pong, trigger, event, event);
  std::fill(members[0], members[0] + 32, 5.0F);
  TREDUCE<CollEngine::CCU>(group, one, acc, ping, ReduceOp::Sum, trigger);
  TREDUCE<CollEngine::CCU>(group, one, acc, ping, pong, ReduceOp::Max, CcuTriggerContext{});
  EXPECT_EQ(event.waits, 12);
  EXPECT_EQ(local[0], 5.0F);
  pto::comm::TBROADCAST<CollEngine::AIV>(group, one, ping);
  EXPECT_EQ(members[3][0], 5.0F);
}

TEST_F(CollectiveRules, EveryMemberIsARecord) {
  const auto records_of = [&](auto&& action) {
    Recorder recorder;
    {
      const Observe observe(recorder);
      action();
    }
    EXPECT_EQ(recorder.records.size(), static_cast<std::size_t>(kMembers));
    for (const Instruction& record : recorder.records) {
      EXPECT_EQ(record.global_count, 2);
      EXPECT_NE(record.site, nullptr);
    }
    return recorder.records;
  };
  const auto at = [](const float* address) { return reinterpret_cast<const std::byte*>(address); };

  auto records = records_of([&] { TBROADCAST(group, one, ping); });
  for (std::size_t rank = 0; rank < kMembers; ++rank) {
    EXPECT_EQ(records[rank].opcode, Opcode::kTbroadcast);
    EXPECT_EQ(records[rank].immediate[0], static_cast<std::int64_t>(rank));
    EXPECT_EQ(records[rank].global[0].address, at(members[rank]));
    EXPECT_EQ(records[rank].global[1].address, at(local));
    ASSERT_EQ(records[rank].tile_count, 1);
    EXPECT_EQ(records[rank].tile[0].address, reinterpret_cast<std::byte*>(ping.data()));
    EXPECT_EQ(records[rank].piece_count, 2) << "four rows by two";
  }
  records = records_of([&] { TGATHER(group, whole, ping, pong); });
  for (std::size_t rank = 0; rank < kMembers; ++rank) {
    EXPECT_EQ(records[rank].opcode, Opcode::kTgather);
    EXPECT_EQ(records[rank].immediate[0], static_cast<std::int64_t>(rank));
    EXPECT_EQ(records[rank].global[0].address, at(local + rank * 32));
    EXPECT_EQ(records[rank].global[0].shape[3], 4);
    EXPECT_EQ(records[rank].global[1].address, at(members[rank]));
    ASSERT_EQ(records[rank].tile_count, 2);
    EXPECT_EQ(records[rank].tile[1].address, reinterpret_cast<std::byte*>(pong.data()));
  }
  records[2].execute(records[2], {1, 1});
  EXPECT_EQ(local[64 + 15], -1.0F);
  EXPECT_EQ(local[64 + 16], 21.0F);
  EXPECT_EQ(local[64 + 31], 21.0F);
  EXPECT_EQ(local[96], -1.0F);
  Staging unbound;
  records = records_of([&] { TSCATTER(group, whole, ping, unbound); });
  for (std::size_t rank = 0; rank < kMembers; ++rank) {
    EXPECT_EQ(records[rank].opcode, Opcode::kTscatter);
    EXPECT_EQ(records[rank].global[0].address, at(members[rank]));
    EXPECT_EQ(records[rank].global[1].address, at(local + rank * 32));
    EXPECT_EQ(records[rank].tile_count, 0);
    EXPECT_EQ(records[rank].piece_count, 1);
  }
  records = records_of([&] { TREDUCE(group, one, acc, ping, pong, ReduceOp::Max); });
  const std::int64_t order[kMembers] = {1, 0, 2, 3};
  for (std::size_t i = 0; i < kMembers; ++i) {
    EXPECT_EQ(records[i].opcode, Opcode::kTreduce);
    EXPECT_EQ(records[i].immediate[0], order[i]);
    EXPECT_EQ(records[i].immediate[1], static_cast<int>(ReduceOp::Max));
    EXPECT_EQ(records[i].immediate[2], i == 0 ? 1 : 0);
    EXPECT_EQ(records[i].global[0].address, at(local));
    EXPECT_EQ(records[i].global[1].address, at(members[order[i]]));
    ASSERT_EQ(records[i].tile_count, 3);
    EXPECT_EQ(records[i].tile[0].address, reinterpret_cast<std::byte*>(acc.data()));
    EXPECT_EQ(records[i].piece_count, 2);
  }
  EXPECT_EQ(local[0], -1.0F);
}

/// Each of the four on the same operands; the local tensor of TBROADCAST and TREDUCE is `small`.
template <class Group, class Small, class Large>
void expect_all_refused(ErrorCode code, Group& group, Small& small, Large& large, Staging& tile) {
  EXPECT_EQ(error_of([&] { TBROADCAST(group, small, tile); }), code);
  EXPECT_EQ(error_of([&] { TGATHER(group, large, tile); }), code);
  EXPECT_EQ(error_of([&] { TSCATTER(group, large, tile); }), code);
  EXPECT_EQ(error_of([&] { TREDUCE(group, small, tile, tile, ReduceOp::Sum); }), code);
}

TEST_F(CollectiveRules, ImpossibleGroupsAreRefused) {
  const float before = members[0][0];
  for (const auto& [size, root] : {std::pair{0, 0}, {-1, 0}, {4, -1}, {4, 4}, {4, 1000}, {0, -1}}) {
    ParallelGroup<Block> bad(tensors, size, root);
    expect_all_refused(ErrorCode::kBadArgument, bad, one, whole, ping);
  }
  ParallelGroup<Block> nothing;
  expect_all_refused(ErrorCode::kBadArgument, nothing, one, whole, ping);
  ParallelGroup<Block> no_array(nullptr, 4, 0);
  expect_all_refused(ErrorCode::kBadArgument, no_array, one, whole, ping);
  tensors[3] = Block();
  expect_all_refused(ErrorCode::kBadArgument, group, one, whole, ping);
  EXPECT_EQ(error_of([&] {
              ParallelGroup<Block> three(tensors, 3, 0);
              TREDUCE(three, one, acc, ping, static_cast<ReduceOp>(3));
            }),
            ErrorCode::kBadArgument);
  EXPECT_EQ(members[0][0], before);
  EXPECT_EQ(local[0], -1.0F);
}

TEST_F(CollectiveRules, ShapesThatDoNotFitAreRefused) {
  const Extents stride = {128, 128, 128, 8, 1};
  std::vector<AnyTensor<float>> any;
  for (auto& member : members) {
    any.push_back(tensor_of(member, {1, 1, 1, 4, 8}, stride));
  }
  ParallelGroup<AnyTensor<float>> open(any.data(), kMembers, 0);
  for (std::size_t d = 0; d < 5; ++d) {
    Extents shape = {1, 1, 1, 4, 8};
    Extents large = {1, 1, 1, 16, 8};
    shape[d] = d == 3 ? 5 : shape[d] + 1;
    large[d] = d == 3 ? 15 : large[d] + 1;
    auto small_tensor = tensor_of(local, shape, stride);
    auto large_tensor = tensor_of(local, large, stride);
    expect_all_refused(ErrorCode::kShapeMismatch, open, small_tensor, large_tensor, ping);
  }
  any[2] = tensor_of(members[2], {1, 1, 1, 3, 8}, stride);  // members differ
  auto small_tensor = tensor_of(local, {1, 1, 1, 4, 8}, stride);
  auto large_tensor = tensor_of(local, {1, 1, 1, 16, 8}, stride);
  expect_all_refused(ErrorCode::kShapeMismatch, open, small_tensor, large_tensor, ping);
  EXPECT_EQ(local[0], -1.0F);
  EXPECT_EQ(members[0][0], 1.0F);
}

TEST_F(CollectiveRules, RowsThatNoNumberCountsAreRefused) {
  const std::int64_t rows = std::int64_t{1} << 62U;  // four of them wrap to 0
  std::vector<AnyTensor<float>> any(kMembers, tensor_of(members[0], {1, 1, 1, rows, 8}, {1, 1, 1, 0, 1}));
  ParallelGroup<AnyTensor<float>> open(any.data(), kMembers, 0);
  auto none = tensor_of(local, {1, 1, 1, 0, 8}, {1, 1, 1, 8, 1});
  auto most = tensor_of(local, {1, 1, 1, std::numeric_limits<std::int64_t>::max(), 8}, {1, 1, 1, 0, 1});
  EXPECT_EQ(error_of([&] { TGATHER(open, none, ping); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(error_of([&] { TSCATTER(open, none, ping); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(error_of([&] { TGATHER(open, most, ping); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(local[0], -1.0F);
}

TEST_F(CollectiveRules, SpareRowsAreLeftAlone) {
  ParallelGroup<Block> three(tensors, 3, 2);
  TGATHER(three, whole, ping);
  EXPECT_EQ(local[95], 21.0F);
  EXPECT_EQ(local[96], -1.0F);
}

}  // namespace
