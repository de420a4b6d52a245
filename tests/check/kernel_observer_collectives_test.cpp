// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// Collectives on the checked machine, and the tiles that copies go through.

#include <gtest/gtest.h>
#include <pto/pto-inst.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "check/observed_kernels.hpp"

namespace tileput::check::test {
namespace {

using Errors = std::set<std::string>;

constexpr std::int64_t kCount = 40;
constexpr std::size_t kBytes = kCount * sizeof(float);

/// Rank 0 collects from everybody, and gives everybody the sum.
TEST(Collectives, AreCopiesOfTheRoot) {
  using Row = AnyRow<float>;
  struct Left {
    const char* out;
    Errors found;
  };
  const Left variants[] = {{"", {}}, {"members", {"RW:data"}}, {"drain", {"RW:result"}}, {"results", {"RW:result"}}};
  for (const Left& left : variants) {
    SCOPED_TRACE(left.out);
    const std::string left_out = left.out;
    World world({.ranks = 3});
    const Buffer& data = world.window("data", kBytes);
    const Buffer& result = world.window("result", kBytes);
    const Buffer& signal = world.window("signal", kLineBytes);
    const Buffer& all = world.gm("all", 3 * kBytes);
    const Buffer& sum = world.gm("sum", kBytes);
    const auto kernel = [&](Kernel& k) {
      std::int32_t* const ready = k.own<std::int32_t>(signal);
      auto own = row(k.own(data), kCount);
      auto tile = vec_row(0x0, kCount);
      TEXPANDS(tile, static_cast<float>(1 << (4 * k.rank())));
      set_and_wait(PIPE_V, PIPE_MTE3);
      TSTORE(own, tile);
      release();
      if (k.rank() > 0) {
        notify(k.of<std::int32_t>(0, signal));
        if (left_out != "results") {
          wait_for(ready, 1);
        }
        auto received = row(k.own(result), kCount);
        TLOAD(tile, received);
        return;
      }
      if (left_out != "members") {
        wait_for(ready, 2);
      }
      const auto members_of = [&](const Buffer& buffer) {
        return std::vector<Row>{row(k.of(0, buffer), kCount), row(k.of(1, buffer), kCount),
                                row(k.of(2, buffer), kCount)};
      };
      std::vector<Row> sources = members_of(data);
      std::vector<Row> targets = members_of(result);
      pto::comm::ParallelGroup<Row> sources_group(sources.data(), 3, 0);
      pto::comm::ParallelGroup<Row> targets_group(targets.data(), 3, 0);
      using Rows = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 3, pto::DYNAMIC>, pto::Stride<1, 1, 1, kCount, 1>>;
      Rows gathered(k.own(all), pto::Shape<1, 1, 1, 3, pto::DYNAMIC>(kCount));
      auto total = row(k.own(sum), kCount);
      auto acc = vec_row(0x100, 16);
      auto ping = vec_row(0x200, 16);
      auto pong = vec_row(0x300, 16);
      pto::comm::TGATHER(sources_group, gathered, ping, pong);
      pto::comm::TREDUCE(sources_group, total, acc, ping, pong, pto::comm::ReduceOp::Sum);
      pto::comm::TBROADCAST(targets_group, total, ping);
      if (left_out != "drain") {
        release();
      }
      for (int member = 1; member < 3; ++member) {
        notify(k.of<std::int32_t>(member, signal));
      }
    };
    expect_found(world, {.kernel = kernel, .errors = left.found, .check = [&] {
                           for (int i = 0; i < kCount; ++i) {
                             ASSERT_EQ(world.at<float>(sum, 0)[i], 273.0F);
                             for (int rank = 0; rank < 3; ++rank) {
                               ASSERT_EQ(world.at<float>(result, rank)[i], 273.0F);
                               ASSERT_EQ(world.at<float>(all, 0)[kCount * rank + i],
                                         static_cast<float>(1 << (4 * rank)));
                             }
                           }
                         }});
  }
}

/// Which tiles a copy goes through: the vector unit then races for them and for no other.
TEST(StagingTiles, AreThoseOfTheInstruction) {
  using Row = AnyRow<float>;
  enum class Copy { kPut, kReduce, kReduceByTwo };
  struct Use {
    Copy copy;
    std::set<std::uint64_t> tiles;
  };
  const Use uses[] = {
      {Copy::kPut, {0x100, 0x200}}, {Copy::kReduce, {0x100, 0x200}}, {Copy::kReduceByTwo, {0x100, 0x200, 0x300}}};
  for (const Use& use : uses) {
    for (const std::uint64_t touched : {0x0, 0x100, 0x200, 0x300}) {
      SCOPED_TRACE("copy " + std::to_string(static_cast<int>(use.copy)) + " tile " + std::to_string(touched));
      World world({.ranks = 1});
      const Buffer& data = world.gm("data", 2 * kBytes);
      const Buffer& sum = world.gm("sum", kBytes);
      const bool races = use.tiles.count(touched) != 0;
      expect_found(world, {.kernel =
                               [&](Kernel& k) {
                                 auto total = row(k.own(sum), kCount);
                                 Row members[] = {row(k.own(data), kCount), row(k.own(data) + kCount, kCount)};
                                 pto::comm::ParallelGroup<Row> group(members, 2, 0);
                                 auto first = vec_row(0x100, 16);
                                 auto second = vec_row(0x200, 16);
                                 auto third = vec_row(0x300, 16);
                                 auto tile = vec_row(touched, 16);
                                 if (use.copy == Copy::kPut) {
                                   pto::comm::TPUT(total, members[1], first, second);
                                 } else if (use.copy == Copy::kReduce) {
                                   pto::comm::TREDUCE(group, total, first, second, pto::comm::ReduceOp::Max);
                                 } else {
                                   pto::comm::TREDUCE(group, total, first, second, third, pto::comm::ReduceOp::Max);
                                 }
                                 TEXPANDS(tile, 1.0F);
                               },
                           .errors = races ? Errors{"RW:Vec", "WW:Vec"} : Errors{}});
    }
  }
}

}  // namespace
}  // namespace tileput::check::test
