// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// TBROADCAST, TGATHER, TSCATTER and TREDUCE (spec section 12) against a slow model, every byte of every member and of
/// the local tensor; natively and in pieces through an observer. All members are in this process.

#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

#include "any_tensor.hpp"
#include "pto/pto-inst.hpp"
#include "scene/kernels/deferring_observer.hpp"

namespace {

using pto::BLayout;
using pto::DYNAMIC;
using pto::Tile;
using pto::TileType;
using pto::comm::ParallelGroup;
using pto::comm::ReduceOp;
using tileput::test::AnyTensor;
using tileput::test::Extents;
using tileput::test::Guarded;
using tileput::test::offset_of;
using tileput::test::product;
using tileput::test::reach;
using tileput::test::strides_for;
using tileput::test::tensor_of;

template <class T, int kRows, int kCols>
using OpenTile = Tile<TileType::Vec, T, kRows, kCols, BLayout::RowMajor, DYNAMIC, DYNAMIC>;

enum class What { kBroadcast, kGather, kScatter, kSum, kMax, kMin };
constexpr What kWhats[] = {What::kBroadcast, What::kGather, What::kScatter, What::kSum, What::kMax, What::kMin};
constexpr bool reduces(What what) { return what >= What::kSum; }
constexpr ReduceOp op_of(What what) {
  return static_cast<ReduceOp>(static_cast<int>(what) - static_cast<int>(What::kSum));
}

/// How the tiles are given and the records run.
enum class How { kDirect, kPingPong, kUnbound, kLaterBackwards, kUnboundLater };
constexpr How kHows[] = {How::kDirect, How::kPingPong, How::kUnbound, How::kLaterBackwards, How::kUnboundLater};

struct Case {
  Extents shape;
  int members;
  int root;
  std::int64_t member_gap = 0;  ///< each member's strides are wider than those of the one before
  std::int64_t local_gap = 0;
  std::int64_t spare_rows = 0;  ///< of the local tensor of TGATHER and TSCATTER
};

/// Element `index` of rank `rank`: powers of the group's size plus one, so that no sum of a subset, or with a member
/// taken twice, is that of all; which of them is largest depends on the index.
template <class T>
T value_of(int rank, int members, std::int64_t index) {
  constexpr std::int64_t kModulus = sizeof(T) == 4 ? 8191 : 509;  // sums fit a half, and a float holds them exactly
  std::int64_t power = 1;
  for (int r = 0; r < static_cast<int>((rank + index) % members); ++r) {
    power = power * (members + 1) % kModulus;
  }
  const std::int64_t value = index % 2 == 0 ? power + index % 3 : -power - index % 3;
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(value);
  } else {
    return static_cast<T>(static_cast<float>(value));
  }
}

/// The model's step: in the element type, narrow floats rounded once.
template <class T>
T combine(What what, T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    const auto sum = static_cast<T>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
    return what == What::kSum ? sum : what == What::kMax ? std::max(a, b) : std::min(a, b);
  } else {
    const float x = a;
    const float y = b;
    return static_cast<T>(what == What::kSum ? x + y : what == What::kMax ? std::max(x, y) : std::min(x, y));
  }
}

template <class T>
class Model {
 public:
  Model(const Case& c, What what) : case_(c), what_(what) {
    local_shape_ = c.shape;
    if (what == What::kGather || what == What::kScatter) {
      local_shape_[3] = c.members * c.shape[3] + c.spare_rows;
    }
    local_stride_ = strides_for(local_shape_, c.local_gap);
    local_ = fresh(local_shape_, local_stride_);
    for (int rank = 0; rank < c.members; ++rank) {
      member_stride_.push_back(strides_for(c.shape, c.member_gap * (rank + 1)));
      members_.push_back(fresh(c.shape, member_stride_.back()));
    }
    const bool from_local = what == What::kBroadcast || what == What::kScatter;
    if (from_local) {
      write(*local_, local_shape_, local_stride_, 0);
    } else {
      for (int rank = 0; rank < c.members; ++rank) {
        write(*members_[static_cast<std::size_t>(rank)], c.shape, member_stride_[static_cast<std::size_t>(rank)], rank);
      }
    }
  }

  /// Runs the instruction on copies of the initial memory and compares all of it with the expected result.
  template <class Issue>
  void check(Issue&& issue) const {
    Guarded<T> local = *local_;
    std::vector<Guarded<T>> members;
    for (const auto& member : members_) {
      members.push_back(*member);
    }
    std::vector<AnyTensor<T>> tensors;
    for (std::size_t rank = 0; rank < members.size(); ++rank) {
      tensors.push_back(tensor_of(members[rank].data(), case_.shape, member_stride_[rank]));
    }
    auto whole = tensor_of(local.data(), local_shape_, local_stride_);
    auto group = ParallelGroup<AnyTensor<T>>::Create(tensors.data(), case_.members, case_.root);
    issue(group, whole);

    Guarded<T> expected_local = *local_;
    std::vector<Guarded<T>> expected;
    for (const auto& member : members_) {
      expected.push_back(*member);
    }
    expect(expected_local, expected);
    EXPECT_EQ(local.bytes(), expected_local.bytes()) << "the local tensor";
    for (std::size_t rank = 0; rank < members.size(); ++rank) {
      EXPECT_EQ(members[rank].bytes(), expected[rank].bytes()) << "member " << rank;
    }
  }

 private:
  static std::unique_ptr<Guarded<T>> fresh(const Extents& shape, const Extents& stride) {
    return std::make_unique<Guarded<T>>(static_cast<std::size_t>(reach(shape, stride)));
  }
  void write(Guarded<T>& memory, const Extents& shape, const Extents& stride, int rank) const {
    std::int64_t index = 0;
    tileput::test::for_each_index(shape, [&](const Extents& i) {
      const T value = value_of<T>(rank, case_.members, index++);
      std::memcpy(memory.data() + offset_of(i, stride), &value, sizeof(T));
    });
  }

  void expect(Guarded<T>& local, std::vector<Guarded<T>>& members) const {
    tileput::test::for_each_index(case_.shape, [&](const Extents& i) {
      const auto own = [&](std::size_t rank) { return members[rank].data() + offset_of(i, member_stride_[rank]); };
      if (reduces(what_)) {
        T total = value_at(own(static_cast<std::size_t>(case_.root)));
        for (std::size_t rank = 0; rank < members.size(); ++rank) {
          if (static_cast<int>(rank) != case_.root) {
            total = combine(what_, total, value_at(own(rank)));
          }
        }
        std::memcpy(local.data() + offset_of(i, local_stride_), &total, sizeof(T));
        return;
      }
      for (std::size_t rank = 0; rank < members.size(); ++rank) {
        Extents in_local = i;
        if (what_ != What::kBroadcast) {
          in_local[3] += static_cast<std::int64_t>(rank) * case_.shape[3];
        }
        T* const part = local.data() + offset_of(in_local, local_stride_);
        std::memcpy(what_ == What::kGather ? part : own(rank), what_ == What::kGather ? own(rank) : part, sizeof(T));
      }
    });
  }
  static T value_at(const T* address) {
    T value;
    std::memcpy(&value, address, sizeof(T));
    return value;
  }

  Case case_;
  What what_;
  Extents local_shape_;
  Extents local_stride_;
  std::unique_ptr<Guarded<T>> local_;
  std::vector<Extents> member_stride_;
  std::vector<std::unique_ptr<Guarded<T>>> members_;
};

/// The calls are unqualified: the group's namespace finds them.
template <class Group, class Tensor, class TileData>
void issue(What what, Group& group, Tensor& local, TileData& ping, TileData& pong, bool both) {
  TileData acc = ping;
  switch (what) {
    case What::kBroadcast: both ? TBROADCAST(group, local, ping, pong) : TBROADCAST(group, local, ping); break;
    case What::kGather: both ? TGATHER(group, local, ping, pong) : TGATHER(group, local, ping); break;
    case What::kScatter: both ? TSCATTER(group, local, ping, pong) : TSCATTER(group, local, ping); break;
    default:
      both ? TREDUCE(group, local, acc, ping, pong, op_of(what)) : TREDUCE(group, local, acc, ping, op_of(what));
      break;
  }
}

template <class TileData>
void check(const TileData& staging, const Case& c, What what, How how) {
  using T = typename TileData::DType;
  SCOPED_TRACE("what " + std::to_string(static_cast<int>(what)) + " how " + std::to_string(static_cast<int>(how)) +
               " members " + std::to_string(c.members) + " root " + std::to_string(c.root));
  TileData ping = staging;
  TileData pong = staging;
  const bool bound = how != How::kUnbound && how != How::kUnboundLater;
  if (bound) {
    TASSIGN(ping, 0);
    TASSIGN(pong, 0x10000);
    ping.SetValue(0, static_cast<T>(3.0F));
  }
  const bool later = how == How::kLaterBackwards || how == How::kUnboundLater;
  Model<T>(c, what).check([&](auto& group, auto& local) {
    if (!later) {
      issue(what, group, local, ping, pong, how != How::kDirect);
      return;
    }
    DeferringObserver deferring(true);
    const tileput::test::Observe observe(deferring);
    issue(what, group, local, ping, pong, false);
    EXPECT_EQ(deferring.pending(), product(c.shape) == 0 ? 0U : static_cast<std::size_t>(c.members));
    dsb(DSB_DDR);
  });
  if (bound) {
    EXPECT_EQ(ping.GetValue(0), static_cast<T>(3.0F)) << "the bytes of the staging tile";
    EXPECT_EQ(ping.GetValidRow(), staging.GetValidRow());
  }
}

template <class TileData>
void check_groups(const TileData& staging, Case c) {
  for (const int members : {1, 2, 4, 8}) {
    for (const int root : {0, 1, members - 1}) {
      if (root >= members) {
        continue;
      }
      c.members = members;
      c.root = root;
      for (const What what : kWhats) {
        for (const How how : kHows) {
          check(staging, c, what, how);
        }
      }
    }
  }
}

TEST(Collectives, OneDimension) {
  check_groups(Tile<TileType::Vec, float, 1, 256>(), {.shape = {1, 1, 1, 1, 256}, .members = 0, .root = 0});
  check_groups(Tile<TileType::Vec, std::int32_t, 1, 1024>(), {.shape = {1, 1, 1, 1, 4096}, .members = 0, .root = 0});
  check_groups(Tile<TileType::Vec, std::uint8_t, 1, 512>(), {.shape = {1, 1, 1, 1, 512}, .members = 0, .root = 0});
}

TEST(Collectives, TwoDimensionsInChunks) {
  check_groups(Tile<TileType::Vec, float, 16, 32>(), {.shape = {1, 1, 1, 128, 32}, .members = 0, .root = 0});
  check_groups(Tile<TileType::Vec, float, 32, 64>(), {.shape = {1, 1, 1, 256, 64}, .members = 0, .root = 0});
  check_groups(Tile<TileType::Vec, std::int32_t, 64, 32>(), {.shape = {1, 1, 1, 512, 32}, .members = 0, .root = 0});
}

TEST(Collectives, ZeroRowsHaveNoEffect) {
  check_groups(OpenTile<float, 16, 32>(16, 32), {.shape = {1, 1, 1, 0, 32}, .members = 0, .root = 0, .spare_rows = 3});
  check_groups(OpenTile<float, 16, 32>(16, 32), {.shape = {2, 1, 1, 4, 0}, .members = 0, .root = 0});
}

TEST(Collectives, MembersHaveStridesOfTheirOwn) {
  const Case c = {.shape = {2, 3, 2, 5, 9}, .members = 0, .root = 0, .member_gap = 2, .local_gap = 1, .spare_rows = 2};
  check_groups(OpenTile<float, 3, 8>(3, 8), c);
  check_groups(OpenTile<std::int32_t, 64, 16>(60, 9), c);
  check_groups(OpenTile<std::int32_t, 3, 8>(3, 8),
               {.shape = {1, 1, 1, 3, 4000}, .members = 0, .root = 0, .member_gap = 3});
}

TEST(Collectives, AnyNumberOfMembers) {
  for (int members = 1; members <= 17; ++members) {
    for (const What what : kWhats) {
      check(OpenTile<std::int32_t, 4, 8>(4, 8),
            {.shape = {1, 2, 1, 5, 7}, .members = members, .root = members / 2, .member_gap = 1}, what, How::kDirect);
    }
  }
}

template <class T>
class CollectivesOf : public testing::Test {};
using Elements = testing::Types<float, half, bfloat16_t, std::int32_t, std::uint32_t, std::int16_t, std::uint16_t,
                                std::int8_t, std::uint8_t>;
TYPED_TEST_SUITE(CollectivesOf, Elements);

TYPED_TEST(CollectivesOf, AllElementTypes) {
  check_groups(OpenTile<TypeParam, 4, 32>(3, 32), {.shape = {1, 1, 2, 5, 37}, .members = 0, .root = 0, .local_gap = 1});
}

}  // namespace
