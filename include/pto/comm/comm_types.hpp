// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Types of the communication instructions (spec section 9). DmaEngine, AsyncSession and AsyncEvent come from
/// async_types.hpp.

#include <cstdint>

#include "pto/comm/async_common/async_types.hpp"
#include "pto/common/constants.hpp"
#include "pto/common/global_tensor.hpp"
#include "pto/common/type.hpp"

namespace pto::comm {

/// What TNOTIFY does to the signal word.
enum class NotifyOp : std::uint8_t { AtomicAdd = 0, Set = 1 };

/// The comparison of TWAIT and TTEST, signal on the left, signed. pto::CmpMode has another order.
enum class WaitCmp : std::uint8_t { EQ = 0, NE = 1, GT = 2, GE = 3, LT = 4, LE = 5 };

enum class ReduceOp : std::uint8_t { Sum = 0, Max = 1, Min = 2 };
enum class CollEngine : std::uint8_t { AIV = 0, CCU = 1 };
enum class CcuInputSource : std::uint8_t { HostManaged = 0, AivStored = 1 };

/// The first extra argument of a collective on CollEngine::CCU.
struct CcuTriggerContext {
  std::uint64_t ckeSlotVA = 0;
  std::uint32_t mask = 0;
  std::uint32_t selfIdx = 0;
  CcuInputSource inputSource = CcuInputSource::HostManaged;
};

template <class Element, class ShapeType, class StrideType, Layout layout = Layout::ND>
using GlobalSignal = GlobalTensor<Element, ShapeType, StrideType, layout>;

/// One signal word.
using Signal = GlobalTensor<std::int32_t, Shape<1, 1, 1, 1, 1>, Stride<1, 1, 1, 1, 1>, Layout::ND>;

/// kRows x kCols signal words: dense, or part of a matrix whose rows are `rowStride` words apart.
template <int kRows, int kCols>
class Signal2D
    : public GlobalTensor<std::int32_t, Shape<1, 1, 1, kRows, kCols>, Stride<1, 1, 1, DYNAMIC, 1>, Layout::ND> {
  using RowStride = pto::Stride<1, 1, 1, DYNAMIC, 1>;
  using Base = GlobalTensor<std::int32_t, pto::Shape<1, 1, 1, kRows, kCols>, RowStride, Layout::ND>;

 public:
  constexpr Signal2D(std::int32_t* words) noexcept : Signal2D(words, kCols) {}  // NOLINT(runtime/explicit)
  constexpr Signal2D(std::int32_t* words, int rowStride) noexcept
      : Base(words, pto::Shape<1, 1, 1, kRows, kCols>(), RowStride(rowStride)) {}
};

/// One tensor per rank of a group: tensors[r] is rank r's buffer as the calling rank addresses it. Borrows the array.
/// `rootIdx` is the same on every rank.
template <class GlobalData>
struct ParallelGroup {
  using value_type = GlobalData;

  GlobalData* tensors = nullptr;
  int nranks = 0;
  int rootIdx = -1;

  constexpr ParallelGroup() noexcept = default;
  constexpr ParallelGroup(GlobalData* array, int size, int root) noexcept
      : tensors(array), nranks(size), rootIdx(root) {}
  static constexpr ParallelGroup Create(GlobalData* array, int size, int root) noexcept { return {array, size, root}; }

  constexpr int GetRootIdx() const noexcept { return rootIdx; }
  constexpr int GetSize() const noexcept { return nranks; }
  constexpr bool empty() const noexcept { return tensors == nullptr || nranks <= 0; }
  constexpr GlobalData& operator[](int rank) noexcept { return tensors[rank]; }
  constexpr const GlobalData& operator[](int rank) const noexcept { return tensors[rank]; }
};

template <class Group>
struct ParallelGroupTraits;
template <class GlobalData>
struct ParallelGroupTraits<ParallelGroup<GlobalData>> {
  using GlobalDataType = GlobalData;
};

}  // namespace pto::comm

#include "pto/common/address_space.hpp"
