// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// GlobalTensor: construction, defaults, accessors, re-pointing (spec sections 4.2 and 9).

#include <gtest/gtest.h>

#include <type_traits>

#include "pto/comm/comm_types.hpp"
#include "pto/common/pto_tile.hpp"

namespace {

using pto::DYNAMIC;
using pto::GlobalTensor;
using pto::Layout;
using Fixed = GlobalTensor<float, pto::Shape<1, 1, 1, 4, 64>, pto::Stride<256, 256, 256, 64, 1>>;
using Open = GlobalTensor<float, pto::Shape<>, pto::Stride<>>;
using Mixed = GlobalTensor<int32_t, pto::Shape<1, DYNAMIC, 1, DYNAMIC, 8>, pto::Stride<DYNAMIC, 1, 1, DYNAMIC, 1>>;

TEST(GlobalTensor, NamesItsTypesAndConstants) {
  static_assert(std::is_same_v<Fixed::Shape, pto::Shape<1, 1, 1, 4, 64>>);
  static_assert(std::is_same_v<Fixed::Stride, pto::Stride<256, 256, 256, 64, 1>>);
  static_assert(std::is_same_v<Fixed::DType, float> && std::is_same_v<Fixed::RawDType, float>);
  static_assert(Fixed::layout == Layout::ND);
  static_assert(Fixed::staticShape[4] == 64 && Fixed::staticStride[3] == 64 && Open::staticShape[0] == DYNAMIC);
  static_assert(Fixed::GetShape<4>() == 64 && Fixed::GetStride<pto::GlobalTensorDim::DIM_3>() == 64);
  static_assert(GlobalTensor<float, pto::Shape<>, pto::Stride<>, Layout::DN>::layout == Layout::DN);
}

TEST(GlobalTensor, DefaultsAreNullAndOnes) {
  const Open none;
  EXPECT_EQ(none.data(), nullptr);
  for (int d = 0; d < 5; ++d) {
    EXPECT_EQ(none.GetShape(d), 1);
    EXPECT_EQ(none.GetStride(d), 1);
  }
  float word = 0;
  const Mixed::Shape ignored;
  Fixed fixed(&word);
  EXPECT_EQ(fixed.data(), &word);
  EXPECT_EQ(fixed.GetShape(3), 4);
  EXPECT_EQ(fixed.GetStride(0), 256);
  static_cast<void>(ignored);
}

TEST(GlobalTensor, TakesOnlyDynamicDimensions) {
  int32_t word = 0;
  Mixed mixed(&word, Mixed::Shape(9, 2, 9, 3, 9), Mixed::Stride(40, 9, 9, 50, 9));
  EXPECT_EQ(mixed.GetShape(0), 1);
  EXPECT_EQ(mixed.GetShape(1), 2);
  EXPECT_EQ(mixed.GetShape(3), 3);
  EXPECT_EQ(mixed.GetShape(4), 8);
  EXPECT_EQ(mixed.GetStride(0), 40);
  EXPECT_EQ(mixed.GetStride(1), 1);
  EXPECT_EQ(mixed.GetStride(3), 50);
}

TEST(GlobalTensor, HasNoOtherDimensions) {
  const Open tensor(nullptr, {2, 3, 4, 5, 6}, {7, 8, 9, 10, 11});
  EXPECT_EQ(tensor.GetShape(-1), -1);
  EXPECT_EQ(tensor.GetShape(5), -1);
  EXPECT_EQ(tensor.GetStride(-1), -1);
  EXPECT_EQ(tensor.GetStride(5), -1);
  EXPECT_EQ(tensor.GetShape(4), 6);
  EXPECT_EQ(tensor.GetStride(0), 7);
}

TEST(GlobalTensor, ChangesDynamicDimensions) {
  Open tensor(nullptr);
  tensor.SetShape<4>(12);
  tensor.SetShape<0, 3>(2, 5);
  EXPECT_EQ(tensor.GetShape(4), 12);
  EXPECT_EQ(tensor.GetShape(0), 2);
  EXPECT_EQ(tensor.GetShape(3), 5);
  EXPECT_EQ(tensor.GetShape(1), 1);
  tensor.SetStride<0, 1, 2, 3, 4>(5, 4, 3, 2, 1);
  for (int d = 0; d < 5; ++d) {
    EXPECT_EQ(tensor.GetStride(d), 5 - d);
  }
  Mixed mixed(nullptr);
  mixed.SetShape<1>(std::size_t{6});
  mixed.SetStride<3>(7U);
  EXPECT_EQ(mixed.GetShape(1), 6);
  EXPECT_EQ(mixed.GetStride(3), 7);
}

TEST(GlobalTensor, IsCopiedIntoArrays) {
  float words[3] = {};
  Open views[3];
  for (int i = 0; i < 3; ++i) {
    views[i] = Open(words + i, Open::Shape(1, 1, 1, 1, i + 1));
  }
  const Open copy = views[2];
  EXPECT_EQ(copy.data(), words + 2);
  EXPECT_EQ(copy.GetShape(4), 3);
}

TEST(GlobalTensor, IsRepointed) {
  float words[2] = {};
  Fixed tensor(words);
  TASSIGN(tensor, words + 1);
  EXPECT_EQ(tensor.data(), words + 1);
  pto::comm::Signal2D<2, 2> signals(nullptr);
  int32_t slots[4] = {};
  TASSIGN(signals, slots);
  EXPECT_EQ(signals.data(), slots);
}

TEST(GlobalTensor, TraitsKnowDerivedTensors) {
  static_assert(pto::is_global_data_v<Open> && pto::is_global_data_v<const Fixed&>);
  static_assert(pto::is_global_data_v<pto::comm::Signal> && pto::is_global_data_v<pto::comm::Signal2D<4, 8>>);
  static_assert(!pto::is_global_data_v<int> && !pto::is_global_data_v<pto::Shape<>>);
  static_assert(!pto::is_global_data_v<pto::Tile<pto::TileType::Vec, float, 1, 8>>);
}

TEST(CommTypes, SignalTensors) {
  int32_t words[64] = {};
  pto::comm::Signal one(words + 3);
  EXPECT_EQ(one.data(), words + 3);
  EXPECT_EQ(one.GetShape(4), 1);
  pto::comm::Signal2D<4, 8> dense(words);
  EXPECT_EQ(dense.GetShape(3), 4);
  EXPECT_EQ(dense.GetShape(4), 8);
  EXPECT_EQ(dense.GetStride(3), 8);
  EXPECT_EQ(dense.GetStride(4), 1);
  pto::comm::Signal2D<4, 8> part(words, 16);
  EXPECT_EQ(part.GetStride(3), 16);
  static_assert(std::is_same_v<pto::comm::GlobalSignal<int32_t, pto::Shape<1, 1, 1, 1, 1>, pto::Stride<1, 1, 1, 1, 1>>,
                               pto::comm::Signal>);
}

TEST(CommTypes, ParallelGroupBorrowsItsTensors) {
  using Group = pto::comm::ParallelGroup<Open>;
  static_assert(std::is_same_v<Group::value_type, Open>);
  static_assert(std::is_same_v<pto::comm::ParallelGroupTraits<Group>::GlobalDataType, Open>);
  const Group none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.GetRootIdx(), -1);
  EXPECT_EQ(none.GetSize(), 0);
  float words[2] = {};
  Open views[2] = {Open(words), Open(words + 1)};
  Group group(views, 2, 1);
  EXPECT_FALSE(group.empty());
  EXPECT_EQ(group.GetSize(), 2);
  EXPECT_EQ(group.GetRootIdx(), 1);
  EXPECT_EQ(&group[1], &views[1]);
  const Group same = Group::Create(views, 2, 0);
  EXPECT_EQ(same[0].data(), words);
  EXPECT_EQ(same.rootIdx, 0);
}

template <class Enum>
constexpr auto value(Enum enumerator) {
  return static_cast<std::underlying_type_t<Enum>>(enumerator);
}

TEST(CommTypes, ValuesAreTheContract) {
  using namespace pto::comm;  // NOLINT(build/namespaces)
  static_assert(sizeof(NotifyOp) == 1 && value(NotifyOp::AtomicAdd) == 0 && value(NotifyOp::Set) == 1);
  static_assert(value(WaitCmp::EQ) == 0 && value(WaitCmp::NE) == 1 && value(WaitCmp::GT) == 2 &&
                value(WaitCmp::GE) == 3 && value(WaitCmp::LT) == 4 && value(WaitCmp::LE) == 5 && sizeof(WaitCmp) == 1);
  static_assert(value(ReduceOp::Sum) == 0 && value(ReduceOp::Max) == 1 && value(ReduceOp::Min) == 2);
  static_assert(value(DmaEngine::SDMA) == 0 && value(DmaEngine::URMA) == 1 && value(DmaEngine::RDMA) == 2);
  static_assert(value(CollEngine::AIV) == 0 && value(CollEngine::CCU) == 1);
  const CcuTriggerContext context;
  EXPECT_EQ(context.ckeSlotVA, 0U);
  EXPECT_EQ(context.inputSource, CcuInputSource::HostManaged);
  static_assert(value(pto::CmpMode::LT) == 2 && value(pto::TileType::Ctrl) == 9 && value(pto::Layout::NZ) == 2);
  static_assert(value(pto::RoundMode::CAST_ODD) == 6 && sizeof(pto::RoundMode) == 1 && sizeof(pto::AtomicType) == 1);
  static_assert(value(pto::STPhase::Partial) == 2 && value(pto::AccPhase::Final) == 3);
  static_assert(value(pto::PadValue::CustomBase) == std::uint64_t{1} << 32U && value(pto::PadValue::Min) == 3);
  static_assert(pto::GlobalTensorDim::TOTAL_DIM == 5 && pto::DYNAMIC == -1 && pto::C0_SIZE_BYTE == 32 &&
                pto::BLOCK_BYTE_SIZE == 32 && pto::FRACTAL_NZ_ROW == 16);
}

}  // namespace
