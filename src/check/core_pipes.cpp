// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The pipes of a core, its asynchronous engine, and writes on their way to other ranks.

#include <algorithm>
#include <utility>

#include "check/core_state.hpp"

namespace tileput::check {

CheckedCore::CheckedCore(Machine& machine, int index, CoreSpec spec)
    : machine_(machine), index_(index), spec_(std::move(spec)), state_(std::make_unique<State>()) {}
CheckedCore::~CheckedCore() = default;

namespace {

OpId add_op(Trace& trace, Op op, std::vector<Access> accesses) {
  op.first_access = static_cast<std::uint32_t>(trace.accesses.size());
  op.access_count = static_cast<std::uint32_t>(accesses.size());
  trace.accesses.insert(trace.accesses.end(), accesses.begin(), accesses.end());
  trace.ops.push_back(op);
  return static_cast<OpId>(trace.ops.size() - 1);
}

}  // namespace

OpId CheckedCore::State::enqueue(CheckedCore& core, Op op, std::vector<Access> accesses, Effect effect) {
  Trace& trace = *core.machine_.trace_;
  op.core = core.index_;
  op.position = position;
  Pipeline& pipeline = pipes[static_cast<std::size_t>(op.pipe)];
  op.index = ++pipeline.issued;
  const OpId id = add_op(trace, op, std::move(accesses));
  trace.events.push_back({.kind = Event::Kind::kIssue, .core = core.index_, .position = position, .op = id});
  pipeline.queue.push_back({id, std::move(effect)});
  return id;
}

bool CheckedCore::State::can_execute(const Trace& trace, const Pipeline& pipeline) const {
  if (pipeline.queue.empty()) {
    return false;
  }
  const Op& op = trace.ops[pipeline.queue.front().op];
  return op.op_class != OpClass::kWaitFlag || token_is_set.at(op.token);
}

void CheckedCore::State::execute_one(CheckedCore& core, Pipeline& pipeline) {
  Machine& machine = core.machine_;
  Trace& trace = *machine.trace_;
  Queued queued = std::move(pipeline.queue.front());
  pipeline.queue.pop_front();
  const Op& op = trace.ops[queued.op];
  pipeline.executed = op.index;
  trace.events.push_back(
      {.kind = Event::Kind::kExecute, .core = core.index_, .position = op.position, .op = queued.op});
  if (op.op_class == OpClass::kSetFlag) {
    token_is_set[op.token] = true;
  }
  if (queued.effect) {
    const bool is_remote =
        machine.options_.delay_effects &&
        std::any_of(trace.accesses_of(op).begin(), trace.accesses_of(op).end(), [&](const Access& access) {
          const Region* const region = machine.memory_.find(access.range.begin);
          return access.kind != AccessKind::kRead && region != nullptr && region->memory == Memory::kWindow &&
                 region->rank != core.spec_.rank;
        });
    if (is_remote) {
      machine.land_later(core, queued.op, std::move(queued.effect));
    } else {
      queued.effect();
    }
  }
  machine.scheduler_.something_changed();
}

void CheckedCore::State::advance(CheckedCore& core) {
  const Trace& trace = *core.machine_.trace_;
  for (bool moved = true; moved;) {
    moved = false;
    for (Pipeline& pipeline : pipes) {
      while (can_execute(trace, pipeline)) {
        execute_one(core, pipeline);
        moved = true;
      }
    }
  }
}

void CheckedCore::State::after_issue(CheckedCore& core) {
  if (!core.machine_.options_.delay_effects) {
    advance(core);
    return;
  }
  const Trace& trace = *core.machine_.trace_;
  for (Pipeline& pipeline : pipes) {
    if (pipeline.engine < 0 && !pipeline.queue.empty()) {
      pipeline.engine = core.machine_.scheduler_.add_engine([this, &core, &pipeline] {
        execute_one(core, pipeline);
        after_issue(core);
      });
    }
    if (pipeline.engine >= 0) {
      // What a pipe does is seen by others only where it lands in memory they look at; nobody's order depends on it.
      core.machine_.scheduler_.set_engine(pipeline.engine, can_execute(trace, pipeline));
    }
  }
}

void CheckedCore::State::await_pipe(CheckedCore& core, Pipe pipe, const Source& source) {
  const auto is_empty = [this, pipe] {
    return pipe == Pipe::kAll
               ? std::all_of(pipes.begin(), pipes.end(), [](const Pipeline& p) { return p.queue.empty(); })
               : pipes[static_cast<std::size_t>(pipe)].queue.empty();
  };
  if (!is_empty()) {
    advance(core);
    after_issue(core);
  }
  if (!is_empty()) {
    blocked = Blocked{Blocked::Kind::kPipe, source, {}, Compare::kEq, 0, pipe};
    core.machine_.scheduler_.park({}, is_empty);
    blocked.reset();
  }
}

void CheckedCore::issue(const Source& source, Pipe pipe, std::vector<Access> accesses, Effect effect) {
  state_->step();
  state_->note_progress();
  const bool is_scalar = pipe == Pipe::kS;
  if (is_scalar) {
    state_->run_on_scalar(*this, {.op_class = OpClass::kScalarWord, .source = source}, std::move(accesses), effect);
    return;
  }
  state_->enqueue(*this, {.pipe = pipe, .source = source}, std::move(accesses), std::move(effect));
  state_->after_issue(*this);
}

OpId CheckedCore::State::run_on_scalar(CheckedCore& core, Op op, std::vector<Access> accesses, const Effect& effect) {
  Trace& trace = *core.machine_.trace_;
  op.core = core.index_;
  op.pipe = Pipe::kS;
  op.position = position;
  op.index = ++pipes[0].issued;
  pipes[0].executed = op.index;
  const OpId id = add_op(trace, op, std::move(accesses));
  trace.events.push_back({.kind = Event::Kind::kExecute, .core = core.index_, .position = position, .op = id});
  if (effect) {
    effect();
  }
  return id;
}

void CheckedCore::stage(const Source& source, std::vector<Chunk> chunks, int tiles) {
  State& state = *state_;
  state.step();
  state.note_progress();
  state.check_internal_flags(*this, source, tiles);
  const auto event = [&](Pipe pipe, OpClass op_class, std::uint32_t token) {
    state.enqueue(*this, {.pipe = pipe, .op_class = op_class, .is_internal = true, .token = token, .source = source},
                  {}, {});
  };
  const auto count = chunks.size();
  const std::uint32_t loaded = state.new_tokens(*machine_.trace_, count);
  const std::uint32_t stored = state.new_tokens(*machine_.trace_, count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto n = static_cast<std::uint32_t>(i);
    if (i >= static_cast<std::size_t>(tiles)) {
      event(Pipe::kMte2, OpClass::kWaitFlag, stored + n - static_cast<std::uint32_t>(tiles));
    }
    Chunk& chunk = chunks[i];
    state.enqueue(*this, {.pipe = Pipe::kMte2, .source = source}, std::move(chunk.load), std::move(chunk.load_effect));
    event(Pipe::kMte2, OpClass::kSetFlag, loaded + n);
    event(Pipe::kMte3, OpClass::kWaitFlag, loaded + n);
    state.enqueue(*this, {.pipe = Pipe::kMte3, .source = source}, std::move(chunk.store),
                  std::move(chunk.store_effect));
    event(Pipe::kMte3, OpClass::kSetFlag, stored + n);
  }
  for (std::size_t i = count - std::min(count, static_cast<std::size_t>(tiles)); i < count; ++i) {
    event(Pipe::kMte2, OpClass::kWaitFlag, stored + static_cast<std::uint32_t>(i));
  }
  state.after_issue(*this);
}

void CheckedCore::transfer(const Source& source, std::uint64_t session, std::uint64_t handle,
                           std::vector<Access> accesses, Effect effect) {
  State& state = *state_;
  state.step();
  state.note_progress();
  Trace& trace = *machine_.trace_;
  const OpId id =
      add_op(trace, {.core = index_, .op_class = OpClass::kAsync, .position = state.position, .source = source},
             std::move(accesses));
  trace.events.push_back({.kind = Event::Kind::kIssue, .core = index_, .position = state.position, .op = id});
  trace.events.push_back({.kind = Event::Kind::kExecute, .core = index_, .position = state.position, .op = id});
  state.transfers.push_back({session, handle, id});
  if (effect) {
    if (machine_.options_.delay_effects) {
      machine_.land_later(*this, id, std::move(effect));
    } else {
      effect();
      machine_.scheduler_.something_changed();
    }
  }
}

void CheckedCore::await_transfer(const Source& /*source*/, std::uint64_t session, std::uint64_t handle) {
  State& state = *state_;
  state.step();
  state.note_progress();
  Trace& trace = *machine_.trace_;
  std::erase_if(state.transfers, [&](const State::Transfer& transfer) {
    if (transfer.session != session || transfer.handle > handle) {
      return false;
    }
    const bool is_own = transfer.handle == handle;
    machine_.land_now(*this, [&](OpId op) { return op == transfer.op; });
    trace.events.push_back({.kind = Event::Kind::kComplete,
                            .core = index_,
                            .position = state.position,
                            .op = transfer.op,
                            .value = is_own ? 1 : 0});
    return is_own;  // the others may be waited for by their own events, too
  });
}

void Machine::land_later(CheckedCore& core, OpId op, Effect effect) {
  int slot = 0;
  if (!free_landings_.empty()) {
    slot = free_landings_.back();
    free_landings_.pop_back();
  } else {
    slot = static_cast<int>(landings_.size());
    landings_.emplace_back();
    landings_.back().engine = scheduler_.add_engine([this, slot] { land(slot); });
  }
  Landing& landing = landings_[static_cast<std::size_t>(slot)];
  landing.core = core.index_;
  landing.op = op;
  landing.effect = std::move(effect);
  Touches touches;
  for (const Access& access : trace_->accesses_of(trace_->ops[op])) {
    touches.push_back({access.range, access.kind == AccessKind::kRead     ? Touch::Kind::kRead
                                     : access.kind == AccessKind::kAtomic ? Touch::Kind::kAdd
                                                                          : Touch::Kind::kWrite});
  }
  scheduler_.set_engine(landing.engine, true, std::move(touches));
}

void Machine::land(int slot) {
  Landing& landing = landings_[static_cast<std::size_t>(slot)];
  const Effect effect = std::exchange(landing.effect, {});
  scheduler_.set_engine(landing.engine, false);
  free_landings_.push_back(slot);
  effect();
  scheduler_.something_changed();
}

void Machine::land_now(const CheckedCore& core, const std::function<bool(OpId)>& which) {
  for (std::size_t slot = 0; slot < landings_.size(); ++slot) {
    if (landings_[slot].effect && landings_[slot].core == core.index_ && which(landings_[slot].op)) {
      land(static_cast<int>(slot));
    }
  }
}

}  // namespace tileput::check
