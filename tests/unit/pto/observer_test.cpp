// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// The waist: what an observer is told about every instruction, and that running the record later has the effect.

#include <cstdint>
#include <set>
#include <thread>

#include "pto/pto-inst.hpp"
#include "support.hpp"

namespace {

using pto::BLayout;
using pto::DYNAMIC;
using pto::Tile;
using pto::TileType;
using pto::comm::NotifyOp;
using pto::comm::Signal;
using pto::comm::Signal2D;
using pto::comm::WaitCmp;
using tileput::machine::Element;
using tileput::machine::Instruction;
using tileput::machine::Opcode;
using tileput::machine::Space;
using tileput::machine::TensorLayout;
using tileput::test::Guarded;
using tileput::test::Observe;
using tileput::test::Recorder;

using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 64>, pto::Stride<64, 64, 64, 64, 1>>;
using RowTile = Tile<TileType::Vec, float, 1, 64>;

class ObserverTest : public testing::Test {
 protected:
  ObserverTest() { memory.number(1); }

  /// The one record that `instruction` makes; its effect has not happened yet.
  template <class Action>
  Instruction record_of(Action&& instruction) {
    const Observe observe(recorder);
    recorder.records.clear();
    instruction();
    EXPECT_EQ(recorder.records.size(), 1U);
    EXPECT_NE(recorder.records.at(0).site, nullptr);
    EXPECT_NE(recorder.records.at(0).execute, nullptr);
    return recorder.records.at(0);
  }

  Recorder recorder;
  Guarded<float> memory{128};
};

TEST_F(ObserverTest, Tload) {
  using Matrix =
      pto::GlobalTensor<half, pto::Shape<1, 2, 1, DYNAMIC, 8>, pto::Stride<1, DYNAMIC, 1, 8, 1>, pto::Layout::ND>;
  Guarded<half> halves(64);
  halves.number(1);
  Tile<TileType::Mat, half, 32, 16, BLayout::ColMajor, DYNAMIC, DYNAMIC, pto::SLayout::RowMajor, 512,
       pto::PadValue::Max>
      tile(6, 8);
  TASSIGN(tile, 0x40);
  tile.SetElement(0, 0, 0.0F);
  Matrix tensor(halves.data(), Matrix::Shape(3), Matrix::Stride(32));
  const Instruction record = record_of([&] { TLOAD(tile, tensor); });
  EXPECT_EQ(record.opcode, Opcode::kTload);
  ASSERT_EQ(record.global_count, 1);
  ASSERT_EQ(record.tile_count, 1);
  EXPECT_EQ(record.piece_count, 1);
  const auto& global = record.global[0];
  EXPECT_EQ(global.address, reinterpret_cast<std::byte*>(halves.data()));
  const std::int64_t shape[5] = {1, 2, 1, 3, 8};
  const std::int64_t stride[5] = {1, 32, 1, 8, 1};
  for (int d = 0; d < 5; ++d) {
    EXPECT_EQ(global.shape[d], shape[d]);
    EXPECT_EQ(global.stride[d], stride[d]);
  }
  EXPECT_EQ(global.element_bytes, 2U);
  EXPECT_EQ(global.element, Element::kF16);
  EXPECT_EQ(global.layout, TensorLayout::kNd);
  const auto& on_chip = record.tile[0];
  EXPECT_EQ(on_chip.address, tileput::machine::current_core().on_chip[1].base + 0x40);
  EXPECT_EQ(on_chip.space, Space::kMat);
  EXPECT_EQ(on_chip.element, Element::kF16);
  EXPECT_EQ(on_chip.element_bytes, 2U);
  EXPECT_EQ(on_chip.rows, 32);
  EXPECT_EQ(on_chip.cols, 16);
  EXPECT_EQ(on_chip.valid_rows, 6);
  EXPECT_EQ(on_chip.valid_cols, 8);
  EXPECT_FALSE(on_chip.layout.row_major);
  EXPECT_TRUE(on_chip.layout.boxed);
  EXPECT_TRUE(on_chip.layout.inner_row_major);
  EXPECT_EQ(on_chip.layout.inner_rows, 16);
  EXPECT_EQ(on_chip.layout.inner_cols, 16);
  EXPECT_TRUE(on_chip.padded);
  EXPECT_EQ(on_chip.pad, 0x7C00U);

  EXPECT_EQ(tile.GetElement(0, 0), 0.0F) << "the effect is the observer's decision";
  tile.SetValidShape(1, 1);  // the record does not depend on the operands any more
  EXPECT_TRUE(record.run());
  EXPECT_EQ(tile.GetElement(0, 0), 1.0F);
  EXPECT_EQ(tile.GetElement(5, 7), static_cast<float>(halves.get(32 + 2 * 8 + 7)));
}

TEST_F(ObserverTest, Tstore) {
  RowTile tile;
  TASSIGN(tile, 0);
  tile.SetValue(63, 7.0F);
  Row tensor(memory.data());
  const Instruction record = record_of([&] { TSTORE(tensor, tile); });
  EXPECT_EQ(record.opcode, Opcode::kTstore);
  EXPECT_EQ(record.global_count, 1);
  EXPECT_EQ(record.tile_count, 1);
  EXPECT_EQ(record.global[0].address, reinterpret_cast<std::byte*>(memory.data()));
  EXPECT_EQ(record.tile[0].address, reinterpret_cast<std::byte*>(tile.data()));
  EXPECT_FALSE(record.tile[0].padded);
  EXPECT_EQ(record.tile[0].element, Element::kF32);
  EXPECT_EQ(memory.get(63), 64.0F);
  EXPECT_TRUE(record.run());
  EXPECT_EQ(memory.get(63), 7.0F);
}

TEST_F(ObserverTest, TputAndTget) {
  using Matrix = pto::GlobalTensor<float, pto::Shape<1, 1, 2, 4, 8>, pto::Stride<64, 64, 32, 8, 1>>;
  Tile<TileType::Vec, float, 3, 8, BLayout::RowMajor, 3, 5> staging;
  TASSIGN(staging, 0x20);
  Matrix target(memory.data());
  Matrix source(memory.data() + 64);
  for (const bool put : {true, false}) {
    memory.number(1);
    const Instruction record = record_of([&] {
      if (put) {
        pto::comm::TPUT(target, source, staging);
      } else {
        pto::comm::TGET(target, source, staging);
      }
    });
    EXPECT_EQ(record.opcode, put ? Opcode::kTput : Opcode::kTget);
    ASSERT_EQ(record.global_count, 2);
    ASSERT_EQ(record.tile_count, 1);
    EXPECT_EQ(record.global[0].address, reinterpret_cast<std::byte*>(target.data()));
    EXPECT_EQ(record.global[1].address, reinterpret_cast<std::byte*>(source.data()));
    EXPECT_EQ(record.tile[0].address, reinterpret_cast<std::byte*>(staging.data()));
    EXPECT_EQ(record.piece_count, 2 * 2 * 2);  // two matrices, rows 3 + 1, columns 5 + 3
    EXPECT_EQ(memory.get(0), 1.0F);
    record.execute(record, {2, 1});  // rows 3, columns 0 to 4 of the first matrix
    for (int i = 0; i < 64; ++i) {
      EXPECT_EQ(memory.get(i), i >= 24 && i < 29 ? 65.0F + static_cast<float>(i) : 1.0F + static_cast<float>(i)) << i;
    }
    record.execute(record, {3, 5});
    record.execute(record, {0, 2});
    for (int i = 0; i < 64; ++i) {
      EXPECT_EQ(memory.get(i), 65.0F + static_cast<float>(i));
    }
  }
}

TEST_F(ObserverTest, Tnotify) {
  int32_t words[8] = {};
  Signal2D<2, 4> signals(words);
  Instruction record = record_of([&] { pto::comm::TNOTIFY(signals, -3, NotifyOp::AtomicAdd); });
  EXPECT_EQ(record.opcode, Opcode::kTnotify);
  EXPECT_EQ(record.global_count, 1);
  EXPECT_EQ(record.tile_count, 0);
  EXPECT_EQ(record.global[0].address, reinterpret_cast<std::byte*>(words));
  EXPECT_EQ(record.global[0].elements(), 1) << "element 0 only";
  EXPECT_EQ(record.global[0].element, Element::kS32);
  EXPECT_EQ(record.immediate[0], -3);
  EXPECT_EQ(record.immediate[1], static_cast<int>(NotifyOp::AtomicAdd));
  EXPECT_EQ(words[0], 0);
  record.run();
  record.run();
  EXPECT_EQ(words[0], -6);
  record = record_of([&] { pto::comm::TNOTIFY(signals, INT32_MIN, NotifyOp::Set); });
  EXPECT_EQ(record.immediate[0], INT32_MIN);
  EXPECT_EQ(record.immediate[1], static_cast<int>(NotifyOp::Set));
  record.run();
  EXPECT_EQ(words[0], INT32_MIN);
  EXPECT_EQ(words[1], 0);
}

TEST_F(ObserverTest, Twait) {
  int32_t words[64] = {};
  Signal2D<4, 8> signals(words, 16);
  const Instruction record = record_of([&] { pto::comm::TWAIT(signals, 2, WaitCmp::GE); });  // returns: not executed
  EXPECT_EQ(record.opcode, Opcode::kTwait);
  EXPECT_EQ(record.global_count, 1);
  EXPECT_EQ(record.tile_count, 0);
  EXPECT_EQ(record.global[0].shape[3], 4);
  EXPECT_EQ(record.global[0].stride[3], 16);
  EXPECT_EQ(record.immediate[0], 2);
  EXPECT_EQ(record.immediate[1], static_cast<int>(WaitCmp::GE));
  EXPECT_EQ(record.piece_count, 1);
  std::thread peer([&] {
    for (int i = 0; i < 64; ++i) {
      if (i % 16 < 8) {
        Signal signal(words + i);
        pto::comm::TNOTIFY(signal, 2, NotifyOp::Set);
      }
    }
  });
  EXPECT_TRUE(record.run());
  peer.join();
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(words[i], i % 16 < 8 ? 2 : 0);
  }
}

TEST_F(ObserverTest, TtestReturnsWhatTheObserverSays) {
  int32_t word = 5;
  Signal signal(&word);
  const Instruction record = record_of([&] { EXPECT_FALSE(pto::comm::TTEST(signal, 5, WaitCmp::EQ)); });
  EXPECT_EQ(record.opcode, Opcode::kTtest);
  EXPECT_EQ(record.immediate[0], 5);
  EXPECT_EQ(record.immediate[1], static_cast<int>(WaitCmp::EQ));
  EXPECT_TRUE(record.run());
  word = 6;
  EXPECT_FALSE(record.run());
  Recorder yes([](const Instruction&) { return true; });
  const Observe observe(yes);
  EXPECT_TRUE(pto::comm::TTEST(signal, 5, WaitCmp::EQ));
}

TEST_F(ObserverTest, Control) {
  int line = 0;
  Instruction record = record_of([&] { set_flag(PIPE_MTE2, PIPE_V, EVENT_ID3); });
  EXPECT_EQ(record.opcode, Opcode::kSetFlag);
  EXPECT_EQ(record.immediate[0], PIPE_MTE2);
  EXPECT_EQ(record.immediate[1], PIPE_V);
  EXPECT_EQ(record.immediate[2], EVENT_ID3);
  EXPECT_EQ(record.global_count, 0);
  EXPECT_EQ(record.tile_count, 0);
  EXPECT_TRUE(record.run());
  record = record_of([&] { wait_flag(PIPE_V, PIPE_MTE3, EVENT_ID7); });
  EXPECT_EQ(record.opcode, Opcode::kWaitFlag);
  EXPECT_EQ(record.immediate[0], PIPE_V);
  EXPECT_EQ(record.immediate[1], PIPE_MTE3);
  EXPECT_EQ(record.immediate[2], EVENT_ID7);
  EXPECT_TRUE(record.run());
  record = record_of([&] { pipe_barrier(PIPE_ALL); });
  EXPECT_EQ(record.opcode, Opcode::kPipeBarrier);
  EXPECT_EQ(record.immediate[0], PIPE_ALL);
  EXPECT_TRUE(record.run());
  record =
      record_of([&] { dcci(static_cast<void*>(&line), cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT); });
  EXPECT_EQ(record.opcode, Opcode::kDcci);
  EXPECT_EQ(record.global_count, 1);
  EXPECT_EQ(record.global[0].address, reinterpret_cast<std::byte*>(&line));
  EXPECT_EQ(record.immediate[0], SINGLE_CACHE_LINE);
  EXPECT_EQ(record.immediate[1], CACHELINE_OUT);
  EXPECT_TRUE(record.run());
  record = record_of([&] { dcci(&line, ENTIRE_DATA_CACHE); });
  EXPECT_EQ(record.immediate[0], ENTIRE_DATA_CACHE);
  EXPECT_TRUE(record.run());
  record = record_of([&] { dsb(DSB_DDR); });
  EXPECT_EQ(record.opcode, Opcode::kDsb);
  EXPECT_EQ(record.immediate[0], DSB_DDR);
  EXPECT_TRUE(record.run());
}

TEST_F(ObserverTest, DeviceWords) {
  std::uint32_t words[2] = {3, 5};
  Instruction record = record_of([&] { st_dev(0xFFFFFFF0U, words, 4); });
  EXPECT_EQ(record.opcode, Opcode::kStDev);
  EXPECT_STREQ(name_of(record.opcode), "st_dev");
  EXPECT_EQ(record.global_count, 1);
  EXPECT_EQ(record.tile_count, 0);
  EXPECT_EQ(record.global[0].address, reinterpret_cast<std::byte*>(words + 1));
  EXPECT_EQ(record.global[0].element, Element::kU32);
  EXPECT_EQ(record.global[0].element_bytes, 4U);
  EXPECT_EQ(record.global[0].elements(), 1);
  EXPECT_EQ(record.immediate[0], 0xFFFFFFF0);
  EXPECT_EQ(words[1], 5U);
  EXPECT_TRUE(record.run());
  EXPECT_EQ(words[1], 0xFFFFFFF0U);

  record = record_of([&] { EXPECT_EQ(ld_dev(words, 4), 0U) << "nobody ran the load"; });
  EXPECT_EQ(record.opcode, Opcode::kLdDev);
  EXPECT_STREQ(name_of(record.opcode), "ld_dev");
  EXPECT_EQ(record.global_count, 1);
  EXPECT_EQ(record.global[0].address, reinterpret_cast<std::byte*>(words + 1));
  std::uint32_t seen = 0;
  Recorder runs([&seen](const Instruction& load) {
    const bool done = load.run();
    seen = *reinterpret_cast<const std::uint32_t*>(load.immediate[0]);
    return done;
  });
  const Observe observe(runs);
  EXPECT_EQ(ld_dev(words, 4), 0xFFFFFFF0U);
  EXPECT_EQ(seen, 0xFFFFFFF0U);
}

TEST_F(ObserverTest, SeesProgramOrder) {
  int32_t word = 0;
  RowTile tile;
  TASSIGN(tile, 0);
  Row source(memory.data());
  Row target(memory.data() + 64);
  Signal signal(&word);
  {
    const Observe observe(recorder);
    TLOAD(tile, source);
    set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
    wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
    TSTORE(target, tile);
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    pto::comm::TNOTIFY(signal, 1, NotifyOp::AtomicAdd);
    pto::comm::TWAIT(signal, 1, WaitCmp::GE);
  }
  const Opcode expected[] = {Opcode::kTload,       Opcode::kSetFlag, Opcode::kWaitFlag, Opcode::kTstore,
                             Opcode::kPipeBarrier, Opcode::kDsb,     Opcode::kTnotify,  Opcode::kTwait};
  ASSERT_EQ(recorder.records.size(), std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(recorder.records[i].opcode, expected[i]);
  }
  for (const Instruction& record : recorder.records) {
    record.run();
  }
  EXPECT_EQ(memory.get(64), 1.0F);
  EXPECT_EQ(word, 1);
}

/// Six instructions in a row, with nothing between them that would keep a compiler from merging what they have in
/// common.
[[gnu::noinline]] void six_instructions(Row& a, Row& b, RowTile& t, RowTile& u) {
  TLOAD(t, a);
  TLOAD(u, b);
  TSTORE(a, u);
  TSTORE(b, t);
  set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);
  set_flag(PIPE_MTE2, PIPE_V, EVENT_ID1);
}

/// Reports name the line of an instruction by its site, so every instruction has its own.
TEST_F(ObserverTest, EveryInstructionHasItsOwnSite) {
  RowTile t;
  RowTile u;
  TASSIGN(t, 0x0);
  TASSIGN(u, 0x100);
  Row a(memory.data());
  Row b(memory.data() + 64);
  const Observe observe(recorder);
  six_instructions(a, b, t, u);
  std::set<const void*> sites;
  for (const Instruction& record : recorder.records) {
    sites.insert(record.site);
  }
  EXPECT_EQ(recorder.records.size(), 6U);
  EXPECT_EQ(sites.size(), 6U);
}

TEST_F(ObserverTest, WithoutObserverNothingIsRecorded) {
  { const Observe observe(recorder); }
  RowTile tile;
  TASSIGN(tile, 0);
  Row source(memory.data());
  TLOAD(tile, source);
  pipe_barrier(PIPE_ALL);
  EXPECT_TRUE(recorder.records.empty());
  EXPECT_EQ(tile.GetValue(63), 64.0F);
}

}  // namespace
