// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// What instructions between ranks, and between blocks of one, are on the checked machine: each with a use that races
/// and its ordered twin.

#include <gtest/gtest.h>
#include <pto/pto-inst.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "check/observed_kernels.hpp"

namespace tileput::check::test {
namespace {

using pto::comm::NotifyOp;
using Errors = std::set<std::string>;

constexpr std::int64_t kCount = 40;
constexpr std::size_t kBytes = kCount * sizeof(float);

/// What element `i` of rank `rank` starts as.
float word_of(int rank, std::int64_t i) { return static_cast<float>(std::int64_t{1000} * rank + i + 1); }

/// A ring: every rank has a source of its own, a window for its predecessor and a word that it waits on.
class Ring {
 public:
  explicit Ring(int ranks = 3, int blocks = 1) : world({.ranks = ranks, .blocks = blocks}) {}

  void fill() {
    for (int rank = 0; rank < world.ranks(); ++rank) {
      for (std::int64_t i = 0; i < kCount; ++i) {
        world.at<float>(source, rank)[i] = word_of(rank, i);
      }
    }
  }
  /// `buffer` of every rank holds what the rank before it had.
  void expect_moved(const Buffer& buffer) {
    for (int rank = 0; rank < world.ranks(); ++rank) {
      const int before = (rank + world.ranks() - 1) % world.ranks();
      for (std::int64_t i = 0; i < kCount; ++i) {
        ASSERT_EQ(world.at<float>(buffer, rank)[i], word_of(before, i)) << "rank " << rank << " element " << i;
      }
    }
  }
  void expect(const Errors& errors, const std::function<void(Kernel&)>& kernel, bool checks_sink = true) {
    expect_found(world, {.kernel = kernel,
                         .errors = errors,
                         .prepare = [this] { fill(); },
                         .check = [&] { expect_moved(checks_sink ? sink : data); }});
  }

  World world;
  const Buffer& source = world.gm("source", kBytes);
  const Buffer& sink = world.gm("sink", kBytes);
  const Buffer& data = world.window("data", kBytes);
  const Buffer& signal = world.window("signal", 2 * kLineBytes);
};

/// sink = data, on rank k.
void copy_out(const Kernel& k, const Ring& ring) {
  auto from = row(k.own(ring.data), kCount);
  auto to = row(k.own(ring.sink), kCount);
  auto tile = vec_row(0x1000, kCount);
  TLOAD(tile, from);
  set_and_wait(PIPE_MTE2, PIPE_MTE3);
  TSTORE(to, tile);
}

struct Publication {
  const char* name;
  bool drains;
  bool fences;
  int staging_elements;  ///< of each staging tile
  bool ping_pong;
};

class Published : public testing::TestWithParam<Publication> {};

TEST_P(Published, PutIsVisibleToWhoWaits) {
  const Publication& how = GetParam();
  Ring ring;
  ring.expect(how.drains && how.fences ? Errors{} : Errors{"RW:data"}, [&](Kernel& k) {
    auto target = row(k.of(k.next(), ring.data), kCount);
    auto source = row(k.own(ring.source), kCount);
    auto ping = vec_row(0x0, static_cast<unsigned>(how.staging_elements));
    auto pong = vec_row(0x100, static_cast<unsigned>(how.staging_elements));
    if (how.ping_pong) {
      pto::comm::TPUT(target, source, ping, pong);
    } else {
      pto::comm::TPUT(target, source, ping);
    }
    if (how.drains) {
      pipe_barrier(PIPE_ALL);
    }
    if (how.fences) {
      dsb(DSB_DDR);
    }
    notify(k.of<std::int32_t>(k.next(), ring.signal));
    wait_for(k.own<std::int32_t>(ring.signal), 1);
    copy_out(k, ring);
  });
}

INSTANTIATE_TEST_SUITE_P(How, Published,
                         testing::Values(Publication{"Nothing", false, false, 40, false},
                                         Publication{"Drained", true, false, 40, false},
                                         Publication{"Fenced", false, true, 40, false},
                                         Publication{"DrainedAndFenced", true, true, 40, false},
                                         Publication{"InChunksNothing", false, false, 16, false},
                                         Publication{"InChunks", true, true, 16, false},
                                         Publication{"PingPongFenced", false, true, 7, true},
                                         Publication{"PingPong", true, true, 7, true}),
                         [](const auto& test) { return std::string(test.param.name); });

/// The store of a copy, and of a tile, may land long after its source was reused, which is no race.
TEST(LateStores, CarryWhatWasReadBeforeTheReuse) {
  Ring ring;
  const Buffer& again = ring.world.window("again", kBytes);
  expect_found(ring.world, {.kernel =
                                [&](Kernel& k) {
                                  auto target = row(k.of(k.next(), ring.data), kCount);
                                  auto second = row(k.of(k.next(), again), kCount);
                                  auto source = row(k.own(ring.source), kCount);
                                  auto other = row(k.own(ring.sink), kCount);
                                  auto tile = vec_row(0x0, kCount);
                                  auto staging = vec_row(0x100, 16);
                                  TLOAD(tile, source);
                                  set_and_wait(PIPE_MTE2, PIPE_MTE3, EVENT_ID1);
                                  TSTORE(second, tile);
                                  set_and_wait(PIPE_MTE3, PIPE_V);
                                  TEXPANDS(tile, -1.0F);
                                  set_and_wait(PIPE_V, PIPE_MTE3);
                                  pto::comm::TPUT(target, source, staging);
                                  TSTORE(source, tile);
                                  TSTORE(other, tile);
                                  release();
                                },
                            .errors = {},
                            .prepare = [&] { ring.fill(); },
                            .check =
                                [&] {
                                  ring.expect_moved(ring.data);
                                  ring.expect_moved(again);
                                  EXPECT_EQ(ring.world.at<float>(ring.source, 1)[3], -1.0F);
                                }});
}

TEST(Get, NeedsTheDataToBePublished) {
  for (const bool waits : {false, true}) {
    Ring ring;
    ring.expect(waits ? Errors{} : Errors{"RW:data"}, [&](Kernel& k) {
      auto own = row(k.own(ring.data), kCount);
      auto source = row(k.own(ring.source), kCount);
      auto tile = vec_row(0x0, kCount);
      TLOAD(tile, source);
      set_and_wait(PIPE_MTE2, PIPE_MTE3);
      TSTORE(own, tile);
      release();
      notify(k.of<std::int32_t>(k.next(), ring.signal));
      if (waits) {
        wait_for(k.own<std::int32_t>(ring.signal), 1);
      }
      const int before = (k.rank() + ring.world.ranks() - 1) % ring.world.ranks();
      auto remote = row(k.of(before, ring.data), kCount);
      auto sink = row(k.own(ring.sink), kCount);
      auto staging = vec_row(0x100, 16);
      pto::comm::TGET(sink, remote, staging);
    });
  }
}

/// Chunks of a region of five dimensions with gaps, of which the last ones are smaller.
TEST(Chunks, MoveEveryElementOnce) {
  using Any = pto::GlobalTensor<float, pto::Shape<>, pto::Stride<>>;
  using Staging = pto::Tile<pto::TileType::Vec, float, 4, 8, pto::BLayout::RowMajor, pto::DYNAMIC, pto::DYNAMIC>;
  constexpr std::int64_t kElements = 1200;  // of 2 x 3 matrices of 10 rows of 20, of which 11 are moved
  World world({.ranks = 2});
  const Buffer& source = world.gm("source", kElements * sizeof(float));
  const Buffer& data = world.window("data", 2 * kElements * sizeof(float));
  const Buffer& signal = world.window("signal", kLineBytes);
  for (const bool ping_pong : {false, true}) {
    expect_found(world, {.kernel =
                             [&](Kernel& k) {
                               const pto::Shape<> shape(1, 2, 3, 10, 11);
                               Any from(k.own(source), shape, pto::Stride<>(1, 600, 200, 20, 1));
                               Any to(k.of(k.next(), data), shape, pto::Stride<>(1, 900, 300, 22, 2));
                               Staging ping(4, 8);
                               Staging pong(4, 8);
                               TASSIGN(ping, 0x0);
                               TASSIGN(pong, 0x80);
                               if (ping_pong) {
                                 pto::comm::TPUT<pto::AtomicType::AtomicAdd>(to, from, ping, pong);
                               } else {
                                 pto::comm::TPUT(to, from, ping);
                               }
                               release();
                               notify(k.of<std::int32_t>(k.next(), signal));
                               wait_for(k.own<std::int32_t>(signal), 1);
                             },
                         .errors = {},
                         .prepare =
                             [&] {
                               for (std::int64_t i = 0; i < kElements; ++i) {
                                 world.at<float>(source, 0)[i] = static_cast<float>(i);
                               }
                             },
                         .check =
                             [&] {
                               std::vector<float> expected(2 * kElements, 0.0F);
                               for (std::size_t i1 = 0; i1 < 2; ++i1) {
                                 for (std::size_t i2 = 0; i2 < 3; ++i2) {
                                   for (std::size_t i3 = 0; i3 < 10; ++i3) {
                                     for (std::size_t i4 = 0; i4 < 11; ++i4) {
                                       expected[900 * i1 + 300 * i2 + 22 * i3 + 2 * i4] =
                                           static_cast<float>(600 * i1 + 200 * i2 + 20 * i3 + i4);
                                     }
                                   }
                                 }
                               }
                               const float* const found = world.at<float>(data, 1);
                               EXPECT_EQ(std::vector<float>(found, found + expected.size()), expected);
                             }});
  }
}

TEST(Atomics, CommuteWithEachOtherAndNotWithPlainWrites) {
  using Ints = AnyRow<std::int32_t>;
  for (const bool plain : {false, true}) {
    World world({.ranks = 3});
    const Buffer& sums = world.window("sums", 64);
    const Buffer& parts = world.gm("parts", 64);
    expect_found(world, {.kernel =
                             [&](Kernel& k) {
                               auto target = row(k.of<std::int32_t>(0, sums), 16);
                               auto from = row(k.own<std::int32_t>(parts), 16);
                               auto tile = vec_row<std::int32_t, 16>(0x0);
                               auto staging = vec_row<std::int32_t, 16>(0x40, 4);
                               TLOAD(tile, from);
                               set_and_wait(PIPE_MTE2, PIPE_MTE3);
                               if (plain && k.rank() == 1) {
                                 TSTORE(target, tile);
                                 return;
                               }
                               TSTORE<decltype(tile), Ints, pto::AtomicType::AtomicAdd>(target, tile);
                               pto::comm::TPUT<pto::AtomicType::AtomicAdd>(target, from, staging);
                               notify(k.of<std::int32_t>(0, sums) + 3, 100);
                             },
                         .errors = plain ? Errors{"MIX:sums"} : Errors{},
                         .prepare =
                             [&] {
                               for (int rank = 0; rank < 3; ++rank) {
                                 for (int i = 0; i < 16; ++i) {
                                   world.at<std::int32_t>(parts, rank)[i] = (i + 1) << (4 * rank);
                                 }
                               }
                             },
                         .check =
                             [&] {
                               for (int i = 0; i < 16; ++i) {
                                 ASSERT_EQ(world.at<std::int32_t>(sums, 0)[i],
                                           2 * 0x111 * (i + 1) + (i == 3 ? 300 : 0));
                               }
                             }});
  }
}

TEST(Atomics, RaisedWordsEndAWait) {
  World world({.ranks = 2});
  const Buffer& word = world.window("word", 64);
  const Buffer& ones = world.gm("ones", 64);
  expect_found(world, {.kernel =
                           [&](Kernel& k) {
                             auto target = row(k.of<std::int32_t>(k.next(), word), 1);
                             auto from = row(k.own<std::int32_t>(ones), 1);
                             auto staging = vec_row<std::int32_t, 16>(0x0, 1);
                             pto::comm::TPUT<pto::AtomicType::AtomicAdd>(target, from, staging);
                             release();
                             wait_for(k.own<std::int32_t>(word), 1);
                           },
                       .errors = {},
                       .prepare =
                           [&] {
                             for (int rank = 0; rank < 2; ++rank) {
                               world.at<std::int32_t>(ones, rank)[0] = 1;
                             }
                           }});
}

TEST(Blocks, OfOneRankAreCoresOfTheirOwn) {
  for (const int overlap : {0, 1}) {
    World world({.ranks = 1, .blocks = 2});
    const Buffer& data = world.gm("data", kBytes);
    expect_found(world, {.kernel =
                             [&](Kernel& k) {
                               EXPECT_EQ(get_block_idx(), k.block());
                               EXPECT_EQ(get_block_num(), 2);
                               auto half_of = row(k.own(data) + std::ptrdiff_t{20} * k.block(),
                                                  20 + (k.block() == 0 ? overlap : 0));
                               auto tile = vec_row(0x0, 20U + (k.block() == 0 ? static_cast<unsigned>(overlap) : 0U));
                               TEXPANDS(tile, 1.0F);
                               set_and_wait(PIPE_V, PIPE_MTE3);
                               TSTORE(half_of, tile);
                             },
                         .errors = overlap == 0 ? Errors{} : Errors{"WW:data"}});
  }
}

TEST(Blocks, OfOneRankNeedNoFence) {
  for (const bool drains : {false, true}) {
    World world({.ranks = 1, .blocks = 2});
    const Buffer& data = world.gm("data", kBytes);
    const Buffer& ready = world.gm("ready", kLineBytes);
    expect_found(world, {.kernel =
                             [&](Kernel& k) {
                               auto memory = row(k.own(data), kCount);
                               auto tile = vec_row(0x0, kCount);
                               if (k.block() == 0) {
                                 TSTORE(memory, tile);
                                 if (drains) {
                                   pipe_barrier(PIPE_MTE3);
                                 }
                                 notify(k.own<std::int32_t>(ready));
                               } else {
                                 wait_for(k.own<std::int32_t>(ready), 1);
                                 TLOAD(tile, memory);
                               }
                             },
                         .errors = drains ? Errors{} : Errors{"RW:data"}});
  }
}

TEST(Test, OrdersAsAWaitOnceItIsTrue) {
  for (const bool releases : {false, true}) {
    Ring ring(2);
    ring.expect(releases ? Errors{} : Errors{"RW:data"}, [&](Kernel& k) {
      auto target = row(k.of(k.next(), ring.data), kCount);
      auto source = row(k.own(ring.source), kCount);
      auto staging = vec_row(0x0, kCount);
      pto::comm::TPUT(target, source, staging);
      if (releases) {
        release();
      }
      notify(k.of<std::int32_t>(k.next(), ring.signal), 3, NotifyOp::Set);
      pto::comm::Signal arrived(k.own<std::int32_t>(ring.signal));
      while (!pto::comm::TTEST(arrived, 3, pto::comm::WaitCmp::EQ)) {
      }
      copy_out(k, ring);
    });
  }
}

TEST(Wait, ForARegionNeedsAllOfItsWords) {
  for (const int waited : {2, 3}) {
    World world({.ranks = 4});
    const Buffer& data = world.window("data", 4 * kLineBytes);
    const Buffer& signals = world.window("signals", 4 * kLineBytes);
    expect_found(world, {.kernel =
                             [&](Kernel& k) {
                               auto all = row(k.own(data), 64);
                               auto tile = vec_row(0x0);
                               if (k.rank() > 0) {
                                 auto part = row(k.of(0, data) + std::ptrdiff_t{16} * k.rank(), 16);
                                 tile.SetValidCol(16);
                                 TSTORE(part, tile);
                                 release();
                                 notify(k.of<std::int32_t>(0, signals) + std::ptrdiff_t{16} * k.rank());
                                 return;
                               }
                               const auto wait = [&](auto region) {
                                 pto::comm::TWAIT(region, 1, pto::comm::WaitCmp::GE);
                               };
                               if (waited == 3) {
                                 wait(pto::comm::Signal2D<3, 1>(k.own<std::int32_t>(signals) + 16, 16));
                               } else {
                                 wait(pto::comm::Signal2D<2, 1>(k.own<std::int32_t>(signals) + 16, 16));
                               }
                               TLOAD(tile, all);
                             },
                         .errors = waited == 3 ? Errors{} : Errors{"RW:data"}});
  }
}

TEST(Notify, SetTouchesItsLine) {
  for (const std::int64_t stride : {4, 16}) {
    World world({.ranks = 3});
    const Buffer& cells = world.window("cells", 4 * kLineBytes);
    expect_found(
        world,
        {.kernel = [&](Kernel& k) { notify(k.of<std::int32_t>(0, cells) + stride * k.rank(), 1, NotifyOp::Set); },
         .errors = stride == 16 ? Errors{} : Errors{"LINE:cells"}});
  }
}

TEST(Calls, AreTasksOneAfterTheOther) {
  for (const bool alternates : {false, true}) {
    World world({.ranks = 2});
    const Buffer& data = world.window("data", 2 * kBytes);
    const Buffer& signal = world.window("signal", kLineBytes);
    expect_found(world, {.kernel =
                             [&](Kernel& k) {
                               const int slot = alternates ? k.call() % 2 : 0;
                               auto target = row(k.of(k.next(), data) + slot * kCount, kCount);
                               auto own = row(k.own(data) + slot * kCount, kCount);
                               auto tile = vec_row(0x0, kCount);
                               auto received = vec_row(0x100, kCount);
                               TSTORE(target, tile);
                               release();
                               notify(k.of<std::int32_t>(k.next(), signal));
                               wait_for(k.own<std::int32_t>(signal), k.call() + 1);
                               TLOAD(received, own);
                             },
                         .errors = alternates ? Errors{} : Errors{"RW:data"},
                         .calls = 4});
  }
}

TEST(DeviceWords, BetweenRanksAreOrderedBySignalsOnly) {
  for (const bool waits : {false, true}) {
    World world({.ranks = 2});
    const Buffer& word = world.window("word", kLineBytes);
    const Buffer& signal = world.window("signal", kLineBytes);
    expect_found(world, {.kernel =
                             [&](Kernel& k) {
                               st_dev(5, k.of<std::uint32_t>(k.next(), word), 0);
                               dsb(DSB_DDR);
                               notify(k.of<std::int32_t>(k.next(), signal));
                               if (waits) {
                                 wait_for(k.own<std::int32_t>(signal), 1);
                                 EXPECT_EQ(ld_dev(k.own<std::uint32_t>(word), 0), 5U);
                               } else {
                                 ld_dev(k.own<std::uint32_t>(word), 0);
                               }
                             },
                         .errors = waits ? Errors{} : Errors{"RW:word"}});
  }
}

TEST(Async, IsCoveredByItsEventAlone) {
  for (const bool waits : {false, true}) {
    Ring ring;
    ring.expect(waits ? Errors{} : Errors{"RW:data"}, [&](Kernel& k) {
      auto target = row(k.of(k.next(), ring.data), kCount);
      auto source = row(k.own(ring.source), kCount);
      pto::comm::AsyncSession session = {};
      const pto::comm::AsyncEvent event = pto::comm::TPUT_ASYNC(target, source, session);
      if (waits) {
        event.Wait(session);
      }
      release();
      notify(k.of<std::int32_t>(k.next(), ring.signal));
      wait_for(k.own<std::int32_t>(ring.signal), 1);
      copy_out(k, ring);
    });
  }
}

TEST(Deadlock, IsReportedWithBothWaits) {
  Ring ring(2);
  expect_found(ring.world, {.kernel =
                                [&](Kernel& k) {
                                  wait_for(k.own<std::int32_t>(ring.signal), 1);
                                  notify(k.of<std::int32_t>(k.next(), ring.signal));
                                },
                            .errors = {"DEADLOCK"}});
}

TEST(Runs, OfOneSeedAreTheSame) {
  std::set<std::uint64_t> hashes;
  for (int repetition = 0; repetition < 3; ++repetition) {
    Ring ring;
    const RunResult result = ring.world.run({.seed = 7}, [&](Kernel& k) {
      auto target = row(k.of(k.next(), ring.data), kCount);
      auto source = row(k.own(ring.source), kCount);
      auto staging = vec_row(0x0, 8);
      pto::comm::TPUT(target, source, staging);
      notify(k.of<std::int32_t>(k.next(), ring.signal));
      wait_for(k.own<std::int32_t>(ring.signal), 1);
      copy_out(k, ring);
    });
    hashes.insert(result.event_hash);
    EXPECT_GT(result.events, 0U);
  }
  EXPECT_EQ(hashes.size(), 1U);
}

}  // namespace
}  // namespace tileput::check::test
