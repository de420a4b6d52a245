// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The waist: what an instruction is, as plain data, and who may look at it.
///
/// Without an observer no Instruction is ever built: the header template runs its native action in place. With an
/// observer attached to the core, the template hands over one Instruction that carries everything its effect needs,
/// so that the observer may run the effect now, later, in pieces, or never. Counters, the checker, tracers and
/// off-node transports are observers.

#include <cstddef>
#include <cstdint>

namespace tileput::machine {

/// A memory that operands live in. The on-chip spaces are private to a core and each start at offset 0.
enum class Space : std::uint8_t { kVec, kMat, kLeft, kRight, kAcc, kGlobal };
inline constexpr int kOnChipSpaces = 5;

/// What a region's elements are; instructions that only move bytes use just their size.
enum class Element : std::uint8_t { kF32, kF16, kBf16, kS8, kU8, kS16, kU16, kS32, kU32, kS64, kU64, kF64 };

/// How a global tensor's five dimensions map to tile rows and columns (spec section 8.1).
enum class TensorLayout : std::uint8_t { kNd, kDn, kNz };

inline constexpr int kDims = 5;

/// A strided 5-D view of global memory. Shapes and strides are in elements; dimension 4 is the innermost.
struct GlobalRegion {
  std::byte* address = nullptr;
  std::int64_t shape[kDims] = {1, 1, 1, 1, 1};
  std::int64_t stride[kDims] = {1, 1, 1, 1, 1};
  std::uint32_t element_bytes = 1;
  Element element = Element::kU8;
  TensorLayout layout = TensorLayout::kNd;

  [[nodiscard]] constexpr std::int64_t elements() const noexcept {
    return shape[0] * shape[1] * shape[2] * shape[3] * shape[4];
  }
};

/// Where element (row, col) of a tile lies in its storage (spec sections 5.4 and 5.5).
struct TileLayout {
  bool row_major = true;        ///< the outer order
  bool boxed = false;           ///< stored as inner boxes of inner_rows x inner_cols
  bool inner_row_major = true;  ///< the order inside a box
  std::int32_t inner_rows = 1;
  std::int32_t inner_cols = 1;
};

/// A tile: storage of rows x cols elements of which the first valid_rows x valid_cols are acted on.
struct TileRegion {
  std::byte* address = nullptr;
  Space space = Space::kVec;
  Element element = Element::kU8;
  std::uint32_t element_bytes = 1;
  std::int32_t rows = 0;
  std::int32_t cols = 0;
  std::int32_t valid_rows = 0;
  std::int32_t valid_cols = 0;
  TileLayout layout;
  bool padded = false;    ///< TLOAD fills the storage outside the valid region with `pad`
  std::uint64_t pad = 0;  ///< bits of one element, low-order bytes first
};

enum class Opcode : std::uint8_t {
  kTload,
  kTstore,
  kTput,
  kTget,
  kTputAsync,
  kTgetAsync,
  kAsyncWait,
  kAsyncTest,
  kTbroadcast,
  kTgather,
  kTscatter,
  kTreduce,
  kTadd,
  kTsub,
  kTmul,
  kTmax,
  kTmin,
  kTadds,
  kTsubs,
  kTmuls,
  kTmaxs,
  kTmins,
  kTdivs,
  kTexpands,
  kTcvt,
  kTrowsum,
  kTmov,
  kTmatmul,
  kTmatmulAcc,
  kTnotify,
  kTwait,
  kTtest,
  kSetFlag,
  kWaitFlag,
  kPipeBarrier,
  kDcci,
  kDsb,
  kStDev,
  kLdDev,
};
const char* name_of(Opcode opcode) noexcept;

/// A part of an instruction's effect: chunks [first, first + count) of its Instruction::piece_count.
struct Pieces {
  std::int64_t first = 0;
  std::int64_t count = 1;
};

/// One instruction as an observer sees it. Plain data: copying it copies all that its effect needs.
///
/// Operands by opcode (t = target, s = source):
///   kTload        global[0] s, tile[0] t
///   kTstore       global[0] t, tile[0] s; immediate[0] AtomicType
///   kTput, kTget  global[0] t, global[1] s, tile[0] staging (ping), tile[1] pong if tile_count is 2;
///                 immediate[0] AtomicType
///   kTputAsync, kTgetAsync  global[0] t, global[1] s; immediate[0] handle, immediate[1] address of the session
///   kAsyncWait, kAsyncTest  immediate[0] handle: done when it and every earlier transfer of its session are
///   kTbroadcast, kTgather, kTscatter  one record for each member: global[0] t, global[1] s, tiles as kTput (none where
///                 the kernel's are not bound); immediate[0] the member's rank
///   kTreduce      one record for each member, the root's first: global[0] t, global[1] the member's; t = s for the
///                 root, then t = t op s; tile[0] accumulator, tile[1] and tile[2] staging; immediate[0] the member's
///                 rank, immediate[1] ReduceOp, immediate[2] 1 for the root's
///   kTadd ... kTmin  tile[0] t, tile[1] and tile[2] s
///   kTadds ... kTdivs  tile[0] t, tile[1] s; immediate[0] bits of the scalar, low-order bytes first
///   kTexpands     tile[0] t; immediate[0] bits of the scalar
///   kTcvt         tile[0] t, tile[1] s, tile[2] temporary if tile_count is 3; immediate[0] RoundMode, immediate[1]
///                 SaturationMode
///   kTrowsum      tile[0] t, tile[1] s, tile[2] temporary
///   kTmov         tile[0] t, tile[1] s
///   kTmatmul, kTmatmulAcc  tile[0] accumulator, tile[1] left, tile[2] right
///   kTnotify      global[0] the signal word; immediate[0] value, immediate[1] NotifyOp
///   kTwait, kTtest  global[0] the signal region; immediate[0] compared with, immediate[1] WaitCmp
///   kSetFlag, kWaitFlag  immediate[0] from pipe, immediate[1] to pipe, immediate[2] event id
///   kPipeBarrier  immediate[0] pipe
///   kDcci         global[0] address of the line; immediate[0] cache_line_t, immediate[1] dcci_dst_t
///   kDsb          immediate[0] kind
///   kStDev        global[0] the word; immediate[0] value
///   kLdDev        global[0] the word; immediate[0] address of the uint32 that receives its value (zero until then),
///                 valid inside on_instruction()
struct Instruction {
  Opcode opcode{};
  std::uint8_t global_count = 0;
  std::uint8_t tile_count = 0;
  const void* site = nullptr;  ///< program counter inside the kernel, for source lines
  GlobalRegion global[2] = {};
  TileRegion tile[3] = {};
  std::int64_t immediate[3] = {};
  std::int64_t piece_count = 1;  ///< how many chunks the effect may be split into, in any order

  /// Runs the native effect of the given pieces on the calling thread and returns the answer of kTtest and kAsyncTest
  /// (else true). kTwait blocks; kTwait and kTtest have one piece. Stateless, so it may run on a copy of the record.
  bool (*execute)(const Instruction& self, Pieces pieces) = nullptr;

  /// Runs the whole effect.
  bool run() const { return execute(*this, Pieces{0, piece_count}); }
};

/// Sees every instruction of the core it is attached to, in program order, on that core's thread.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  /// Called in place of the effect; whether, when and in which pieces the effect runs is the observer's decision.
  /// The result is what the instruction returns: only kTtest, kAsyncWait and kAsyncTest have one.
  virtual bool on_instruction(const Instruction& instruction) = 0;
};

}  // namespace tileput::machine
