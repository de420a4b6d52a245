// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// A kernel that opens no namespace, with file-scope names that are also ours (spec section 1.5): its own aliases win,
/// and argument-dependent lookup finds the instructions.

#include <pto/pto-inst.hpp>

#include "support.hpp"

static constexpr int T = 64;

using Shape = pto::Shape<1, 1, 1, 1, pto::DYNAMIC>;
using Stride = pto::Stride<1, 1, 1, 1, 1>;
using ShapeDyn = pto::Shape<pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC>;
using StrideDyn = pto::Stride<pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC, pto::DYNAMIC>;
using Global = pto::GlobalTensor<float, Shape, Stride>;
using GT = pto::GlobalTensor<float, ShapeDyn, StrideDyn>;
using Tile = pto::Tile<pto::TileType::Vec, float, 1, T, pto::BLayout::RowMajor, 1, pto::DYNAMIC>;
using TileData = Tile;

namespace {

TEST(KernelNamesClosed, FileScopeAliasesAreTheKernels) {
  tileput::test::Guarded<float> memory(3 * T);
  memory.number(1);
  TileData tile(T);
  TASSIGN(tile, 0x0);
  Global source(memory.data(), Shape(T));
  GT target(memory.data() + T, ShapeDyn(1, 1, 1, 1, T), StrideDyn(T, T, T, T, 1));
  TLOAD(tile, source);
  TSTORE(target, tile);
  Global put(memory.data() + 2 * T, Shape(T));
  pto::comm::TPUT(put, source, tile);
  EXPECT_EQ(memory.get(2 * T - 1), 64.0F);
  EXPECT_EQ(memory.get(3 * T - 1), 64.0F);
}

}  // namespace
