// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/machine/core.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/fiber.hpp"
#include "base/source_line.hpp"
#include "machine/on_chip.hpp"
#include "rank/waiting.hpp"
#include "tileput/machine/known_memory.hpp"
#include "tileput/machine/transfer.hpp"

extern "C" {
__thread tileput::machine::Core* tileput_current_core __attribute__((visibility("default"))) = nullptr;
}

namespace tileput::machine {

namespace {

[[maybe_unused]] const bool kKept = base::Fiber::keep_local(
    [](void* core) noexcept -> void* { return std::exchange(tileput_current_core, static_cast<Core*>(core)); });

constexpr const char* kSpaceNames[] = {"Vec", "Mat", "Left", "Right", "Acc", "global"};

std::string shape_text(const GlobalRegion& region) {
  return fmt::format("({})", fmt::join(std::span(region.shape), ", "));
}

/// " at kernel.cpp:88", where code was called from that is inlined into a kernel; empty without debug information.
std::string at(const void* return_address) {
  const std::string line = base::line_here(static_cast<const char*>(return_address) - 1);
  return line.empty() ? "" : " at " + line;
}

const char* shape_hint(Opcode opcode) noexcept {
  switch (opcode) {
    case Opcode::kTwait:
    case Opcode::kTtest: return "a signal region has at least one element";
    case Opcode::kTbroadcast:
    case Opcode::kTreduce: return "give the local tensor and all members the same shape";
    case Opcode::kTgather:
    case Opcode::kTscatter:
      return "all members have one shape; the local tensor has room for all of them in dimension 3, and the other "
             "dimensions are equal";
    default: return "give target and source the same shape";
  }
}

}  // namespace

Core& attach_default_core() {
  struct Private {
    OnChipMemory memory;
    Core core;
    Private() { memory.attach(core); }
    ~Private() {
      if (tileput_current_core == &core) {
        tileput_current_core = nullptr;
      }
    }
  };
  thread_local Private own;
  tileput_current_core = &own.core;
  return own.core;
}

void wait_slow(Core& core, const WaitTarget& target, Unsatisfied unsatisfied, const void* context) {
  if (core.waiting == nullptr) {
    while (unsatisfied(context) != nullptr) {
      sched_yield();
    }
    return;
  }
  core.waiting->until({core.heap_base, target.expected, target.compare, target.site}, unsatisfied, context);
}

void throw_if_ended(const Core& core) { core.waiting->throw_if_aborted(); }

const char* name_of(Opcode opcode) noexcept {
  switch (opcode) {
    case Opcode::kTload: return "TLOAD";
    case Opcode::kTstore: return "TSTORE";
    case Opcode::kTput: return "TPUT";
    case Opcode::kTget: return "TGET";
    case Opcode::kTputAsync: return "TPUT_ASYNC";
    case Opcode::kTgetAsync: return "TGET_ASYNC";
    case Opcode::kAsyncWait: return "AsyncEvent::Wait";
    case Opcode::kAsyncTest: return "AsyncEvent::Test";
    case Opcode::kTbroadcast: return "TBROADCAST";
    case Opcode::kTgather: return "TGATHER";
    case Opcode::kTscatter: return "TSCATTER";
    case Opcode::kTreduce: return "TREDUCE";
    case Opcode::kTadd: return "TADD";
    case Opcode::kTsub: return "TSUB";
    case Opcode::kTmul: return "TMUL";
    case Opcode::kTmax: return "TMAX";
    case Opcode::kTmin: return "TMIN";
    case Opcode::kTadds: return "TADDS";
    case Opcode::kTsubs: return "TSUBS";
    case Opcode::kTmuls: return "TMULS";
    case Opcode::kTmaxs: return "TMAXS";
    case Opcode::kTmins: return "TMINS";
    case Opcode::kTdivs: return "TDIVS";
    case Opcode::kTexpands: return "TEXPANDS";
    case Opcode::kTcvt: return "TCVT";
    case Opcode::kTrowsum: return "TROWSUM";
    case Opcode::kTmov: return "TMOV";
    case Opcode::kTmatmul: return "TMATMUL";
    case Opcode::kTmatmulAcc: return "TMATMUL_ACC";
    case Opcode::kTnotify: return "TNOTIFY";
    case Opcode::kTwait: return "TWAIT";
    case Opcode::kTtest: return "TTEST";
    case Opcode::kSetFlag: return "set_flag";
    case Opcode::kWaitFlag: return "wait_flag";
    case Opcode::kPipeBarrier: return "pipe_barrier";
    case Opcode::kDcci: return "dcci";
    case Opcode::kDsb: return "dsb";
    case Opcode::kStDev: return "st_dev";
    case Opcode::kLdDev: return "ld_dev";
  }
  return "?";
}

void find_known(const Core& core, Operand operand, Opcode opcode, std::uintptr_t address, std::uint64_t bytes) {
  const std::optional<KnownRange> range = core.memory->find(address);
  if (!range || bytes > range->end - address) {
    throw Error(
        ErrorCode::kOutOfWindow,
        fmt::format("{}{}: {} bytes at {:#x} are not all inside one window or tensor of this task; {}", name_of(opcode),
                    at(__builtin_return_address(0)), bytes, address, core.memory->describe(address)),
        "check the address, the shape and the strides");
  }
  core.known[static_cast<int>(operand)] = *range;
  core.known[known_index(core, address)] = *range;
}

void require_known_part(const Core& core, Opcode opcode, const TileRegion& tile, const GlobalRegion& tensor) {
  if (core.known == nullptr) {
    return;
  }
  const GlobalRegion mapped = mapped_to(tile, tensor);
  const TileExtent extent = extent_of(mapped);
  const std::int64_t rows = std::min<std::int64_t>(extent.rows, tile.valid_rows);
  const std::int64_t cols = std::min<std::int64_t>(extent.cols, tile.valid_cols);
  if (rows <= 0 || cols <= 0) {
    return;
  }
  std::int64_t first = 0;
  std::int64_t last = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c) {  // as the transfer itself walks: strides need not rise with the index
      const std::int64_t offset = tensor_offset(mapped, r, c);
      first = std::min(first, offset);
      last = std::max(last, offset);
    }
  }
  const Footprint footprint{reinterpret_cast<std::uintptr_t>(tensor.address) +
                                static_cast<std::uintptr_t>(first * std::int64_t{tensor.element_bytes}),
                            static_cast<std::uint64_t>(last - first + 1) * tensor.element_bytes};
  if (!is_inside(footprint, core.known[known_index(core, footprint.begin)])) {
    find_known(core, Operand::kPeer, opcode, footprint.begin, footprint.bytes);
  }
}

void fail_on_chip(Space space, std::uint64_t offset, std::uint64_t bytes, std::uint64_t capacity) {
  throw Error(
      ErrorCode::kOnChipOverflow,
      fmt::format("TASSIGN{}: a tile of {} bytes at {:#x} does not fit into the {} bytes of {} memory",
                  at(__builtin_return_address(0)), bytes, offset, capacity, kSpaceNames[static_cast<int>(space)]),
      "use a smaller tile or a lower offset");
}

void fail_unbound_tile(Opcode opcode) {
  throw Error(
      ErrorCode::kUnboundTile,
      fmt::format("{}{} was given a tile without on-chip memory", name_of(opcode), at(__builtin_return_address(0))),
      "TASSIGN the tile first");
}

void fail_shape(Opcode opcode, const GlobalRegion& target, const GlobalRegion& source) {
  throw Error(ErrorCode::kShapeMismatch,
              fmt::format("{}{}: shape {} does not fit {}", name_of(opcode), at(__builtin_return_address(0)),
                          shape_text(target), shape_text(source)),
              shape_hint(opcode));
}

void fail_tile_shape(Opcode opcode, const TileRegion& tile, const GlobalRegion& tensor) {
  throw Error(ErrorCode::kShapeMismatch,
              fmt::format("{}{}: a tile with {} x {} valid of {} x {} elements and a tensor of shape {}",
                          name_of(opcode), at(__builtin_return_address(0)), tile.valid_rows, tile.valid_cols, tile.rows,
                          tile.cols, shape_text(tensor)),
              "valid extents lie inside their tile and are the tensor's, see the instruction's mapping of dimensions");
}

void fail_argument(Opcode opcode, const char* what, const char* hint) {
  throw Error(ErrorCode::kBadArgument, fmt::format("{}{} {}", name_of(opcode), at(__builtin_return_address(0)), what),
              hint);
}

void fail_overlap(Opcode opcode, const void* ping, const void* pong, std::uint64_t bytes_of_each) {
  throw Error(ErrorCode::kBadArgument,
              fmt::format("{}{}: the staging tiles overlap, {} bytes each at {} and {}", name_of(opcode),
                          at(__builtin_return_address(0)), bytes_of_each, ping, pong),
              "TASSIGN ping and pong to memory of their own");
}

void fail_group(Opcode opcode, int members, int root, int missing) {
  std::string what = fmt::format("a group of {} members with root {}", members, root);
  if (missing >= 0) {
    what += fmt::format(", of which member {} has no data", missing);
  }
  throw Error(ErrorCode::kBadArgument,
              fmt::format("{}{} was given {}", name_of(opcode), at(__builtin_return_address(0)), what),
              "a group has at least one member, a tensor for each, and a root among them");
}

void fail_tiles(Opcode opcode, const TileRegion* tiles, std::size_t count) {
  std::string text;
  for (const TileRegion& tile : std::span(tiles, count)) {
    text +=
        fmt::format("{}a {} tile with {} x {} valid of {} x {} elements", text.empty() ? "" : ", ",
                    kSpaceNames[static_cast<int>(tile.space)], tile.valid_rows, tile.valid_cols, tile.rows, tile.cols);
  }
  throw Error(ErrorCode::kShapeMismatch,
              fmt::format("{}{}: {}", name_of(opcode), at(__builtin_return_address(0)), text),
              "valid extents lie inside their tile and fit each other, see the instruction's shapes");
}

}  // namespace tileput::machine
