// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// What the instructions of one core are on the checked machine: each with a use that races and its ordered twin.

#include "check/kernel_observer.hpp"

#include <gtest/gtest.h>
#include <pto/pto-inst.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "check/observed_kernels.hpp"
#include "tileput/error.hpp"
#include "tileput/machine/known_memory.hpp"

namespace tileput::check::test {
namespace {

using Errors = std::set<std::string>;

constexpr std::int64_t kCount = 64;
constexpr std::size_t kBytes = kCount * sizeof(float);

/// One rank with an input of 0, 1, 2, ... and an output, both private.
class OneCore : public testing::TestWithParam<bool> {
 protected:
  explicit OneCore(CoreType type = CoreType::kVector) : world_({.ranks = 1, .type = type}) {}

  [[nodiscard]] static bool is_ordered() { return GetParam(); }
  void number_input() {
    for (std::int64_t i = 0; i < kCount; ++i) {
      world_.at<float>(in_, 0)[i] = static_cast<float>(i);
    }
  }
  void expect_output(float factor, float summand) {
    for (std::int64_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(world_.at<float>(out_, 0)[i], factor * static_cast<float>(i) + summand) << "element " << i;
    }
  }
  /// The kernel finds nothing when it is ordered, and `racy` when not.
  void expect(const Errors& racy, const std::function<void(Kernel&)>& kernel, const std::function<void()>& check = {}) {
    expect_found(world_, {.kernel = kernel,
                          .errors = is_ordered() ? Errors{} : racy,
                          .prepare = [this] { number_input(); },
                          .check = check});
  }
  static void order(pipe_t from, pipe_t to, event_t event = EVENT_ID0) {
    if (is_ordered()) {
      set_and_wait(from, to, event);
    }
  }

  World world_;
  const Buffer& in_ = world_.gm("in", kBytes);
  const Buffer& out_ = world_.gm("out", kBytes);
};

TEST_P(OneCore, LoadBeforeVectorOperation) {
  expect(
      {"RW:Vec"},
      [&](Kernel& k) {
        auto from = row(k.own(in_), kCount);
        auto to = row(k.own(out_), kCount);
        auto a = vec_row(0x0);
        auto sum = vec_row(0x100);
        TLOAD(a, from);
        order(PIPE_MTE2, PIPE_V);
        TADD(sum, a, a);
        set_and_wait(PIPE_V, PIPE_MTE3);
        TSTORE(to, sum);
      },
      [&] { expect_output(2, 0); });
}

TEST_P(OneCore, VectorOperationBeforeStore) {
  expect(
      {"RW:Vec"},
      [&](Kernel& k) {
        auto from = row(k.own(in_), kCount);
        auto to = row(k.own(out_), kCount);
        auto tile = vec_row(0x0);
        TLOAD(tile, from);
        set_and_wait(PIPE_MTE2, PIPE_V);
        TMULS(tile, tile, 3.0F);
        TADDS(tile, tile, 1.0F);
        order(PIPE_V, PIPE_MTE3);
        TSTORE(to, tile);
      },
      [&] { expect_output(3, 1); });
}

TEST_P(OneCore, StoreBeforeLoadIntoTheSameTile) {
  expect(
      {"RW:Vec"},
      [&](Kernel& k) {
        auto from = row(k.own(in_), kCount);
        auto to = row(k.own(out_), kCount);
        auto other = row(k.own(in_) + 8, 8);
        auto tile = vec_row(0x0);
        TLOAD(tile, from);
        set_and_wait(PIPE_MTE2, PIPE_MTE3);
        TSTORE(to, tile);
        order(PIPE_MTE3, PIPE_MTE2, EVENT_ID1);
        tile.SetValidCol(8);
        TLOAD(tile, other);
      },
      [&] { expect_output(1, 0); });
}

TEST_P(OneCore, StoreBeforeLoadOfTheSameMemory) {
  expect({"RW:out"}, [&](Kernel& k) {
    auto to = row(k.own(out_), kCount);
    auto tile = vec_row(0x0);
    auto again = vec_row(0x100);
    TSTORE(to, tile);
    order(PIPE_MTE3, PIPE_MTE2);
    TLOAD(again, to);
  });
}

TEST_P(OneCore, OverlappingTilesAndNeighbours) {
  expect({"RW:Vec"}, [&](Kernel& k) {
    auto from = row(k.own(in_), 8);
    auto loaded = vec_row<float, 8>(0x20);
    auto sum = vec_row<float, 8>(0x40);
    // Its bytes end where `loaded` begins; or its last element is the first one of it.
    auto other = vec_row<float, 8>(is_ordered() ? 0x0 : 0x4);
    TLOAD(loaded, from);
    TADDS(sum, other, 1.0F);
  });
}

TEST_P(OneCore, PaddingIsWrittenByTheLoad) {
  using Padded = pto::Tile<pto::TileType::Vec, float, 1, 16, pto::BLayout::RowMajor, 1, 8, pto::SLayout::NoneBox, 512,
                           pto::PadValue::Zero>;
  expect({"RW:Vec"}, [&](Kernel& k) {
    auto from = row(k.own(in_), 8);
    Padded tile;
    TASSIGN(tile, 0x0);
    auto behind = vec_row<float, 8>(0x20);  // the padding
    auto sum = vec_row<float, 8>(0x40);
    TLOAD(tile, from);
    order(PIPE_MTE2, PIPE_V);
    TADDS(sum, behind, 1.0F);
  });
}

TEST_P(OneCore, OnlyTheValidRegionIsAccessed) {
  expect({"RW:Vec"}, [&](Kernel& k) {
    auto from = row(k.own(in_), 8);
    auto loaded = vec_row<float, 8>(0x20);
    auto left = vec_row<float, 16>(0x0, is_ordered() ? 8 : 9);
    auto sum = vec_row<float, 16>(0x40, is_ordered() ? 8 : 9);
    TLOAD(loaded, from);
    TADDS(sum, left, 1.0F);
  });
}

/// A temporary tile is destroyed by the vector unit.
TEST_P(OneCore, TemporaryTiles) {
  expect({"WW:Vec"}, [&](Kernel& k) {
    auto from = row(k.own(in_), kCount);
    auto tile = vec_row(0x0);
    auto temporary = vec_row(0x100);
    pto::Tile<pto::TileType::Vec, float, 8, 1, pto::BLayout::ColMajor, 1, 1> sum;
    TASSIGN(sum, 0x200);
    TLOAD(temporary, from);
    order(PIPE_MTE2, PIPE_V);
    TEXPANDS(tile, 1.0F);
    TROWSUM(sum, tile, temporary);
  });
}

TEST_P(OneCore, ConversionReadsItsSourceAndWritesItsTarget) {
  expect({"RW:Vec"}, [&](Kernel& k) {
    auto from = row(k.own(in_), kCount);
    auto wide = vec_row(0x0);
    auto narrow = vec_row<half>(0x100);
    TLOAD(wide, from);
    order(PIPE_MTE2, PIPE_V);
    TCVT(narrow, wide, pto::RoundMode::CAST_RINT);
  });
}

TEST_P(OneCore, ScalarUnitDrainsAPipe) {
  expect({"RW:in"}, [&](Kernel& k) {
    auto from = row(k.own(in_), kCount);
    auto tile = vec_row(0x0);
    TLOAD(tile, from);
    if (is_ordered()) {
      pipe_barrier(PIPE_MTE2);
    }
    st_dev(7, k.own<std::uint32_t>(in_) + 3, 0);
  });
}

TEST_P(OneCore, DeviceWordsTakePlaceAtOnce) {
  expect({}, [&](Kernel& k) {
    std::uint32_t* const words = k.own<std::uint32_t>(in_);
    st_dev(41, words, 8);
    EXPECT_EQ(ld_dev(words, 8), 41U);
    EXPECT_EQ(words[2], 41U);
    dcci(words, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);
    dcci(words, ENTIRE_DATA_CACHE);
    dsb(DSB_DDR);
  });
}

TEST_P(OneCore, AsynchronousTransferReadsItsSourceUntilItIsWaitedFor) {
  expect(
      {"RW:in"},
      [&](Kernel& k) {
        auto from = row(k.own(in_), kCount);
        auto to = row(k.own(out_), kCount);
        auto tile = vec_row(0x0);
        pto::comm::AsyncSession session = {};
        const pto::comm::AsyncEvent event = pto::comm::TPUT_ASYNC(to, from, session);
        EXPECT_TRUE(event.valid());
        if (is_ordered()) {
          EXPECT_TRUE(event.Wait(session));
          EXPECT_TRUE(event.Test(session));
        }
        TSTORE(from, tile);
      },
      [&] { expect_output(1, 0); });
}

TEST_P(OneCore, WaitingForALaterTransferOfTheSession) {
  expect({"RW:out"}, [&](Kernel& k) {
    auto from = row(k.own(in_), 32);
    auto to = row(k.own(out_), 32);
    auto other_from = row(k.own(in_) + 32, 32);
    auto other_to = row(k.own(out_) + 32, 32);
    auto tile = vec_row(0x0, 32);
    pto::comm::AsyncSession session = {};
    pto::comm::AsyncSession other = {};
    pto::comm::TGET_ASYNC(to, from, session);
    const auto last = pto::comm::TGET_ASYNC(other_to, other_from, is_ordered() ? session : other);
    last.Wait(is_ordered() ? session : other);
    TLOAD(tile, to);
  });
}

TEST_P(OneCore, StagingTileOfACopy) {
  expect(
      {"RW:Vec", "WW:Vec"},
      [&](Kernel& k) {
        auto from = row(k.own(in_), kCount);
        auto to = row(k.own(out_), kCount);
        auto staging = vec_row(0x0);
        pto::comm::TPUT(to, from, staging);
        order(PIPE_MTE3, PIPE_V);
        TEXPANDS(staging, 0.0F);
      },
      [&] { expect_output(1, 0); });
}

TEST_P(OneCore, LoadIntoAStagingTileIsOrderedByTheCopyItself) {
  expect(
      {"RW:Vec", "WW:Vec"},
      [&](Kernel& k) {
        auto from = row(k.own(in_), kCount);
        auto to = row(k.own(out_), kCount);
        auto ping = vec_row<float, 16>(0x0);
        auto pong = vec_row<float, 16>(0x100);
        auto tile = vec_row<float, 16>(0x100);
        auto part = row(k.own(in_), 16);
        pto::comm::TGET(to, from, ping, pong);
        TLOAD(tile, part);
        if (!is_ordered()) {  // what is no part of the copy is not
          TADDS(ping, tile, 1.0F);
        }
      },
      [&] { expect_output(1, 0); });
}

INSTANTIATE_TEST_SUITE_P(Uses, OneCore, testing::Bool(),
                         [](const auto& test) { return test.param ? "Ordered" : "Racy"; });

/// The path of a matrix product; bit i of the parameter leaves its event i out.
class MatrixPath : public testing::TestWithParam<int> {};

TEST_P(MatrixPath, EveryEventIsNeeded) {
  const int missing = GetParam();
  World world({.ranks = 1, .type = CoreType::kCube});
  constexpr std::size_t kMatrixBytes = 256 * sizeof(float);
  const Buffer& a = world.gm("a", kMatrixBytes);
  const Buffer& b = world.gm("b", kMatrixBytes);
  const Buffer& c = world.gm("c", kMatrixBytes);
  using Matrix = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 16, 16>, pto::Stride<256, 256, 256, 16, 1>>;
  using MatTile = pto::Tile<pto::TileType::Mat, float, 16, 16, pto::BLayout::ColMajor, 16, 16, pto::SLayout::RowMajor>;
  const auto order = [&](int event, pipe_t from, pipe_t to) {
    if (event != missing) {
      set_and_wait(from, to);
    }
  };
  const std::array<Errors, 5> expected = {Errors{"RW:Mat"}, Errors{"RW:Left", "RW:Right"}, Errors{"RW:Acc"},
                                          Errors{"RW:Acc"}, Errors{}};
  expect_found(world, {.kernel =
                           [&](Kernel& k) {
                             Matrix left_data(k.own(a));
                             Matrix right_data(k.own(b));
                             Matrix product_data(k.own(c));
                             MatTile left_mat;
                             MatTile right_mat;
                             pto::TileLeft<float, 16, 16> left;
                             pto::TileRight<float, 16, 16> right;
                             pto::TileAcc<float, 16, 16> acc;
                             TASSIGN(left_mat, 0x0);
                             TASSIGN(right_mat, 0x400);
                             TASSIGN(left, 0x0);
                             TASSIGN(right, 0x0);
                             TASSIGN(acc, 0x0);
                             TLOAD(left_mat, left_data);
                             TLOAD(right_mat, right_data);
                             order(0, PIPE_MTE2, PIPE_MTE1);
                             TMOV(left, left_mat);
                             TMOV(right, right_mat);
                             order(1, PIPE_MTE1, PIPE_M);
                             TMATMUL(acc, left, right);
                             TMATMUL_ACC(acc, left, right);
                             order(2, PIPE_M, PIPE_FIX);
                             TSTORE(product_data, acc);
                             order(3, PIPE_FIX, PIPE_M);
                             TMATMUL(acc, left, right);
                           },
                       .errors = expected[static_cast<std::size_t>(missing)],
                       .prepare =
                           [&] {
                             for (int i = 0; i < 256; ++i) {
                               world.at<float>(a, 0)[i] = static_cast<float>(i);
                               world.at<float>(b, 0)[i] = i / 16 == i % 16 ? 1.0F : 0.0F;
                             }
                           },
                       .check =
                           [&] {
                             for (int i = 0; i < 256; ++i) {
                               ASSERT_EQ(world.at<float>(c, 0)[i], static_cast<float>(2 * i));
                             }
                           }});
}

INSTANTIATE_TEST_SUITE_P(Without, MatrixPath, testing::Range(0, 5));

TEST(OutOfBounds, IsReportedAndDoesNotTakePlace) {
  World world({.ranks = 2});
  const Buffer& data = world.window("data", 32);
  const Buffer& behind = world.window("behind", 32);
  const Buffer& secret = world.gm("secret", 64);
  expect_found(world, {.kernel =
                           [&](Kernel& k) {
                             auto too_long = row(k.own(data), 9);
                             auto own_secret = row(k.own(secret), 16);
                             auto foreign = row(k.of(k.next(), secret), 16);
                             auto tile = vec_row(0x0, 9);
                             TSTORE(too_long, tile);
                             auto loaded = vec_row(0x100, 16);
                             TLOAD(loaded, own_secret);
                             TLOAD(loaded, foreign);
                             notify(k.own<std::int32_t>(behind) + 8);
                             wait_for(k.own<std::int32_t>(behind) + 8, 1);
                           },
                       .errors = {"OOB", "OOB:data", "OOB:secret"},
                       .prepare = [&] { world.at<std::int32_t>(behind, 0)[8] = 5; }});
  EXPECT_EQ(world.at<std::int32_t>(behind, 0)[8], 5);
  EXPECT_EQ(world.at<float>(data, 0)[8], 0.0F);
}

TEST(OutOfBounds, BuffersThatTouchMayBeAccessedAsOne) {
  World world({.ranks = 1});
  const Buffer& first = world.window("first", 64);
  const Buffer& second = world.window("second", 64, true);
  ASSERT_EQ(world.at<float>(first, 0) + 16, world.at<float>(second, 0));
  expect_found(world, {.kernel =
                           [&](Kernel& k) {
                             auto both = row(k.own(first), 32);
                             auto tile = vec_row(0x0, 32);
                             TLOAD(tile, both);
                           },
                       .errors = {}});
}

/// A core that knows its memory ends the task, as natively.
class OneRange : public machine::KnownMemory {
 public:
  explicit OneRange(Range range) : range_(range) {}
  [[nodiscard]] std::optional<machine::KnownRange> find(std::uintptr_t address) const override {
    if (address < range_.begin || address >= range_.end()) {
      return {};
    }
    return machine::KnownRange{range_.begin, range_.end()};
  }
  [[nodiscard]] std::string describe(std::uintptr_t /*address*/) const override { return "nothing is near"; }

 private:
  Range range_;
};

TEST(OutOfBounds, IsAnErrorOnACoreThatKnowsItsMemory) {
  World world({.ranks = 1});
  const Buffer& data = world.window("data", 32);
  const OneRange memory({reinterpret_cast<Address>(world.at<float>(data, 0)), 32});
  std::array<machine::KnownRange, machine::kKnownExtra> known{};
  world.core(0, 0).memory = &memory;
  world.core(0, 0).known = known.data();
  try {
    world.run({}, [&](Kernel& k) {
      auto too_long = row(k.own(data), 9);
      auto tile = vec_row(0x0, 9);
      TSTORE(too_long, tile);
    });
    ADD_FAILURE() << "no Error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutOfWindow);
  }
}

TEST(Pipes, ThatAreNoneAreRefused) {
  World world({.ranks = 1});
  try {
    world.run({}, [](Kernel& /*k*/) { pipe_barrier(8); });
    ADD_FAILURE() << "no Error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadArgument);
  }
}

}  // namespace
}  // namespace tileput::check::test
