// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Pipe, event and cache names, and the block functions (spec sections 7 and 17.3).

#include <cstdint>
#include <thread>
#include <type_traits>

#include "intrinsic.h"
#include "pipe_sync.h"
#include "pto/pto-inst.hpp"
#include "support.hpp"

namespace {

TEST(CpuStub, ValuesAreTheContract) {
  static_assert(std::is_integral_v<pipe_t> && std::is_integral_v<event_t>);
  static_assert(PIPE_S == 0 && PIPE_V == 1 && PIPE_MTE1 == 2 && PIPE_MTE2 == 3 && PIPE_MTE3 == 4 && PIPE_M == 5 &&
                PIPE_ALL == 6 && PIPE_FIX == 7);
  static_assert(EVENT_ID0 == 0 && EVENT_ID1 == 1 && EVENT_ID2 == 2 && EVENT_ID3 == 3 && EVENT_ID4 == 4 &&
                EVENT_ID5 == 5 && EVENT_ID6 == 6 && EVENT_ID7 == 7);
  static_assert(std::is_same_v<decltype(cache_line_t::SINGLE_CACHE_LINE), cache_line_t>);
  static_assert(SINGLE_CACHE_LINE == cache_line_t::SINGLE_CACHE_LINE && CACHELINE_OUT == dcci_dst_t::CACHELINE_OUT);
  static_assert(std::is_integral_v<decltype(DSB_DDR)> && std::is_integral_v<decltype(DSB_ALL)>);
  static_assert(std::is_integral_v<decltype(DSB_UB)>);
}

TEST(CpuStub, EverythingIsCallableWithoutACore) {
  std::thread bare([] {
    int32_t word = 0;
    for (int i = 0; i < 8; ++i) {
      set_flag(PIPE_MTE2, PIPE_V, static_cast<event_t>(i));
      wait_flag(PIPE_MTE2, PIPE_V, static_cast<event_t>(i));
      pipe_barrier(i);
    }
    dcci(static_cast<void*>(&word), cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
    dcci(&word, ENTIRE_DATA_CACHE, CACHELINE_OUT);
    dcci(&word, SINGLE_CACHE_LINE);
    dsb(DSB_DDR);
    dsb(DSB_ALL);
    pipe_sync();
    EXPECT_EQ(get_block_idx(), 0);
    EXPECT_EQ(get_block_num(), 1);
    EXPECT_EQ(get_subblockid(), 0);
    EXPECT_EQ(get_subblockdim(), 1);
    EXPECT_EQ(tileput::machine::tileput_current_core, nullptr) << "none of these needs a core";
  });
  bare.join();
}

TEST(CpuStub, BlockIndexComesFromTheCore) {
  tileput::machine::Core& core = tileput::machine::current_core();
  core.block_index = 3;
  core.block_count = 4;
  core.sub_block_index = 1;
  core.sub_block_count = 2;
  EXPECT_EQ(get_block_idx(), 3);
  EXPECT_EQ(get_block_num(), 4);
  EXPECT_EQ(get_subblockid(), 1);
  EXPECT_EQ(get_subblockdim(), 2);
  core.block_index = 0;
  core.block_count = 1;
  core.sub_block_index = 0;
  core.sub_block_count = 1;
}

TEST(CpuStub, BlockIndexComesFromTheArguments) {
  LocalContext local;
  EXPECT_EQ(local.block_idx, 0);
  EXPECT_EQ(local.block_num, 1);
  EXPECT_EQ(local.async_ctx.conditions, nullptr);
  GlobalContext global;
  local.block_idx = 5;
  local.block_num = 8;
  global.sub_block_id = 1;
  global.dma_workspace[1] = 0x1234;
  int64_t args[tileput::abi::kTaskArgumentCount] = {};
  args[48] = reinterpret_cast<int64_t>(&local);
  args[49] = reinterpret_cast<int64_t>(&global);
  EXPECT_EQ(get_block_idx(args), 5);
  EXPECT_EQ(get_block_num(args), 8);
  EXPECT_EQ(get_sub_block_id(args), 1);
  EXPECT_EQ(get_dma_workspace(args, 0), 0U);
  EXPECT_EQ(get_dma_workspace(args, 1), 0x1234U);
  EXPECT_EQ(get_dma_workspace(args, 2), 0U);
  static_assert(std::is_same_v<decltype(get_block_idx(args)), int32_t>);
}

TEST(CpuStub, DeviceWordsAreAddressedInBytes) {
  uint32_t words[3] = {1, 2, 3};
  st_dev(20, words, 4);
  EXPECT_EQ(words[0], 1U);
  EXPECT_EQ(words[1], 20U);
  EXPECT_EQ(ld_dev(words, 8), 3U);
  EXPECT_EQ(ld_dev(words + 1, -4), 1U);
  st_dev(0xFFFFFFFFU, words, 0);
  EXPECT_EQ(words[0], 0xFFFFFFFFU);
}

/// A rank may sleep in TWAIT on a word that a peer changes with st_dev.
TEST(CpuStub, DeviceStoreRingsTheOwnerThatSleeps) {
  alignas(64) static std::uint32_t heaps[2][16];
  tileput::rank::Doorbell doorbells[2];
  tileput::machine::Core& core = tileput::machine::current_core();
  const tileput::machine::Core before = core;
  core.heap_base = reinterpret_cast<std::uintptr_t>(heaps);
  core.heap_shift = 6;
  core.heap_count = 2;
  core.doorbells = doorbells;
  st_dev(1, heaps[1], 8);
  EXPECT_EQ(doorbells[1].bell.load(), 0U) << "nobody sleeps there";
  doorbells[1].sleepers = 1;
  st_dev(2, heaps[1], 8);
  EXPECT_EQ(doorbells[0].bell.load(), 0U);
  EXPECT_EQ(doorbells[1].bell.load(), 1U);
  EXPECT_EQ(heaps[1][2], 2U);
  core = before;
}

}  // namespace
