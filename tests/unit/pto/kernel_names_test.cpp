// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Kernels open namespace pto and pto::comm and then define names of their own (spec section 1.5). None of the names
/// below may be a macro, or an entity that becomes ambiguous; instructions are found by argument-dependent lookup.

#include <pto/pto-inst.hpp>

#include "intrinsic.h"
#include "pipe_sync.h"
#include "platform_comm/comm_context.h"
#include "tensor.h"

#include "support.hpp"

using namespace pto;        // NOLINT(build/namespaces)
using namespace pto::comm;  // NOLINT(build/namespaces)

static constexpr int N = 4;
static constexpr int T = 128;
static constexpr int TOPK = 2;
static constexpr int D = 8;
static constexpr int L = 2;
static constexpr int R = 3;
static constexpr int N_ROUTES = 8;
static constexpr int W_PAD = 8;
static constexpr int IDX_PAD = 8;
static constexpr int TILE = 64;
static constexpr int ALLREDUCE_COUNT = 256;
static constexpr int COUNT_PER_RANK = 64;
static constexpr int kMaxSupportedRanks = 16;
static constexpr int kMaxAsyncEvents = 64;
static constexpr int kSdmaWorkspaceSize = 1024;
static constexpr int kRows = 4;
static constexpr int kCols = 8;
static constexpr int kElemsPerPartial = 8;
static constexpr int kCount = 64;
static constexpr int kMaxRanks = 16;
static constexpr int kTileBytes = 256;
static constexpr int kSlotBytes = 512;
static constexpr int kOffSignals = 0;
static constexpr float ADD_SCALAR = 1.0F;
enum class Operation { ADD_TILES };
static constexpr Operation ADD_TILES = Operation::ADD_TILES;
struct InputWindowOp {};
struct AivAsyncSession {};

template <typename T>
AICORE inline __gm__ T* CommRemotePtr(__gm__ CommContext* ctx, __gm__ T* local, int peer) {
  const uint64_t offset = reinterpret_cast<uint64_t>(local) - ctx->windowsIn[ctx->rankId];
  return reinterpret_cast<__gm__ T*>(ctx->windowsIn[peer] + offset);
}
static __aicore__ inline int CeilAlign(int a, int b) { return (a + b - 1) / b * b; }
static inline int local_linear_impl() { return 1; }
static inline int comm_remote_ptr() { return 2; }
static inline int remote_ptr() { return 3; }
static inline void NeighborBarrier() {}
static inline void RoundBarrier() {}
static inline void MeshBarrier() {}
static inline void store_i32(int32_t* p, int32_t v) { *p = v; }
static inline int32_t load_i32(const int32_t* p) { return *p; }
static inline void ddr_fence() { dsb(DSB_DDR); }
namespace detail {
static inline int own() { return 9; }
}  // namespace detail

namespace {

TEST(KernelNames, AreTheKernels) {
  EXPECT_EQ(N + T + TOPK + D + L + R + N_ROUTES + W_PAD + IDX_PAD + TILE, 235);
  EXPECT_EQ(ALLREDUCE_COUNT + COUNT_PER_RANK + kMaxSupportedRanks + kMaxAsyncEvents + kSdmaWorkspaceSize, 1424);
  EXPECT_EQ(kRows + kCols + kElemsPerPartial + kCount + kMaxRanks + kTileBytes + kSlotBytes + kOffSignals, 868);
  EXPECT_EQ(ADD_SCALAR, 1.0F);
  EXPECT_EQ(ADD_TILES, Operation::ADD_TILES);
  EXPECT_EQ(CeilAlign(5, 4) + local_linear_impl() + comm_remote_ptr() + remote_ptr(), 14);
  EXPECT_EQ(detail::own(), 9);
  NeighborBarrier();
  RoundBarrier();
  MeshBarrier();
  int32_t word = 0;
  store_i32(&word, 4);
  ddr_fence();
  EXPECT_EQ(load_i32(&word), 4);
  static_cast<void>(InputWindowOp{});
  static_cast<void>(AivAsyncSession{});
}

TEST(KernelNames, LocalTypesHaveTheUsualNames) {
  tileput::test::Guarded<float> memory(128);
  memory.number(1);
  using Shape = pto::Shape<1, 1, 1, 1, DYNAMIC>;
  using Stride = pto::Stride<1, 1, 1, 1, 1>;
  using ShapeDyn = pto::Shape<DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC>;
  using StrideDyn = pto::Stride<DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC, DYNAMIC>;
  using Global = pto::GlobalTensor<float, Shape, Stride, Layout::ND>;
  using GT = pto::GlobalTensor<float, ShapeDyn, StrideDyn, Layout::ND>;
  using TileData = pto::Tile<TileType::Vec, float, 1, TILE, BLayout::RowMajor, -1, -1>;
  {
    using Tile = TileData;
    Tile tile(1, kCount);
    TASSIGN(tile, 0x10000);
    Global source(memory.data(), Shape(kCount));
    GT target(memory.data() + kCount, ShapeDyn(1, 1, 1, 1, kCount), StrideDyn(kCount, kCount, kCount, kCount, 1));
    TLOAD(tile, source);
    set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
    wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
    TSTORE(target, tile);
    pipe_barrier(PIPE_ALL);
  }
  EXPECT_EQ(memory.get(127), 64.0F);
}

/// The push of a two-rank exchange as kernels write it, both "ranks" in this one process.
TEST(KernelNames, PushIdiom) {
  alignas(64) static float windows[2][128];
  CommContext context{};
  context.rankId = 0;
  context.rankNum = 2;
  context.windowsIn[0] = reinterpret_cast<uint64_t>(windows[0]);
  context.windowsIn[1] = reinterpret_cast<uint64_t>(windows[1]);
  for (int i = 0; i < kCount; ++i) {
    windows[0][i] = static_cast<float>(i);
  }
  using Sh = pto::Shape<1, 1, 1, 1, kCount>;
  using St = pto::Stride<kCount, kCount, kCount, kCount, 1>;
  using G = pto::GlobalTensor<float, Sh, St>;
  pto::Tile<pto::TileType::Vec, float, 1, kCount> tile;
  TASSIGN(tile, 0x0);
  G source(windows[0]);
  G target(CommRemotePtr(&context, windows[0], 1));
  pto::comm::TPUT(target, source, tile);
  pipe_barrier(PIPE_ALL);
  auto* const flag = reinterpret_cast<int32_t*>(windows[0] + 100);
  pto::comm::Signal out(CommRemotePtr(&context, flag, 1));
  pto::comm::TNOTIFY(out, 1, pto::comm::NotifyOp::AtomicAdd);
  pto::comm::Signal in(reinterpret_cast<int32_t*>(windows[1] + 100));
  pto::comm::TWAIT(in, 1, pto::comm::WaitCmp::GE);
  pipe_sync();
  EXPECT_EQ(windows[1][63], 63.0F);
}

}  // namespace
