// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The root of a group runs a collective for all of it, several times; every rank compares its result.
//
// Arguments: out [4 int32: mismatches, first index, its value, guard changes], window; what, case, root, CommContext.

#include <pto/pto-inst.hpp>

#include "../collective_cases.hpp"
#include "fences.hpp"

namespace {

namespace cc = collective_cases;
using Tensor = pto::GlobalTensor<int32_t, pto::Shape<1, 1, 1, pto::DYNAMIC, pto::DYNAMIC>,
                                 pto::Stride<pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC, 1>>;
using Tile = pto::Tile<pto::TileType::Vec, int32_t, 16, 32, pto::BLayout::RowMajor, pto::DYNAMIC, pto::DYNAMIC>;
constexpr int kRanksMax = 8;
constexpr int32_t kGuard = 0x5eed;

AICORE Tensor tensor(__gm__ int32_t* data, int64_t rows, int64_t cols) {
  return Tensor(data, Tensor::Shape(rows, cols), Tensor::Stride(rows * cols, rows * cols, rows * cols, cols));
}

/// What the root does; unqualified calls, as kernels write them.
AICORE void collect(cc::What what, const cc::Case& c, pto::comm::ParallelGroup<Tensor>& group, Tensor& local) {
  Tile acc(16, 32);
  Tile ping(16, 32);
  Tile pong(16, 32);
  if (c.bound) {
    TASSIGN(acc, 0x0);
    TASSIGN(ping, 0x1000);
    TASSIGN(pong, 0x2000);
  }
  const auto op = static_cast<pto::comm::ReduceOp>(what == cc::kMax ? 1 : what == cc::kMin ? 2 : 0);
  switch (what) {
    case cc::kBroadcast: c.ping_pong ? TBROADCAST(group, local, ping, pong) : TBROADCAST(group, local, ping); break;
    case cc::kGather: c.ping_pong ? TGATHER(group, local, ping, pong) : TGATHER(group, local, ping); break;
    case cc::kScatter: c.ping_pong ? TSCATTER(group, local, ping, pong) : TSCATTER(group, local, ping); break;
    default: c.ping_pong ? TREDUCE(group, local, acc, ping, pong, op) : TREDUCE(group, local, acc, ping, op); break;
  }
}

AICORE bool has_result(cc::What what, int me, int root) {
  return me == root || what == cc::kBroadcast || what == cc::kScatter;
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  __gm__ int32_t* out = test_kernel::data_of<int32_t>(args[0]);
  __gm__ int32_t* window = test_kernel::data_of<int32_t>(args[1]);
  const auto what = static_cast<cc::What>(args[2]);
  const cc::Case& c = cc::kCases[args[3]];
  const int root = static_cast<int>(args[4]);
  __gm__ CommContext* ctx = test_kernel::context_of(args[5]);
  const int n = static_cast<int>(ctx->rankNum);
  const int me = static_cast<int>(ctx->rankId);
  const int64_t part = cc::part_words(c);
  __gm__ int32_t* result = window + cc::result_begin(c, n);
  __gm__ int32_t* guard = window + cc::guard_begin(c, n);
  test_kernel::Fenced fenced(ctx, window + cc::signals_begin(c, n));
  std::memset(out, 0, 4 * sizeof(int32_t));
  *guard = kGuard;

  for (int round = 0; round < cc::kRounds; ++round) {
    const int64_t own_words = what == cc::kScatter ? n * part : part;
    for (int64_t i = 0; i < own_words; ++i) {
      window[i] = cc::contribution(me, n, i, round);
    }
    for (int64_t i = 0; i < n * part; ++i) {
      result[i] = -1;
    }
    fenced.notify(root);  // of what is ready; so it has also compared the result of the round before
    if (me == root) {
      for (int member = 0; member < n; ++member) {
        fenced.wait(member, member == root ? 2 * round + 1 : round + 1);
      }
      const bool to_members = what == cc::kBroadcast || what == cc::kScatter;
      Tensor members[kRanksMax];
      for (int member = 0; member < n; ++member) {
        members[member] = tensor(test_kernel::remote(ctx, to_members ? result : window, member), c.rows, c.cols);
      }
      pto::comm::ParallelGroup<Tensor> group(members, n, root);
      const int64_t parts = what == cc::kGather || what == cc::kScatter ? n : 1;
      Tensor local = tensor(to_members ? window : result, parts * c.rows, c.cols);
      collect(what, c, group, local);
      for (int member = 0; member < n; ++member) {
        fenced.notify(member);
      }
    }
    fenced.wait(root, me == root ? 2 * round + 2 : round + 1);  // the root notifies itself twice a round
    const int64_t words = what == cc::kGather ? n * part : part;
    for (int64_t i = 0; has_result(what, me, root) && i < words; ++i) {
      if (result[i] != cc::expected(what, me, root, n, i, part, round) && out[0]++ == 0) {
        out[1] = static_cast<int32_t>(i);
        out[2] = result[i];
      }
    }
    out[3] += *guard == kGuard ? 0 : 1;
  }
}
