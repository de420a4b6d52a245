// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/litmus/compiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace tileput::check::litmus {

namespace {

constexpr int kEventIdMax = 7;
/// Indices stay far from where sums of them overflow.
constexpr std::int64_t kIndexMax = std::int64_t{1} << 40U;

/// Appends the access unless there is nothing to it.
void add_access(std::vector<Access>& accesses, const Range& range, AccessKind kind) {
  if (range.bytes != 0) {
    accesses.push_back({range, kind});
  }
}

}  // namespace

Compiler::Compiler(const std::string& file, const Declarations& declarations, const Agent& agent, int agent_index,
                   Storage& storage)
    : file_(file),
      declarations_(declarations),
      agent_(agent),
      agent_index_(agent_index),
      storage_(storage),
      environment_{file, agent.spec.rank, declarations.ranks, true} {}

// ---------------------------------------------------------------------------------------------------------------------
// Operands

Compiler::Cells Compiler::cells_of(const Operand& operand) const {
  Cells cells;
  cells.region = declarations_.find(operand.name.text);
  if (cells.region < 0) {
    fail_at(file_, operand.name.position, fmt::format("'{}' is not declared", operand.name.text),
            "expected a region of a line 'win' or 'gm'");
  }
  cells.rank = agent_.spec.rank;
  if (operand.peer) {
    cells.rank = static_cast<int>(operand.peer->evaluate_within(environment_, 0, declarations_.ranks - 1, "the peer"));
  }
  cells.end = declarations_.regions[static_cast<std::size_t>(cells.region)].cells;
  if (operand.begin) {
    cells.begin = operand.begin->evaluate_within(environment_, -kIndexMax, kIndexMax, "the index");
    cells.end = cells.begin + 1;
  }
  if (operand.end) {
    cells.end = operand.end->evaluate_within(environment_, -kIndexMax, kIndexMax, "the index");
    if (cells.end < cells.begin) {
      fail_at(file_, operand.begin->position(), fmt::format("[{}:{}] ends before it begins", cells.begin, cells.end),
              "expected [a:b] with a <= b");
    }
  }
  return cells;
}

Range Compiler::accessible(const Cells& cells) const {
  const DeclaredRegion& region = declarations_.regions[static_cast<std::size_t>(cells.region)];
  const std::int64_t begin = std::clamp<std::int64_t>(cells.begin, 0, region.cells);
  const std::int64_t end = std::clamp<std::int64_t>(cells.end, begin, region.cells);
  Range range = storage_.region(cells.rank, cells.region);
  if (region.memory == Memory::kPrivate && cells.rank != agent_.spec.rank) {
    return {range.begin, 0};
  }
  range.begin += static_cast<Address>(begin * kCellBytes);
  range.bytes = static_cast<std::uint64_t>((end - begin) * kCellBytes);
  return range;
}

Range Compiler::accessed(const Operand& operand, Pipe pipe, const char* does) {
  const Cells cells = cells_of(operand);
  const Range range = accessible(cells);
  const DeclaredRegion& region = declarations_.regions[static_cast<std::size_t>(cells.region)];
  if (range.bytes != static_cast<std::uint64_t>(cells.count() * kCellBytes)) {
    const bool is_private = region.memory == Memory::kPrivate && cells.rank != agent_.spec.rank;
    std::string text =
        fmt::format("{} {}@{}[{}:{}], {}", does, region.name, cells.rank, cells.begin, cells.end,
                    is_private ? "which is not in a window" : fmt::format("which has cells [0:{}]", region.cells));
    reports_.push_back([source = source_, pipe, name = region.name, text = std::move(text)](CheckedCore& core) {
      core.report_out_of_bounds(source, pipe, name, text);
    });
  }
  return range;
}

void Compiler::reserve(const Operand& tile, std::int64_t cells) {
  if (declarations_.find(tile.name.text) >= 0) {
    fail_at(file_, tile.name.position, fmt::format("'{}' is a region of global memory", tile.name.text),
            "expected a tile: a name that 'win' and 'gm' do not declare");
  }
  if (tile.begin) {
    const std::int64_t begin = tile.begin->evaluate_within(environment_, 0, kCellsMax, "the index");
    cells = begin + 1;
    if (tile.end) {
      cells = tile.end->evaluate_within(environment_, begin, kCellsMax, "the index");
    }
  }
  storage_.reserve_tile(agent_index_, tile.name.text, std::min(cells, kCellsMax));
}

Range Compiler::tile(const Operand& tile) const {
  Range range = storage_.tile(agent_index_, tile.name.text);
  if (tile.begin) {
    const std::int64_t begin = tile.begin->evaluate(environment_);
    const std::int64_t end = tile.end ? tile.end->evaluate(environment_) : begin + 1;
    range.begin += static_cast<Address>(begin * kCellBytes);
    range.bytes = static_cast<std::uint64_t>((end - begin) * kCellBytes);
  }
  return range;
}

std::string Compiler::implicit_tile(const PlacedStatement& placed) const {
  return fmt::format("stage:{}", placed.position.line);
}

void Compiler::reserve_tiles() {
  for (const PlacedStatement& placed : agent_.statements) {
    const Statement& statement = *placed.statement;
    switch (statement.verb) {
      case Verb::kLoad: reserve(*statement.target, cells_of(statement.sources[0]).count()); break;
      case Verb::kStore: reserve(statement.sources[0], cells_of(*statement.target).count()); break;
      case Verb::kTransfer: {
        const std::int64_t cells = cells_of(*statement.target).count();
        const auto chunks = static_cast<std::int64_t>(std::max<std::size_t>(statement.tiles.size(), 1));
        for (const Operand& tile : statement.tiles) {
          reserve(tile, (cells + chunks - 1) / chunks);
        }
        if (statement.tiles.empty()) {
          storage_.reserve_tile(agent_index_, implicit_tile(placed), std::min(cells, kCellsMax));
        }
        break;
      }
      case Verb::kCompute:
        reserve(*statement.target, 1);
        for (const Operand& tile : statement.sources) {
          reserve(tile, 1);
        }
        break;
      default: break;
    }
  }
}

std::int32_t Compiler::word_value(const Statement& statement, const char* what) const {
  using Limits = std::numeric_limits<std::int32_t>;
  return static_cast<std::int32_t>(statement.value.evaluate_within(environment_, Limits::min(), Limits::max(), what));
}

// ---------------------------------------------------------------------------------------------------------------------
// Statements

std::vector<Step> Compiler::compile() {
  std::vector<Step> steps;
  for (const PlacedStatement& placed : agent_.statements) {
    steps.push_back(step(placed));
  }
  return steps;
}

Step Compiler::step(const PlacedStatement& placed) {
  const Statement& statement = *placed.statement;
  source_ = {static_cast<std::uint64_t>(placed.position.line), statement.instruction};
  reports_.clear();
  Step out;
  const Source source = source_;
  switch (statement.verb) {
    case Verb::kLoad:
    case Verb::kStore: out.run = copy(statement); break;
    case Verb::kTransfer: out.run = transfer(placed); break;
    case Verb::kAsync: out.run = async(statement); break;
    case Verb::kAwaitAsync: out.run = await_async(statement); break;
    case Verb::kCompute: out.run = compute(statement); break;
    case Verb::kSetFlag:
    case Verb::kWaitFlag: out.run = flag(statement); break;
    case Verb::kBarrier:
      out.run = [source, pipe = statement.pipe](CheckedCore& core) { core.barrier(source, pipe); };
      break;
    case Verb::kFence: out.run = [source](CheckedCore& core) { core.fence(source); }; break;
    case Verb::kRelease:
      out.run = [source](CheckedCore& core) {
        core.barrier(source, Pipe::kAll);
        core.fence(source);
      };
      break;
    case Verb::kScalarLoad:
    case Verb::kScalarStore:
    case Verb::kClear:
    case Verb::kPoll: out.run = scalar(statement); break;
    case Verb::kClean: out.run = clean(statement); break;
    case Verb::kNotify: out.run = notify(statement, out.notified); break;
    case Verb::kWait: out.run = wait(statement); break;
    case Verb::kLaunch: out.run = [source](CheckedCore& core) { core.boundary(source); }; break;
  }
  if (!reports_.empty()) {
    out.run = [reports = std::move(reports_), run = std::move(out.run)](CheckedCore& core) {
      for (const Run& report : reports) {
        report(core);
      }
      run(core);
    };
  }
  return out;
}

Compiler::Run Compiler::copy(const Statement& statement) {
  const bool is_load = statement.verb == Verb::kLoad;
  const Operand& global = is_load ? statement.sources[0] : *statement.target;
  const Operand& local = is_load ? *statement.target : statement.sources[0];
  const Range range = accessed(global, statement.pipe, is_load ? "reads" : "writes");
  std::vector<Access> accesses;
  add_access(accesses, range, is_load ? AccessKind::kRead : statement.write);
  add_access(accesses, tile(local), is_load ? AccessKind::kWrite : AccessKind::kRead);
  Effect effect;
  if (!is_load) {
    effect = [this_storage = &storage_, range] { this_storage->mark_written(range); };
  }
  return [source = source_, pipe = statement.pipe, accesses = std::move(accesses),
          effect = std::move(effect)](CheckedCore& core) { core.issue(source, pipe, accesses, effect); };
}

Compiler::Run Compiler::transfer(const PlacedStatement& placed) {
  const Statement& statement = *placed.statement;
  accessed(statement.sources[0], Pipe::kMte2, "reads");
  accessed(*statement.target, Pipe::kMte3, "writes");
  const Cells source_cells = cells_of(statement.sources[0]);
  const Cells target_cells = cells_of(*statement.target);
  const auto count = static_cast<std::int64_t>(std::max<std::size_t>(statement.tiles.size(), 1));
  // Two tiles take turns: each carries a half.
  const auto part = [count](Cells cells, std::int64_t index) {
    const std::int64_t cells_of_chunk = (cells.count() + count - 1) / count;
    cells.begin = std::min(cells.begin + index * cells_of_chunk, cells.end);
    cells.end = std::min(cells.begin + cells_of_chunk, cells.end);
    return cells;
  };
  std::vector<Chunk> chunks;
  for (std::int64_t i = 0; i < count; ++i) {
    const Range stage = statement.tiles.empty() ? storage_.tile(agent_index_, implicit_tile(placed))
                                                : tile(statement.tiles[static_cast<std::size_t>(i)]);
    const Range target = accessible(part(target_cells, i));
    Chunk chunk;
    add_access(chunk.load, accessible(part(source_cells, i)), AccessKind::kRead);
    add_access(chunk.load, stage, AccessKind::kWrite);
    add_access(chunk.store, stage, AccessKind::kRead);
    add_access(chunk.store, target, statement.write);
    chunk.store_effect = [this_storage = &storage_, target] { this_storage->mark_written(target); };
    chunks.push_back(std::move(chunk));
  }
  return [source = source_, chunks = std::move(chunks), tiles = static_cast<int>(count)](CheckedCore& core) {
    core.stage(source, chunks, tiles);
  };
}

Compiler::Run Compiler::async(const Statement& statement) {
  const Range from = accessed(statement.sources[0], Pipe::kS, "reads");
  const Range target = accessed(*statement.target, Pipe::kS, "writes");
  std::vector<Access> accesses;
  add_access(accesses, from, AccessKind::kRead);
  add_access(accesses, target, AccessKind::kWrite);
  const std::uint64_t handle = ++transfers_;
  handles_[statement.event.text] = handle;
  // Every core has one session.
  return [source = source_, accesses = std::move(accesses), handle, session = static_cast<std::uint64_t>(agent_index_),
          target, this_storage = &storage_](CheckedCore& core) {
    core.transfer(source, session, handle, accesses, [this_storage, target] { this_storage->mark_written(target); });
  };
}

Compiler::Run Compiler::await_async(const Statement& statement) {
  const auto found = handles_.find(statement.event.text);
  if (found != handles_.end()) {
    return [source = source_, handle = found->second, session = static_cast<std::uint64_t>(agent_index_)](
               CheckedCore& core) { core.await_transfer(source, session, handle); };
  }
  const bool is_started_later =
      std::any_of(agent_.statements.begin(), agent_.statements.end(), [&](const PlacedStatement& other) {
        return other.statement->verb == Verb::kAsync && other.statement->event.text == statement.event.text;
      });
  if (!is_started_later) {
    fail_at(file_, statement.event.position,
            fmt::format("nothing on {} starts the event '{}'", agent_.spec.name, statement.event.text),
            "expected the event of a TPUT_ASYNC or TGET_ASYNC");
  }
  return [](CheckedCore&) {};  // an event that has not begun is one to wait no time for
}

Compiler::Run Compiler::compute(const Statement& statement) {
  std::vector<Access> accesses;
  for (const Operand& operand : statement.sources) {
    add_access(accesses, tile(operand), AccessKind::kRead);
  }
  add_access(accesses, tile(*statement.target), AccessKind::kWrite);
  return [source = source_, pipe = statement.pipe, accesses = std::move(accesses)](CheckedCore& core) {
    core.issue(source, pipe, accesses);
  };
}

Compiler::Run Compiler::flag(const Statement& statement) {
  const auto event =
      static_cast<int>(statement.value.evaluate_within(environment_, 0, kEventIdMax, "the id of the event"));
  const bool is_set = statement.verb == Verb::kSetFlag;
  return [source = source_, is_set, from = statement.from, to = statement.to, event](CheckedCore& core) {
    if (is_set) {
      core.set_flag(source, from, to, event);
    } else {
      core.wait_flag(source, from, to, event);
    }
  };
}

Compiler::Run Compiler::scalar(const Statement& statement) {
  const bool is_read = statement.verb == Verb::kScalarLoad || statement.verb == Verb::kPoll;
  const std::int32_t value = statement.verb == Verb::kClear ? word_value(statement, "the value") : 0;
  const Range range = accessed(*statement.target, Pipe::kS, is_read ? "reads" : "writes");
  if (range.bytes == 0) {
    return [](CheckedCore&) {};
  }
  const Source source = source_;
  Storage* const storage = &storage_;
  switch (statement.verb) {
    case Verb::kScalarLoad: return [source, range](CheckedCore& core) { core.load(source, range); };
    case Verb::kScalarStore:
      return [source, range, storage](CheckedCore& core) {
        core.store(source, range);
        storage->mark_written(range);
      };
    case Verb::kClear:
      return [source, range, value, storage](CheckedCore& core) {
        core.clear(source, range, value);
        storage->mark_cleared(range);
      };
    default:
      return [source, range, storage](CheckedCore& core) {
        core.poll(source, range, [storage, range] { return storage->is_written(range); });
      };
  }
}

Compiler::Run Compiler::clean(const Statement& statement) {
  if (!statement.target) {
    return [source = source_](CheckedCore& core) { core.clean_all(source); };
  }
  // Lines are cleaned, not cells: what lies outside the region is no access.
  const Range range = accessible(cells_of(*statement.target));
  return [source = source_, range](CheckedCore& core) { core.clean(source, range); };
}

Compiler::Run Compiler::notify(const Statement& statement, Address& notified) {
  const Cells cells = cells_of(*statement.target);
  if (cells.count() != 1) {
    fail_at(file_, statement.target->name.position,
            fmt::format("TNOTIFY names {} cells of '{}'", cells.count(), statement.target->name.text),
            "expected one cell: S@p[i]");
  }
  const std::int32_t value = word_value(statement, "the value");
  const Range range = accessed(*statement.target, Pipe::kS, "notifies");
  if (range.bytes == 0) {
    return [](CheckedCore&) {};
  }
  notified = range.begin;
  return [source = source_, range, op = statement.op, value, storage = &storage_](CheckedCore& core) {
    core.notify(source, range.begin, op, value);
    if (op == SignalOp::kSet) {
      storage->mark_cleared(range);
    }
  };
}

Compiler::Run Compiler::wait(const Statement& statement) {
  const std::int32_t value = word_value(statement, "the value");
  const Range range = accessed(*statement.target, Pipe::kS, "waits for");
  std::vector<Address> words;
  for (Address word = range.begin; word != range.end(); word += kCellBytes) {
    words.push_back(word);
  }
  if (words.empty()) {
    return [](CheckedCore&) {};
  }
  return [source = source_, words = std::move(words), compare = statement.compare, value](CheckedCore& core) {
    core.wait(source, words, compare, value);
  };
}

}  // namespace tileput::check::litmus
