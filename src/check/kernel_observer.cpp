// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/kernel_observer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

#include "check/operand_ranges.hpp"
#include "tileput/error.hpp"
#include "tileput/machine/transfer.hpp"

namespace tileput::check {

namespace {

using machine::GlobalRegion;
using machine::Instruction;
using machine::Opcode;
using machine::Space;
using machine::TileRegion;

Source source_of(const Instruction& instruction) noexcept {
  return {reinterpret_cast<std::uint64_t>(instruction.site), machine::name_of(instruction.opcode)};
}

void append(std::vector<Access>& accesses, const std::vector<Range>& ranges, AccessKind kind) {
  for (const Range& range : ranges) {
    accesses.push_back({range, kind});
  }
}

/// The first rows x cols elements of a tile. Staging tiles may have valid extents beyond their storage.
std::vector<Range> storage_ranges(const TileRegion& tile, std::int64_t rows, std::int64_t cols) {
  return ranges_of(tile, std::min<std::int64_t>(rows, tile.rows), std::min<std::int64_t>(cols, tile.cols));
}

Pipe pipe_of(const Instruction& instruction, std::int64_t value) {
  if (value < 0 || value >= kPipes) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("{} was given the pipe {}", machine::name_of(instruction.opcode), value),
                "pipes are PIPE_S to PIPE_FIX");
  }
  return static_cast<Pipe>(value);
}

/// The core that effects run on: it wakes nobody. The core of the thread, whichever it is, comes back at the end.
class EffectCore {
 public:
  EffectCore() noexcept : before_(machine::tileput_current_core) { machine::tileput_current_core = &core_; }
  EffectCore(const EffectCore&) = delete;
  EffectCore& operator=(const EffectCore&) = delete;
  ~EffectCore() { machine::tileput_current_core = before_; }

 private:
  machine::Core core_;
  machine::Core* before_;
};

bool run_natively(const Instruction& record) {
  const EffectCore core;
  return record.run();
}

/// One chunk of a copy on its way: the bytes of the source wait here from the load to the store.
struct ChunkInFlight {
  Instruction record;  ///< of this chunk alone, from `bytes`
  GlobalRegion source;
  std::vector<std::byte> bytes;

  ChunkInFlight(const Instruction& whole, const GlobalRegion& target, const GlobalRegion& from)
      : record(whole), source(from) {
    record.piece_count = 1;
    record.global[0] = target;
    record.global[1] = from;
    std::int64_t stride = 1;
    for (int d = machine::kDims; d-- > 0;) {
      record.global[1].stride[d] = stride;
      stride *= from.shape[d];
    }
  }

  void load() {
    bytes.resize(static_cast<std::size_t>(source.elements()) * source.element_bytes);
    record.global[1].address = bytes.data();
    machine::copy_global(record.global[1], source);
  }
  void store() {
    run_natively(record);
    bytes = {};
  }
};

/// A TSTORE on its way: the storage of its tile up to the last valid element waits here to be written.
struct StoreInFlight {
  Instruction record;  ///< from `bytes`
  const std::byte* tile;
  std::size_t tile_bytes;
  std::vector<std::byte> bytes;

  StoreInFlight(const Instruction& instruction, Address end)
      : record(instruction),
        tile(instruction.tile[0].address),
        tile_bytes(static_cast<std::size_t>(end - reinterpret_cast<Address>(tile))) {}

  void load() {
    bytes.assign(tile, tile + tile_bytes);
    record.tile[0].address = bytes.data();
  }
  void store() {
    run_natively(record);
    bytes = {};
  }
};

/// The tiles that the chunks of a copy go through in turn. TREDUCE brings the root's member into the accumulator and
/// the others into its staging tiles.
struct StagingTiles {
  const TileRegion* first = nullptr;
  int count = 0;

  explicit StagingTiles(const Instruction& instruction) noexcept
      : first(instruction.tile), count(instruction.tile_count) {
    if (instruction.opcode == Opcode::kTreduce && count > 0) {
      const bool of_root = instruction.immediate[2] != 0;
      first += of_root ? 0 : 1;
      count = of_root ? 1 : count - 1;
    }
  }
};

}  // namespace

void add_on_chip_regions(MemoryMap& memory, const machine::Core& core, int rank) {
  constexpr const char* kNames[] = {"Vec", "Mat", "Left", "Right", "Acc"};
  static_assert(std::size(kNames) == machine::kOnChipSpaces);
  for (int space = 0; space < machine::kOnChipSpaces; ++space) {
    const machine::OnChip& on_chip = core.on_chip[space];
    memory.add({.name = kNames[space],
                .range = {reinterpret_cast<Address>(on_chip.base), on_chip.capacity_bytes},
                .memory = Memory::kOnChip,
                .rank = rank});
  }
}

KernelObserver::KernelObserver(Machine& machine, CheckedCore& core, const machine::Core& kernel_core)
    : machine_(machine), core_(core), kernel_core_(kernel_core) {}

bool KernelObserver::on_instruction(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::kTload: load_tile(instruction); break;
    case Opcode::kTstore: store_tile(instruction); break;
    case Opcode::kTput:
    case Opcode::kTget:
    case Opcode::kTbroadcast:
    case Opcode::kTgather:
    case Opcode::kTscatter:
    case Opcode::kTreduce: copy_in_chunks(instruction); break;
    case Opcode::kTputAsync:
    case Opcode::kTgetAsync: start_transfer(instruction); break;
    case Opcode::kAsyncWait:
    case Opcode::kAsyncTest: await_transfer(instruction); break;
    case Opcode::kTadd:
    case Opcode::kTsub:
    case Opcode::kTmul:
    case Opcode::kTmax:
    case Opcode::kTmin:
    case Opcode::kTadds:
    case Opcode::kTsubs:
    case Opcode::kTmuls:
    case Opcode::kTmaxs:
    case Opcode::kTmins:
    case Opcode::kTdivs:
    case Opcode::kTexpands:
    case Opcode::kTcvt:
    case Opcode::kTrowsum: compute(instruction); break;
    case Opcode::kTmov: move_tile(instruction); break;
    case Opcode::kTmatmul:
    case Opcode::kTmatmulAcc: multiply(instruction); break;
    case Opcode::kTnotify: notify(instruction); break;
    case Opcode::kTwait:
    case Opcode::kTtest: return look_at_signals(instruction);
    case Opcode::kStDev:
    case Opcode::kLdDev: access_word(instruction); break;
    case Opcode::kSetFlag:
    case Opcode::kWaitFlag:
    case Opcode::kPipeBarrier:
    case Opcode::kDcci:
    case Opcode::kDsb: control(instruction); break;
  }
  return true;
}

void KernelObserver::load_tile(const Instruction& instruction) {
  const TileRegion& tile = instruction.tile[0];
  const TileTransfer transfer = ranges_of_transfer(tile, instruction.global[0]);
  std::vector<Access> accesses;
  append(accesses, transfer.tensor, AccessKind::kRead);
  append(accesses, tile.padded ? ranges_of(tile, tile.rows, tile.cols) : transfer.tile, AccessKind::kWrite);
  issue(instruction, Pipe::kMte2, std::move(accesses));
}

/// Two operations of its pipe: the tile is read when the pipe gets there, the tensor may be written any time after it.
void KernelObserver::store_tile(const Instruction& instruction) {
  const TileRegion& tile = instruction.tile[0];
  const TileTransfer transfer = ranges_of_transfer(tile, instruction.global[0]);
  if (transfer.tile.empty()) {
    return;
  }
  std::vector<Access> reads;
  std::vector<Access> writes;
  append(reads, transfer.tile, AccessKind::kRead);
  append(writes, transfer.tensor, instruction.immediate[0] != 0 ? AccessKind::kAtomic : AccessKind::kWrite);
  const Source source = source_of(instruction);
  const Pipe pipe = tile.space == Space::kAcc ? Pipe::kFix : Pipe::kMte3;
  const bool is_admitted = admit(source, pipe, reads) && admit(source, pipe, writes);
  Effect load;
  Effect store;
  if (is_admitted) {
    const auto in_flight = std::make_shared<StoreInFlight>(instruction, transfer.tile.back().end());
    load = [in_flight] { in_flight->load(); };
    store = [in_flight, &scheduler = machine_.scheduler()] {
      in_flight->store();
      scheduler.something_changed();
    };
  }
  core_.issue(source, pipe, std::move(reads), std::move(load));
  core_.issue(source, pipe, std::move(writes), std::move(store));
}

void KernelObserver::copy_in_chunks(const Instruction& instruction) {
  const Opcode opcode = instruction.opcode;
  const bool is_point_to_point = opcode == Opcode::kTput || opcode == Opcode::kTget;
  const bool is_in_place = !is_point_to_point && machine::is_same_memory(instruction.global[0], instruction.global[1]);
  if (is_in_place && opcode != Opcode::kTreduce) {
    return;  // a member that has its data already
  }
  const AccessKind change =
      opcode == Opcode::kTput && instruction.immediate[0] != 0 ? AccessKind::kAtomic : AccessKind::kWrite;
  const StagingTiles tiles(instruction);
  const machine::Chunking chunking = instruction.tile_count > 0
                                         ? machine::chunking_of(instruction.global[1], instruction.tile[0])
                                         : machine::Chunking{0, 0, 1, 1, 1, true};
  const Source source = source_of(instruction);
  std::vector<Chunk> chunks;
  for (std::int64_t i = 0; i < instruction.piece_count; ++i) {
    const GlobalRegion target = machine::chunk_of(instruction.global[0], chunking, i);
    const GlobalRegion from = machine::chunk_of(instruction.global[1], chunking, i);
    Chunk chunk;
    append(chunk.load, ranges_of(from), AccessKind::kRead);
    if (!is_in_place) {
      append(chunk.store, ranges_of(target), change);
    }
    const bool loads = admit(source, Pipe::kMte2, chunk.load);
    const bool stores = admit(source, Pipe::kMte3, chunk.store);
    if (tiles.count > 0) {
      const std::int64_t rows = from.shape[0] * from.shape[1] * from.shape[2] * from.shape[3];
      const std::vector<Range> staged = storage_ranges(tiles.first[i % tiles.count], rows, from.shape[4]);
      append(chunk.load, staged, AccessKind::kWrite);
      append(chunk.store, staged, AccessKind::kRead);
    }
    if (loads && stores && !is_in_place) {
      const auto in_flight = std::make_shared<ChunkInFlight>(instruction, target, from);
      chunk.load_effect = [in_flight] { in_flight->load(); };
      chunk.store_effect = [in_flight, &scheduler = machine_.scheduler()] {
        in_flight->store();
        scheduler.something_changed();
      };
    }
    chunks.push_back(std::move(chunk));
  }
  if (!chunks.empty()) {
    core_.stage(source, std::move(chunks), std::max(1, tiles.count));
  }
}

void KernelObserver::start_transfer(const Instruction& instruction) {
  const auto handle = static_cast<std::uint64_t>(instruction.immediate[0]);
  // Numbered, so that nothing depends on where a session lies.
  const std::uint64_t session =
      sessions_.emplace(static_cast<std::uint64_t>(instruction.immediate[1]), sessions_.size()).first->second;
  session_of_handle_[handle] = session;
  std::vector<Access> accesses;
  append(accesses, ranges_of(instruction.global[1]), AccessKind::kRead);
  append(accesses, ranges_of(instruction.global[0]), AccessKind::kWrite);
  const Source source = source_of(instruction);
  const bool is_admitted = admit(source, Pipe::kAll, accesses);
  core_.transfer(source, session, handle, std::move(accesses), is_admitted ? effect_of(instruction) : Effect());
}

/// A test is a wait as well: that a transfer is found complete is always one of the things that can happen, and no
/// kernel may need it to be found incomplete.
void KernelObserver::await_transfer(const Instruction& instruction) {
  const auto handle = static_cast<std::uint64_t>(instruction.immediate[0]);
  if (const auto found = session_of_handle_.find(handle); found != session_of_handle_.end()) {
    core_.await_transfer(source_of(instruction), found->second, handle);
  }
}

/// The vector unit: the valid region of the target governs, except that TROWSUM goes over its source's.
void KernelObserver::compute(const Instruction& instruction) {
  const TileRegion* const tile = instruction.tile;
  const bool is_sum = instruction.opcode == Opcode::kTrowsum;
  const bool has_temporary = is_sum || instruction.opcode == Opcode::kTcvt;
  const TileRegion& extent = is_sum ? tile[1] : tile[0];
  std::vector<Access> accesses;
  for (int i = 1; i < instruction.tile_count; ++i) {
    const bool is_temporary = has_temporary && i == 2;
    append(accesses, storage_ranges(tile[i], extent.valid_rows, extent.valid_cols),
           is_temporary ? AccessKind::kWrite : AccessKind::kRead);
  }
  append(accesses, storage_ranges(tile[0], extent.valid_rows, is_sum ? 1 : extent.valid_cols), AccessKind::kWrite);
  issue(instruction, Pipe::kV, std::move(accesses));
}

void KernelObserver::multiply(const Instruction& instruction) {
  const auto& [acc, left, right] = instruction.tile;
  const std::vector<Range> product = storage_ranges(acc, left.valid_rows, right.valid_cols);
  std::vector<Access> accesses;
  append(accesses, storage_ranges(left, left.valid_rows, left.valid_cols), AccessKind::kRead);
  append(accesses, storage_ranges(right, right.valid_rows, right.valid_cols), AccessKind::kRead);
  if (instruction.opcode == Opcode::kTmatmulAcc) {
    append(accesses, product, AccessKind::kRead);
  }
  append(accesses, product, AccessKind::kWrite);
  issue(instruction, Pipe::kM, std::move(accesses));
}

void KernelObserver::move_tile(const Instruction& instruction) {
  const TileRegion& target = instruction.tile[0];
  const TileRegion& from = instruction.tile[1];
  const std::int64_t rows = std::min(target.valid_rows, from.valid_rows);
  const std::int64_t cols = std::min(target.valid_cols, from.valid_cols);
  std::vector<Access> accesses;
  append(accesses, storage_ranges(from, rows, cols), AccessKind::kRead);
  append(accesses, storage_ranges(target, rows, cols), AccessKind::kWrite);
  const bool feeds_matrix_unit = target.space == Space::kLeft || target.space == Space::kRight;
  const Pipe pipe = from.space == Space::kAcc ? Pipe::kFix : feeds_matrix_unit ? Pipe::kMte1 : Pipe::kV;
  issue(instruction, pipe, std::move(accesses));
}

void KernelObserver::notify(const Instruction& instruction) {
  const Source source = source_of(instruction);
  const auto word = reinterpret_cast<Address>(instruction.global[0].address);
  std::vector<Access> accesses{{{word, sizeof(std::int32_t)}, AccessKind::kAtomic}};
  if (admit(source, Pipe::kS, accesses)) {
    core_.notify(source, word, static_cast<SignalOp>(instruction.immediate[1]),
                 static_cast<std::int32_t>(instruction.immediate[0]));
  }
}

bool KernelObserver::look_at_signals(const Instruction& instruction) {
  const Source source = source_of(instruction);
  std::vector<Address> words = words_of(instruction.global[0]);
  std::vector<Access> accesses;
  accesses.reserve(words.size());
  for (const Address word : words) {
    accesses.push_back({{word, sizeof(std::int32_t)}, AccessKind::kRead});
  }
  if (!admit(source, Pipe::kS, accesses)) {
    return true;  // nobody could ever satisfy it
  }
  const auto compare = static_cast<Compare>(instruction.immediate[1]);
  const auto value = static_cast<std::int32_t>(instruction.immediate[0]);
  if (instruction.opcode == Opcode::kTtest) {
    return core_.test(source, std::move(words), compare, value);
  }
  core_.wait(source, std::move(words), compare, value);
  return true;
}

/// Uncached, so at once; the scalar unit goes on when it is done, and the value is there on return.
void KernelObserver::access_word(const Instruction& instruction) {
  const bool stores = instruction.opcode == Opcode::kStDev;
  const Range word{reinterpret_cast<Address>(instruction.global[0].address), sizeof(std::uint32_t)};
  issue(instruction, Pipe::kS, {{word, stores ? AccessKind::kWrite : AccessKind::kRead}});
}

void KernelObserver::control(const Instruction& instruction) {
  const Source source = source_of(instruction);
  const std::int64_t* const immediate = instruction.immediate;
  switch (instruction.opcode) {
    case Opcode::kSetFlag:
      core_.set_flag(source, pipe_of(instruction, immediate[0]), pipe_of(instruction, immediate[1]),
                     static_cast<int>(immediate[2]));
      break;
    case Opcode::kWaitFlag:
      core_.wait_flag(source, pipe_of(instruction, immediate[0]), pipe_of(instruction, immediate[1]),
                      static_cast<int>(immediate[2]));
      break;
    case Opcode::kPipeBarrier: core_.barrier(source, pipe_of(instruction, immediate[0])); break;
    case Opcode::kDcci: {
      constexpr std::int64_t kSingleLine = 0;  // cache_line_t::SINGLE_CACHE_LINE
      const auto address = reinterpret_cast<Address>(instruction.global[0].address);
      if (immediate[0] == kSingleLine) {
        core_.clean(source, {address & ~(Address{kLineBytes} - 1), kLineBytes});
      } else {
        core_.clean_all(source);
      }
      break;
    }
    default: core_.fence(source); break;
  }
}

bool KernelObserver::is_on_chip(const Range& range) const noexcept {
  return std::any_of(std::begin(kernel_core_.on_chip), std::end(kernel_core_.on_chip), [&](const auto& memory) {
    const auto base = reinterpret_cast<Address>(memory.base);
    return range.begin >= base && range.begin - base <= memory.capacity_bytes &&
           range.bytes <= memory.capacity_bytes - (range.begin - base);
  });
}

bool KernelObserver::admit(const Source& source, Pipe pipe, std::vector<Access>& accesses) {
  std::vector<Access> admitted;
  bool all = true;
  for (const Access& access : accesses) {
    if (is_on_chip(access.range)) {
      admitted.push_back(access);
    } else {
      all = admit_part(source, pipe, access, admitted) && all;
    }
  }
  if (!all) {
    accesses = std::move(admitted);
  }
  return all;
}

/// Regions that touch are gone through one by one: they may be parts of one window.
bool KernelObserver::admit_part(const Source& source, Pipe pipe, const Access& access, std::vector<Access>& admitted) {
  const Range& range = access.range;
  const Region* first = machine_.memory().find(range.begin);
  Address next = range.begin;
  while (next < range.end()) {
    const Region* const region = machine_.memory().find(next);
    const bool is_accessible = region != nullptr && region->memory != Memory::kOnChip &&
                               (region->memory == Memory::kWindow || region->rank == core_.spec().rank);
    if (!is_accessible) {
      break;
    }
    next = std::min<Address>(range.end(), region->range.end());
  }
  if (next > range.begin) {
    admitted.push_back({{range.begin, next - range.begin}, access.kind});
  }
  if (next == range.end()) {
    return true;
  }
  const char* const verb = access.kind == AccessKind::kRead    ? "reads"
                           : access.kind == AccessKind::kWrite ? "writes"
                                                               : "adds to";
  const Region* const foreign = machine_.memory().find(next);
  const std::string where = first == nullptr     ? fmt::format("memory that is no region, at {:#x}", next)
                            : foreign == nullptr ? fmt::format("beyond the end of {}@{}", first->name, first->rank)
                                                 : fmt::format("private memory {}@{}", foreign->name, foreign->rank);
  core_.report_out_of_bounds(source, pipe, first != nullptr ? first->name : std::string(),
                             fmt::format("{} {} bytes of {}", verb, range.end() - next, where));
  return false;
}

void KernelObserver::issue(const Instruction& instruction, Pipe pipe, std::vector<Access> accesses) {
  const Source source = source_of(instruction);
  const bool is_admitted = admit(source, pipe, accesses);
  core_.issue(source, pipe, std::move(accesses), is_admitted ? effect_of(instruction) : Effect());
}

Effect KernelObserver::effect_of(const Instruction& instruction) const {
  return [record = instruction, &scheduler = machine_.scheduler()] {
    run_natively(record);
    scheduler.something_changed();
  };
}

}  // namespace tileput::check
