// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// What the instructions of the vector unit refuse; in builds for kernels (NDEBUG) they are more lenient.

#include <gtest/gtest.h>

#include <string>

#include "pto/pto-inst.hpp"
#include "support.hpp"

namespace tileput::test {
namespace {

using pto::BLayout;
using pto::DYNAMIC;
using pto::TileType;

template <class T, int kRows, int kCols, BLayout kLayout = BLayout::RowMajor, int kValidRows = kRows,
          int kValidCols = kCols>
using Vec = pto::Tile<TileType::Vec, T, kRows, kCols, kLayout, kValidRows, kValidCols>;

class VectorErrorTest : public testing::Test {
 protected:
  VectorErrorTest() {
    pto::TASSIGN(tile_, 0x0);
    pto::TEXPANDS(tile_, 5.0F);
  }
  ~VectorErrorTest() override { EXPECT_EQ(tile_.GetValue(0), 5.0F) << "written before it was refused"; }
  Vec<float, 4, 16> tile_;
};

TEST_F(VectorErrorTest, UnboundTiles) {
  Vec<float, 4, 16> unbound;
  EXPECT_EQ(error_of([&] { pto::TADD(unbound, tile_, tile_); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::TADD(tile_, unbound, tile_); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::TADD(tile_, tile_, unbound); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::TMULS(tile_, unbound, 1.0F); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::TEXPANDS(unbound, 1.0F); }), ErrorCode::kUnboundTile);
  EXPECT_EQ(error_of([&] { pto::TROWSUM(tile_, tile_, unbound); }), ErrorCode::kUnboundTile);
}

TEST_F(VectorErrorTest, TheTargetExceedsASource) {
  Vec<float, 4, 8> narrow;
  Vec<float, 3, 16> low;
  pto::TASSIGN(narrow, 0x400);
  pto::TASSIGN(low, 0x800);
  EXPECT_EQ(error_of([&] { pto::TADD(tile_, tile_, narrow); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(error_of([&] { pto::TADD(tile_, low, tile_); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(error_of([&] { pto::TADDS(tile_, narrow, 1.0F); }), ErrorCode::kShapeMismatch);
  try {
    pto::TADD(tile_, tile_, narrow);
  } catch (const Error& error) {
    EXPECT_NE(error.detail().find("TADD"), std::string::npos) << error.detail();
    EXPECT_NE(error.detail().find("4 x 8"), std::string::npos) << error.detail();
  }
}

TEST_F(VectorErrorTest, TheTargetExceedsItsOwnStorage) {
  Vec<float, 4, 16, BLayout::RowMajor, DYNAMIC, DYNAMIC> tile(5, 16);
  pto::TASSIGN(tile, 0x0);
  EXPECT_EQ(error_of([&] { pto::TEXPANDS(tile, 1.0F); }), ErrorCode::kShapeMismatch);
  tile.SetValidShape(4, 0x80000001U);
  EXPECT_EQ(error_of([&] { pto::TEXPANDS(tile, 1.0F); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(error_of([&] { pto::TADD(tile, tile, tile); }), ErrorCode::kShapeMismatch);
}

TEST_F(VectorErrorTest, TheSumsDoNotFit) {
  Vec<float, 3, 8> few;
  Vec<float, 4, 16> scratch;
  pto::TASSIGN(few, 0x400);
  pto::TASSIGN(scratch, 0x800);
  EXPECT_EQ(error_of([&] { pto::TROWSUM(few, tile_, scratch); }), ErrorCode::kShapeMismatch);
}

/// Public kernels leave valid extents behind that no longer matter; only builds without NDEBUG stop there.
TEST_F(VectorErrorTest, ASourceWithASmallerValidRegion) {
  Vec<float, 4, 16, BLayout::RowMajor, DYNAMIC, DYNAMIC> source(4, 16);
  Vec<float, 4, 16> target;
  pto::TASSIGN(source, 0x400);
  pto::TASSIGN(target, 0x800);
  pto::TEXPANDS(source, 3.0F);
  pto::TEXPANDS(target, 0.0F);
  source.SetValidShape(4, 15);
#ifdef NDEBUG
  pto::TADD(target, source, tile_);
  EXPECT_EQ(target.GetValue(63), 8.0F);
#else
  EXPECT_EQ(error_of([&] { pto::TADD(target, source, tile_); }), ErrorCode::kShapeMismatch);
  EXPECT_EQ(target.GetValue(0), 0.0F);
#endif
}

}  // namespace
}  // namespace tileput::test
