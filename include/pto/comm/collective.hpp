// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// TBROADCAST, TGATHER, TSCATTER and TREDUCE: what the root of a group does for all of it (spec section 12).
///
/// They contain no synchronisation: the root reads and writes its peers' memory by plain one-sided copies. Callers
/// publish the sources to the root before and the results to the members after, by signals.

#include <cstdint>
#include <type_traits>

#include "pto/comm/comm_types.hpp"
#include "pto/comm/point_to_point.hpp"
#include "pto/common/event.hpp"
#include "pto/common/pto_tile.hpp"
#include "pto/common/record.hpp"
#include "pto/common/region.hpp"
#include "pto/common/type.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/known_memory.hpp"
#include "tileput/machine/reduce.hpp"
#include "tileput/machine/transfer.hpp"

namespace pto {

namespace tileput_detail {

template <class Group>
concept RankGroup = requires {
  typename comm::ParallelGroupTraits<std::remove_cv_t<Group>>::GlobalDataType;
};

/// Operands of the copying collectives; those of TREDUCE have one tile more.
template <class Group, class GlobalData, class TileData>
concept GroupOperands = RankGroup<Group> && is_global_data_v<GlobalData> && is_tile_data_v<TileData>;

/// An argument that was given as an lvalue and can be waited for.
template <class Arg>
concept EventArgument = std::is_lvalue_reference_v<Arg> && Event<std::remove_reference_t<Arg>>;

template <class Arg>
concept TriggerArgument = std::is_same_v<std::remove_cvref_t<Arg>, comm::CcuTriggerContext>;

template <class First, class... Rest>
constexpr bool trigger_then_events() noexcept {
  return TriggerArgument<First> && (EventArgument<Rest> && ...);
}

template <comm::CollEngine kEngine, class... Args>
constexpr bool are_extra_arguments() noexcept {
  if constexpr (kEngine == comm::CollEngine::AIV) {
    return (EventArgument<Args> && ...);
  } else if constexpr (sizeof...(Args) > 0) {
    return trigger_then_events<Args...>();
  } else {
    return false;
  }
}

/// What may follow the operands of a collective: events; on the CCU a CcuTriggerContext first.
template <comm::CollEngine kEngine, class... Args>
concept ExtraArguments = are_extra_arguments<kEngine, Args...>();

/// Waits for an event. What triggers a CCU is nothing to wait for: natively the core computes the result itself.
template <class Arg>
PTO_INTERNAL void settle(Arg& argument) {
  if constexpr (!TriggerArgument<Arg>) {
    static_cast<void>(argument.Wait());
  }
}

template <class Group, class GlobalData, class... Tiles>
constexpr void check_group_types() noexcept {
  using Member = typename comm::ParallelGroupTraits<std::remove_cv_t<Group>>::GlobalDataType;
  using Element = std::remove_cv_t<typename Member::RawDType>;
  static_assert(std::is_same_v<Element, std::remove_cv_t<typename GlobalData::RawDType>>,
                "TBROADCAST/TGATHER/TSCATTER/TREDUCE: group and local tensor must have the same element type");
  static_assert((std::is_same_v<Element, std::remove_cv_t<typename Tiles::DType>> && ...),
                "TBROADCAST/TGATHER/TSCATTER/TREDUCE: the tiles must have the tensors' element type");
  static_assert(Member::layout == GlobalData::layout,
                "TBROADCAST/TGATHER/TSCATTER/TREDUCE: group and local tensor must have the same layout");
}

template <machine::Opcode kOpcode, class Group>
PTO_INTERNAL void check_group(const Group& group) {
  const bool has_root = group.rootIdx >= 0 && group.rootIdx < group.nranks;  // so there is a member too
  if (!has_root || group.tensors == nullptr) [[unlikely]] {
    machine::fail_group(kOpcode, group.nranks, group.rootIdx, has_root ? 0 : -1);
  }
}

/// Refuses members that do not all have the given shape, and memory that the core does not know.
template <machine::Opcode kOpcode, class Group>
PTO_INTERNAL void check_members(const machine::Core& core, const Group& group, const machine::GlobalRegion& shape) {
  for (int rank = 0; rank < group.nranks; ++rank) {
    const auto& member = group.tensors[rank];
    if (!same_shape(region_of(member), shape)) [[unlikely]] {
      machine::fail_shape(kOpcode, region_of(member), machine::GlobalRegion(shape));
    }
    if (member.data() == nullptr && shape.elements() > 0) [[unlikely]] {
      machine::fail_group(kOpcode, group.nranks, group.rootIdx, rank);
    }
    machine::require_known(core, kOpcode, region_of(member));
  }
}

/// The rows of `whole` that are `rank`'s: dimension 3 holds the members' rows one after another.
PTO_INTERNAL machine::GlobalRegion rows_of(const machine::GlobalRegion& whole, std::int64_t rank,
                                           std::int64_t rows) noexcept {
  machine::GlobalRegion part = whole;
  part.address += rank * rows * whole.stride[3] * static_cast<std::int64_t>(whole.element_bytes);
  part.shape[3] = rows;
  return part;
}

/// The local tensor of TGATHER and TSCATTER holds the rows of all members.
template <machine::Opcode kOpcode>
PTO_INTERNAL void check_rows(const machine::Core& core, const machine::GlobalRegion& whole,
                             const machine::GlobalRegion& member, std::int64_t members) {
  machine::GlobalRegion used = whole;
  used.shape[3] = member.shape[3];
  // Compared by division: members * rows may be more than there are numbers.
  if (!same_shape(used, member) || member.shape[3] > whole.shape[3] / members) [[unlikely]] {
    machine::fail_shape(kOpcode, machine::GlobalRegion(whole), machine::GlobalRegion(member));
  }
  used.shape[3] *= members;
  machine::require_known<machine::Operand::kLocal>(core, kOpcode, used);
}

inline bool execute_member_copy(const machine::Instruction& self, machine::Pieces pieces) {
  if (self.tile_count == 0) {
    machine::copy_unless_same(self.global[0], self.global[1]);
  } else if (!machine::is_same_memory(self.global[0], self.global[1])) {
    machine::copy_chunks(self.global[0], self.global[1], self.tile[0], pieces);
  }
  return true;
}

/// One member of a collective as a record: in the pieces that the first tile cuts, or whole where tiles are not bound.
template <class First, class... Rest>
void observe_member(machine::Observer& observer, CopyRecord what, const machine::GlobalRegion& target,
                    const machine::GlobalRegion& source, const First& first, const Rest&... rest) {
  if (first.data() == nullptr || ((rest.data() == nullptr) || ...)) {
    observe_copy(observer, what, target, source);
    return;
  }
  what.piece_count = machine::chunking_of(source, region_of(first)).count();
  observe_copy(observer, what, target, source, region_of(first), region_of(rest)...);
}

/// The common body of the collectives that copy: TGATHER towards the local tensor, the others away from it.
template <machine::Opcode kOpcode, class Group, class GlobalData, class... Tiles>
PTO_INTERNAL void copy_members(Group& group, GlobalData& local, Tiles&... tiles) {
  constexpr bool kGathers = kOpcode == machine::Opcode::kTgather;
  constexpr bool kWhole = kOpcode == machine::Opcode::kTbroadcast;
  using Member = typename comm::ParallelGroupTraits<std::remove_cv_t<Group>>::GlobalDataType;
  using Target = std::conditional_t<kGathers, GlobalData, Member>;
  check_group_types<Group, GlobalData, Tiles...>();
  static_assert(!std::is_const_v<typename Target::DType>,
                "TBROADCAST/TGATHER/TSCATTER: the destination's elements are const");
  check_group<kOpcode>(group);
  machine::Core& core = machine::current_core();
  const machine::GlobalRegion whole = region_of(local);
  const machine::GlobalRegion shape = kWhole ? whole : region_of(group.tensors[0]);
  check_members<kOpcode>(core, group, shape);
  if constexpr (kWhole) {
    machine::require_known<machine::Operand::kLocal>(core, kOpcode, whole);
  } else {
    check_rows<kOpcode>(core, whole, shape, group.nranks);
  }
  if (shape.elements() <= 0) {
    return;
  }
  for (int rank = 0; rank < group.nranks; ++rank) {
    const machine::GlobalRegion member = region_of(group.tensors[rank]);
    const machine::GlobalRegion part = kWhole ? whole : rows_of(whole, rank, shape.shape[3]);
    const machine::GlobalRegion& target = kGathers ? part : member;
    const machine::GlobalRegion& source = kGathers ? member : part;
    if (core.observer != nullptr) [[unlikely]] {
      observe_member(*core.observer,
                     {.opcode = kOpcode, .execute = &execute_member_copy, .site = machine::site(), .immediate = {rank}},
                     target, source, tiles...);
    } else {
      machine::copy_unless_same(target, source);
    }
  }
}

/// What TREDUCE combines.
template <class T>
inline constexpr bool kReduces = std::is_same_v<T, float> || std::is_same_v<T, half> || std::is_same_v<T, bfloat16_t> ||
                                 (std::is_integral_v<T> && !std::is_same_v<T, bool> && sizeof(T) <= 4);

constexpr machine::VectorOp vector_op_of(comm::ReduceOp op) noexcept {
  return op == comm::ReduceOp::Sum   ? machine::VectorOp::kAdd
         : op == comm::ReduceOp::Max ? machine::VectorOp::kMax
                                     : machine::VectorOp::kMin;
}

inline bool execute_reduce(const machine::Instruction& self, machine::Pieces pieces) {
  const machine::VectorOp op = vector_op_of(static_cast<comm::ReduceOp>(self.immediate[1]));
  const auto step = [&](const machine::GlobalRegion& target, const machine::GlobalRegion& source) {
    if (self.immediate[2] != 0) {
      machine::copy_unless_same(target, source);
    } else {
      machine::combine_global(op, target, source);
    }
  };
  if (self.tile_count == 0) {
    step(self.global[0], self.global[1]);
    return true;
  }
  const machine::Chunking chunking = machine::chunking_of(self.global[1], self.tile[0]);
  for (std::int64_t i = pieces.first; i < pieces.first + pieces.count; ++i) {
    step(machine::chunk_of(self.global[0], chunking, i), machine::chunk_of(self.global[1], chunking, i));
  }
  return true;
}

/// The steps of a TREDUCE as records: the root's member, then the others in increasing order.
template <class Group, class GlobalData, class... Tiles>
[[gnu::noinline, gnu::cold]] void observe_reduce(machine::Observer& observer, const void* site, const Group& group,
                                                 const GlobalData& dst, comm::ReduceOp op, const Tiles&... tiles) {
  const auto step = [&](int rank) {
    observe_member(observer,
                   {.opcode = machine::Opcode::kTreduce,
                    .execute = &execute_reduce,
                    .site = site,
                    .immediate = {rank, static_cast<std::int64_t>(op), rank == group.rootIdx ? 1 : 0}},
                   region_of(dst), region_of(group.tensors[rank]), tiles...);
  };
  step(group.rootIdx);
  for (int rank = 0; rank < group.nranks; ++rank) {
    if (rank != group.rootIdx) {
      step(rank);
    }
  }
}

template <class GlobalData>
machine::GlobalRegion member_at(const void* tensors, int rank) {
  return region_of(static_cast<const GlobalData*>(tensors)[rank]);
}

/// The common body of the forms of TREDUCE.
template <class Group, class GlobalData, class... Tiles>
PTO_INTERNAL void reduce_members(Group& group, GlobalData& dst, comm::ReduceOp op, Tiles&... tiles) {
  constexpr machine::Opcode kTreduce = machine::Opcode::kTreduce;
  using Member = typename comm::ParallelGroupTraits<std::remove_cv_t<Group>>::GlobalDataType;
  check_group_types<Group, GlobalData, Tiles...>();
  static_assert(!std::is_const_v<typename GlobalData::DType>, "TREDUCE: the destination's elements are const");
  static_assert(kReduces<std::remove_cv_t<typename GlobalData::RawDType>>,
                "TREDUCE: reduces float, half, bfloat16_t or integers of up to 32 bits");
  check_group<kTreduce>(group);
  if (op != comm::ReduceOp::Sum && op != comm::ReduceOp::Max && op != comm::ReduceOp::Min) [[unlikely]] {
    machine::fail_argument(kTreduce, "was given an unknown ReduceOp", "it knows Sum, Max and Min");
  }
  machine::Core& core = machine::current_core();
  check_members<kTreduce>(core, group, region_of(dst));
  machine::require_known<machine::Operand::kLocal>(core, kTreduce, region_of(dst));
  if (region_of(dst).elements() <= 0) {
    return;
  }
  if (core.observer != nullptr) [[unlikely]] {
    observe_reduce(*core.observer, machine::site(), group, dst, op, tiles...);
    return;
  }
  machine::reduce(vector_op_of(op), region_of(dst),
                  {.tensors = group.tensors, .at = &member_at<Member>, .count = group.nranks, .root = group.rootIdx});
}

}  // namespace tileput_detail

namespace comm {

/// Copies the root's tensor to every member of the group, its own included: member_r(i0..i4) = src(i0..i4) for all r,
/// each by its own strides. Only the root calls it.
///
/// Shapes:     src and all members have equal extents (any extent 0: no effect), the same element type (src's may be
///             const) and layout, also the tiles', which need not be bound and never show in the result. src may be
///             the root's own member; else nothing overlaps.
/// Ordering:   publishes nothing: pipe_barrier(PIPE_ALL), dsb and TNOTIFY to each member after it do.
/// Completion: on return src may be reused and all members are written as far as this core is concerned.
/// Errors:     kBadArgument for a group without members, with a root outside it or a member without data;
///             kShapeMismatch; kOutOfWindow outside every window and tensor of the task; all before anything is copied.
/// Cost:       one copy for each member, one memcpy where both sides are contiguous.
/// Source:     spec section 12. After the tiles come events; on CollEngine::CCU a CcuTriggerContext before them, whose
///             work is done by this core.
///
/// Example:
///     static float members[2][8] = {}, data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
///     using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
///     Row tensors[2] = {Row(members[0]), Row(members[1])};  // rank r's buffer as the root addresses it
///     Row source(data);
///     pto::comm::ParallelGroup<Row> group(tensors, 2, 0);
///     pto::Tile<pto::TileType::Vec, float, 1, 8> staging;
///     pto::comm::TBROADCAST(group, source, staging);
///     assert(members[0][7] == 8.0F && members[1][7] == 8.0F);
template <CollEngine engine = CollEngine::AIV, class Group, class GlobalSrc, class TileData, class... Args>
  requires(tileput_detail::GroupOperands<Group, GlobalSrc, TileData>&& tileput_detail::ExtraArguments<engine, Args...>)
PTO_INST RecordEvent TBROADCAST(Group& pg, GlobalSrc& src, TileData& staging, Args&&... args) {
  (tileput_detail::settle(args), ...);
  tileput_detail::copy_members<::tileput::machine::Opcode::kTbroadcast>(pg, src, staging);
  return {};
}

/// The same with two staging tiles of one type.
template <CollEngine engine = CollEngine::AIV, class Group, class GlobalSrc, class TileData, class... Args>
  requires(tileput_detail::GroupOperands<Group, GlobalSrc, TileData>&& tileput_detail::ExtraArguments<engine, Args...>)
PTO_INST RecordEvent TBROADCAST(Group& pg, GlobalSrc& src, TileData& ping, TileData& pong, Args&&... args) {
  (tileput_detail::settle(args), ...);
  tileput_detail::copy_members<::tileput::machine::Opcode::kTbroadcast>(pg, src, ping, pong);
  return {};
}

/// Collects all members in the root's tensor, one behind the other in dimension 3: dst(i0, i1, i2, r * H + i3, i4) =
/// member_r(i0..i4), H being the members' extent of dimension 3. Only the root calls it.
///
/// Shapes:     all members have one shape (any extent 0: no effect); dst has at least n * H rows in dimension 3, its
///             other extents are theirs. What it has beyond n * H rows is left alone. Element types, layouts and tiles
///             as TBROADCAST.
/// Ordering:   reads the members now; what they wrote is there after a TWAIT that their TNOTIFY satisfied.
/// Completion: on return dst is written.
/// Errors, Cost, Source: as TBROADCAST.
///
/// Example:
///     static float members[2][8] = {{1, 1, 1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2, 2, 2}}, all[16] = {};
///     using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
///     using Rows = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 2, 8>, pto::Stride<16, 16, 16, 8, 1>>;
///     Row tensors[2] = {Row(members[0]), Row(members[1])};
///     Rows target(all);
///     pto::comm::ParallelGroup<Row> group(tensors, 2, 0);
///     pto::Tile<pto::TileType::Vec, float, 1, 8> staging;
///     pto::comm::TGATHER(group, target, staging);
///     assert(all[0] == 1.0F && all[15] == 2.0F);
template <CollEngine engine = CollEngine::AIV, class Group, class GlobalDst, class TileData, class... Args>
  requires(tileput_detail::GroupOperands<Group, GlobalDst, TileData>&& tileput_detail::ExtraArguments<engine, Args...>)
PTO_INST RecordEvent TGATHER(Group& pg, GlobalDst& dst, TileData& staging, Args&&... args) {
  (tileput_detail::settle(args), ...);
  tileput_detail::copy_members<::tileput::machine::Opcode::kTgather>(pg, dst, staging);
  return {};
}

/// The same with two staging tiles of one type.
template <CollEngine engine = CollEngine::AIV, class Group, class GlobalDst, class TileData, class... Args>
  requires(tileput_detail::GroupOperands<Group, GlobalDst, TileData>&& tileput_detail::ExtraArguments<engine, Args...>)
PTO_INST RecordEvent TGATHER(Group& pg, GlobalDst& dst, TileData& ping, TileData& pong, Args&&... args) {
  (tileput_detail::settle(args), ...);
  tileput_detail::copy_members<::tileput::machine::Opcode::kTgather>(pg, dst, ping, pong);
  return {};
}

/// Deals the root's tensor out to the members, one part of dimension 3 to each: member_r(i0..i4) = src(i0, i1, i2, r *
/// H + i3, i4), H being the members' extent of dimension 3. Only the root calls it.
///
/// Shapes:     as TGATHER, with src in the place of dst.
/// Ordering, Completion, Errors, Cost, Source: as TBROADCAST.
///
/// Example:
///     static float members[2][8] = {}, all[16] = {1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2};
///     using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
///     using Rows = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 2, 8>, pto::Stride<16, 16, 16, 8, 1>>;
///     Row tensors[2] = {Row(members[0]), Row(members[1])};
///     Rows source(all);
///     pto::comm::ParallelGroup<Row> group(tensors, 2, 0);
///     pto::Tile<pto::TileType::Vec, float, 1, 8> staging;
///     pto::comm::TSCATTER(group, source, staging);
///     assert(members[0][7] == 1.0F && members[1][0] == 2.0F);
template <CollEngine engine = CollEngine::AIV, class Group, class GlobalSrc, class TileData, class... Args>
  requires(tileput_detail::GroupOperands<Group, GlobalSrc, TileData>&& tileput_detail::ExtraArguments<engine, Args...>)
PTO_INST RecordEvent TSCATTER(Group& pg, GlobalSrc& src, TileData& staging, Args&&... args) {
  (tileput_detail::settle(args), ...);
  tileput_detail::copy_members<::tileput::machine::Opcode::kTscatter>(pg, src, staging);
  return {};
}

/// The same with two staging tiles of one type.
template <CollEngine engine = CollEngine::AIV, class Group, class GlobalSrc, class TileData, class... Args>
  requires(tileput_detail::GroupOperands<Group, GlobalSrc, TileData>&& tileput_detail::ExtraArguments<engine, Args...>)
PTO_INST RecordEvent TSCATTER(Group& pg, GlobalSrc& src, TileData& ping, TileData& pong, Args&&... args) {
  (tileput_detail::settle(args), ...);
  tileput_detail::copy_members<::tileput::machine::Opcode::kTscatter>(pg, src, ping, pong);
  return {};
}

/// Combines all members in the root's tensor: dst = member_root, then dst = dst op member_r for every other r in
/// increasing order, element by element, each tensor by its own strides. Only the root calls it.
///
/// Shapes:     dst and all members have equal extents (any extent 0: no effect), the same element type and layout, also
///             the tiles', which need not be bound and never show in the result. float, half, bfloat16 and integers of
///             up to 32 bits. dst may be the root's own member; else nothing overlaps.
/// Effect:     integers wrap; half and bfloat16 are rounded after every step; a NaN in any member is one in the result.
///             The order is fixed, so the result is the same bits every time.
/// Ordering:   reads the members now; what they wrote is there after a TWAIT that their TNOTIFY satisfied.
/// Completion: on return dst is written.
/// Errors:     as TBROADCAST.
/// Cost:       every member is read once; dst is passed over in blocks that stay in the cache.
/// Source:     spec section 12. `acc` holds the accumulator on the hardware, `recv` the other members' parts.
///
/// Example:
///     static float members[2][8] = {{1, 1, 1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2, 2, 2}}, sums[8] = {};
///     using Row = pto::GlobalTensor<float, pto::Shape<1, 1, 1, 1, 8>, pto::Stride<8, 8, 8, 8, 1>>;
///     Row tensors[2] = {Row(members[0]), Row(members[1])};
///     Row target(sums);
///     pto::comm::ParallelGroup<Row> group(tensors, 2, 0);
///     pto::Tile<pto::TileType::Vec, float, 1, 8> acc, recv;
///     pto::comm::TREDUCE(group, target, acc, recv, pto::comm::ReduceOp::Sum);
///     assert(sums[7] == 3.0F);
template <CollEngine engine = CollEngine::AIV, class Group, class GlobalDst, class AccTile, class TileData,
          class... Args>
  requires(tileput_detail::GroupOperands<Group, GlobalDst, TileData>&& is_tile_data_v<AccTile>&&
               tileput_detail::ExtraArguments<engine, Args...>)
PTO_INST RecordEvent TREDUCE(Group& pg, GlobalDst& dst, AccTile& acc, TileData& recv, ReduceOp op, Args&&... args) {
  (tileput_detail::settle(args), ...);
  tileput_detail::reduce_members(pg, dst, op, acc, recv);
  return {};
}

/// The same with two tiles of one type for the other members' parts.
template <CollEngine engine = CollEngine::AIV, class Group, class GlobalDst, class AccTile, class TileData,
          class... Args>
  requires(tileput_detail::GroupOperands<Group, GlobalDst, TileData>&& is_tile_data_v<AccTile>&&
               tileput_detail::ExtraArguments<engine, Args...>)
PTO_INST RecordEvent TREDUCE(Group& pg, GlobalDst& dst, AccTile& acc, TileData& ping, TileData& pong, ReduceOp op,
                             Args&&... args) {
  (tileput_detail::settle(args), ...);
  tileput_detail::reduce_members(pg, dst, op, acc, ping, pong);
  return {};
}

}  // namespace comm
}  // namespace pto

#include "pto/common/address_space.hpp"
