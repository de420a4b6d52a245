// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <utility>

#include "check/analysis.hpp"
#include "check/core_state.hpp"
#include "check/trace.hpp"

namespace tileput::check {

namespace {

std::int32_t value_at(Address word) noexcept {
  std::int32_t value = 0;
  std::memcpy(&value, reinterpret_cast<const void*>(word), sizeof(value));
  return value;
}

void set_value(Address word, std::int32_t value) noexcept {
  std::memcpy(reinterpret_cast<void*>(word), &value, sizeof(value));
}

bool all_hold(const std::vector<Address>& words, Compare compare, std::int32_t value) noexcept {
  return std::all_of(words.begin(), words.end(), [&](Address word) { return holds(value_at(word), compare, value); });
}

constexpr std::uint64_t kWordBytes = sizeof(std::int32_t);

Touches reads_of(const std::vector<Address>& words) {
  Touches touches;
  touches.reserve(words.size());
  for (const Address word : words) {
    touches.push_back({{word, kWordBytes}, Touch::Kind::kRead});
  }
  return touches;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Pipes

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
  trace.events.push_back({.kind = Event::Kind::kExecute, .core = core.index_, .position = op.position, .op = queued.op});
  if (op.op_class == OpClass::kSetFlag) {
    token_is_set[op.token] = true;
  }
  if (queued.effect) {
    const bool is_remote =
        machine.options_.delay_effects && std::any_of(trace.accesses_of(op).begin(), trace.accesses_of(op).end(),
                                                      [&](const Access& access) {
                                                        const Region* const region =
                                                            machine.memory_.find(access.range.begin);
                                                        return access.kind != AccessKind::kRead && region != nullptr &&
                                                               region->memory == Memory::kWindow &&
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

// ---------------------------------------------------------------------------------------------------------------------
// The asynchronous engine, and remote memory

void CheckedCore::transfer(const Source& source, std::uint64_t session, std::uint64_t handle,
                           std::vector<Access> accesses, Effect effect) {
  State& state = *state_;
  state.step();
  state.note_progress();
  Trace& trace = *machine_.trace_;
  const OpId id = add_op(
      trace,
      {.core = index_, .op_class = OpClass::kAsync, .position = state.position, .source = source}, std::move(accesses));
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
    machine_.land_now(*this, [&](OpId op) { return op == transfer.op; });
    trace.events.push_back({.kind = Event::Kind::kComplete,
                            .core = index_,
                            .position = state.position,
                            .op = transfer.op,
                            .value = transfer.handle == handle ? 1 : 0});
    return true;
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

// ---------------------------------------------------------------------------------------------------------------------
// Flags, barriers, fences, caches

void CheckedCore::State::check_owned(CheckedCore& core, const Source& source, Pipe pipe) const {
  const bool is_cube = pipe == Pipe::kM || pipe == Pipe::kMte1 || pipe == Pipe::kFix;
  const bool is_vector = pipe == Pipe::kV || pipe == Pipe::kMte3;
  if ((is_cube && core.spec_.type == CoreType::kVector) || (is_vector && core.spec_.type == CoreType::kCube)) {
    core.machine_.note({.kind = FindingKind::kIllegal,
                        .accesses = {core.access(source, pipe, fmt::format("drains {}", name_of(pipe)))},
                        .missing_edge = fmt::format("a {} kernel owns no pipe {}: drain the pipes it uses, or PIPE_ALL",
                                                    is_cube ? "vector" : "cube", name_of(pipe))});
  }
}

void CheckedCore::State::check_internal_flags(CheckedCore& core, const Source& source, int tiles) {
  for (const auto& [from, to] : {std::pair{Pipe::kMte2, Pipe::kMte3}, std::pair{Pipe::kMte3, Pipe::kMte2}}) {
    for (int event = 0; event < tiles; ++event) {
      const auto found = flags.find({from, to, event});
      if (found != flags.end() && found->second.sets > found->second.waits) {
        core.machine_.note(
            {.kind = FindingKind::kFlag,
             .accesses = {core.access(found->second.last_set, from,
                                      fmt::format("sets flag {} -> {} id {}", name_of(from), name_of(to), event)),
                          core.access(source, to, "uses the same flag inside")},
             .missing_edge = "use another event id, or wait for the flag before the transfer"});
      }
    }
  }
}

void CheckedCore::State::warn_of_event_reuse(CheckedCore& core, const Source& source, Pipe from, Pipe to, int event) {
  for (const auto& [key, flag] : flags) {
    const auto& [other_from, other_to, other_event] = key;
    if (other_from == from && other_event == event && other_to != to && flag.sets > flag.waits) {
      core.machine_.note(
          {.kind = FindingKind::kFlag,
           .is_warning = true,
           .accesses = {core.access(flag.last_set, from,
                                    fmt::format("sets flag {} -> {} id {}", name_of(from), name_of(other_to), event)),
                        core.access(source, from,
                                    fmt::format("sets flag {} -> {} id {}", name_of(from), name_of(to), event))},
           .missing_edge = "some hardware tells events of one setting pipe apart by id alone: use another id"});
    }
  }
}

std::uint32_t CheckedCore::State::new_tokens(Trace& trace, std::size_t count) {
  const std::uint32_t first = trace.tokens;
  trace.tokens += static_cast<std::uint32_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    token_is_set[first + static_cast<std::uint32_t>(i)] = false;
  }
  return first;
}

std::uint32_t CheckedCore::State::token_of(Trace& trace, FlagState& flag, std::size_t number) {
  if (number == flag.tokens.size()) {
    flag.tokens.push_back(new_tokens(trace, 1));
  }
  return flag.tokens[number];
}

void CheckedCore::set_flag(const Source& source, Pipe from, Pipe to, int event) {
  State& state = *state_;
  state.step();
  state.note_progress();
  State::FlagState& flag = state.flags[{from, to, event}];
  if (flag.sets > flag.waits) {
    machine_.note(
        {.kind = FindingKind::kFlag,
         .accesses = {access(flag.last_set, from,
                             fmt::format("sets flag {} -> {} id {}", name_of(from), name_of(to), event)),
                      access(source, from, "sets it again while nothing has waited for it")},
         .missing_edge = fmt::format("wait_flag({}, {}, {}) between them", name_of(from), name_of(to), event)});
  }
  if (machine_.options_.model == Model::kParanoid) {
    state.warn_of_event_reuse(*this, source, from, to, event);
  }
  flag.last_set = source;
  const std::uint32_t token = state.token_of(*machine_.trace_, flag, flag.sets++);
  Op op{.pipe = from, .op_class = OpClass::kSetFlag, .token = token, .source = source};
  if (from == Pipe::kS) {
    state.run_on_scalar(*this, op, {}, {});
    state.token_is_set[token] = true;
  } else {
    state.enqueue(*this, op, {}, {});
  }
  state.after_issue(*this);
}

void CheckedCore::wait_flag(const Source& source, Pipe from, Pipe to, int event) {
  State& state = *state_;
  state.step();
  state.note_progress();
  State::FlagState& flag = state.flags[{from, to, event}];
  const std::uint32_t token = state.token_of(*machine_.trace_, flag, flag.waits++);
  Op op{.pipe = to, .op_class = OpClass::kWaitFlag, .token = token, .source = source};
  if (to != Pipe::kS) {
    state.enqueue(*this, op, {}, {});
    state.after_issue(*this);
    return;
  }
  if (!state.token_is_set[token]) {
    state.advance(*this);
    state.after_issue(*this);
  }
  if (!state.token_is_set[token]) {
    state.blocked = State::Blocked{State::Blocked::Kind::kPipe, source, {}, Compare::kEq, 0, from};
    machine_.scheduler_.park({}, [&state, token] { return state.token_is_set[token]; });
    state.blocked.reset();
  }
  state.run_on_scalar(*this, op, {}, {});
}

void CheckedCore::barrier(const Source& source, Pipe pipe) {
  State& state = *state_;
  state.step();
  state.note_progress();
  state.check_owned(*this, source, pipe);
  state.await_pipe(*this, pipe, source);
  machine_.trace_->events.push_back(
      {.kind = Event::Kind::kDrain, .pipe = pipe, .core = index_, .position = state.position});
}

void CheckedCore::fence(const Source& /*source*/) {
  State& state = *state_;
  state.step();
  state.note_progress();
  machine_.land_now(*this, [this](OpId op) { return machine_.trace_->ops[op].op_class != OpClass::kAsync; });
  machine_.trace_->events.push_back({.kind = Event::Kind::kFence, .core = index_, .position = state.position});
}

void CheckedCore::clean(const Source& /*source*/, const Range& range) {
  state_->step();
  machine_.trace_->events.push_back(
      {.kind = Event::Kind::kClean, .core = index_, .position = state_->position, .range = range});
}

void CheckedCore::clean_all(const Source& /*source*/) {
  state_->step();
  machine_.trace_->events.push_back({.kind = Event::Kind::kCleanAll, .core = index_, .position = state_->position});
}

// ---------------------------------------------------------------------------------------------------------------------
// Signals and scalar accesses

void CheckedCore::notify(const Source& source, Address word, SignalOp op, std::int32_t value) {
  State& state = *state_;
  const bool is_add = op == SignalOp::kAdd;
  machine_.scheduler_.park({{{word, kWordBytes}, is_add ? Touch::Kind::kAdd : Touch::Kind::kWrite}});
  state.step();
  state.note_progress();
  Trace& trace = *machine_.trace_;
  const std::uint32_t index = trace.word_at(word);
  const OpId id = state.run_on_scalar(
      *this, {.op_class = OpClass::kNotify, .touches_line = !is_add, .source = source},
      {{{word, kWordBytes}, is_add ? AccessKind::kAtomic : AccessKind::kWrite}}, {});
  trace.events.push_back({.kind = Event::Kind::kModify,
                          .signal_op = op,
                          .core = index_,
                          .position = state.position,
                          .op = id,
                          .word = index,
                          .value = value});
  const auto before = static_cast<std::uint32_t>(is_add ? value_at(word) : 0);
  set_value(word, static_cast<std::int32_t>(before + static_cast<std::uint32_t>(value)));
  machine_.scheduler_.something_changed();
}

void CheckedCore::State::satisfied(CheckedCore& core, const Source& source, const std::vector<Address>& words,
                                   Compare compare, std::int32_t value) {
  Trace& trace = *core.machine_.trace_;
  Wait wait{{}, compare, value, source};
  for (const Address word : words) {
    wait.words.push_back(trace.word_at(word));
  }
  trace.waits.push_back(std::move(wait));
  trace.events.push_back({.kind = Event::Kind::kWait,
                          .core = core.index_,
                          .position = position,
                          .op = static_cast<std::uint32_t>(trace.waits.size() - 1)});
  note_progress();
}

void CheckedCore::wait(const Source& source, std::vector<Address> words, Compare compare, std::int32_t value) {
  State& state = *state_;
  for (const Address word : words) {
    machine_.trace_->word_at(word);
  }
  state.blocked = State::Blocked{State::Blocked::Kind::kSignal, source, words, compare, value, Pipe::kS};
  machine_.scheduler_.park(reads_of(words), [&] { return all_hold(words, compare, value); });
  state.blocked.reset();
  state.step();
  state.satisfied(*this, source, words, compare, value);
}

bool CheckedCore::test(const Source& source, std::vector<Address> words, Compare compare, std::int32_t value) {
  State& state = *state_;
  std::vector<std::int32_t> seen;
  for (const Address word : words) {
    machine_.trace_->word_at(word);
  }
  // A loop of tests that comes round without having done anything else waits until one of its words changes.
  const bool comes_round = std::any_of(state.failed_tests.begin(), state.failed_tests.end(),
                                       [&](const State::FailedTest& t) { return t.source == source && t.words == words; });
  if (comes_round) {
    state.blocked = State::Blocked{State::Blocked::Kind::kSignal, source, words, compare, value, Pipe::kS};
  }
  machine_.scheduler_.park(reads_of(words), comes_round ? std::function<bool()>([&state] {
    return std::any_of(state.failed_tests.begin(), state.failed_tests.end(), [](const State::FailedTest& test) {
      for (std::size_t i = 0; i < test.words.size(); ++i) {
        if (value_at(test.words[i]) != test.seen[i]) {
          return true;
        }
      }
      return false;
    });
  })
                                                        : std::function<bool()>());
  state.blocked.reset();
  state.step();
  if (all_hold(words, compare, value)) {
    state.satisfied(*this, source, words, compare, value);
    return true;
  }
  if (comes_round) {
    state.note_progress();
  }
  seen.reserve(words.size());
  for (const Address word : words) {
    seen.push_back(value_at(word));
  }
  state.failed_tests.push_back({source, std::move(words), std::move(seen)});
  return false;
}

void CheckedCore::load(const Source& source, const Range& range) {
  state_->step();
  state_->run_on_scalar(*this, {.op_class = OpClass::kScalarLoad, .source = source}, {{range, AccessKind::kRead}}, {});
}

void CheckedCore::store(const Source& source, const Range& range) {
  state_->step();
  state_->note_progress();
  state_->run_on_scalar(*this, {.op_class = OpClass::kScalarStore, .touches_line = true, .source = source},
                        {{range, AccessKind::kWrite}}, {});
}

void CheckedCore::clear(const Source& source, const Range& range, std::int32_t value) {
  State& state = *state_;
  machine_.scheduler_.park({{range, Touch::Kind::kWrite}});
  state.step();
  state.note_progress();
  Trace& trace = *machine_.trace_;
  const OpId id =
      state.run_on_scalar(*this, {.op_class = OpClass::kClear, .source = source}, {{range, AccessKind::kWrite}}, {});
  for (Address word = range.begin; word + kWordBytes <= range.end(); word += kWordBytes) {
    const std::uint32_t index = trace.word_at(word);
    trace.events.push_back({.kind = Event::Kind::kModify,
                            .signal_op = SignalOp::kSet,
                            .core = index_,
                            .position = state.position,
                            .op = id,
                            .word = index,
                            .value = value});
    set_value(word, value);
  }
  machine_.scheduler_.something_changed();
}

void CheckedCore::poll(const Source& source, const Range& range, std::function<bool()> ended) {
  State& state = *state_;
  state.blocked = State::Blocked{State::Blocked::Kind::kPoll, source, {range.begin}, Compare::kNe, 0, Pipe::kS};
  machine_.scheduler_.park({{range, Touch::Kind::kRead}}, std::move(ended));
  state.blocked.reset();
  state.step();
  state.note_progress();
  state.run_on_scalar(*this, {.op_class = OpClass::kScalarWord, .source = source}, {{range, AccessKind::kRead}}, {});
}

void CheckedCore::State::check_flags_at_end(CheckedCore& core) {
  for (auto& [key, flag] : flags) {
    if (flag.sets > flag.waits) {
      const auto& [from, to, event] = key;
      core.machine_.note(
          {.kind = FindingKind::kFlag,
           .accesses = {core.access(flag.last_set, from,
                                    fmt::format("sets flag {} -> {} id {}", name_of(from), name_of(to), event))},
           .missing_edge = fmt::format("wait_flag({}, {}, {}) before the end of the kernel: nothing has waited for it",
                                       name_of(from), name_of(to), event)});
      flag.waits = flag.sets;
    }
  }
}

void CheckedCore::boundary(const Source& source) {
  State& state = *state_;
  state.step();
  state.note_progress();
  state.check_flags_at_end(*this);
  state.await_pipe(*this, Pipe::kAll, source);
  machine_.land_now(*this, [this](OpId op) { return machine_.trace_->ops[op].op_class != OpClass::kAsync; });
  machine_.trace_->events.push_back({.kind = Event::Kind::kBoundary, .core = index_, .position = state.position});
}

void CheckedCore::end(const Source& source) { boundary(source); }

// ---------------------------------------------------------------------------------------------------------------------
// The machine

struct Machine::Places {
  int places = 0;  ///< of a rank; 0: no limit
  bool in_order = false;
  struct Rank {
    std::deque<int> given_up;  ///< free places, each by the core that had it last or -1
    bool is_ready = false;     ///< `given_up` has been filled
    int next = 0;              ///< the task that starts next when they start in order
    int tasks = 0;
  };
  std::map<int, Rank> ranks;
};

Machine::Machine(const MachineOptions& options, Strategy& strategy)
    : options_(options),
      scheduler_(strategy, options.steps_max),
      trace_(std::make_unique<Trace>()),
      place_text_([](std::uint64_t place) { return fmt::format("place {:#x}", place); }),
      places_(std::make_unique<Places>()) {}
Machine::~Machine() = default;

CheckedCore& Machine::add_core(CoreSpec spec) {
  cores_.push_back(std::make_unique<CheckedCore>(*this, static_cast<int>(cores_.size()), std::move(spec)));
  return *cores_.back();
}

void Machine::limit_places(int places, bool in_order) {
  places_->places = places;
  places_->in_order = in_order;
}

void Machine::spawn(CoreSpec spec, std::function<void(CheckedCore&)> body) {
  CheckedCore& core = add_core(std::move(spec));
  const int rank = core.spec().rank;
  const int number = places_->ranks[rank].tasks++;
  scheduler_.spawn([this, &core, rank, number, body = std::move(body)] {
    if (places_->places != 0) {
      take_place(core, number);
    }
    body(core);
    core.end({});
    if (places_->places != 0) {
      places_->ranks[rank].given_up.push_back(core.index());
      scheduler_.something_changed();
    }
  });
}

void Machine::take_place(CheckedCore& core, int number) {
  Places::Rank& rank = places_->ranks[core.spec().rank];
  if (!rank.is_ready) {
    rank.given_up.assign(static_cast<std::size_t>(places_->places), -1);
    rank.is_ready = true;
  }
  CheckedCore::State& state = *core.state_;
  state.blocked = CheckedCore::State::Blocked{CheckedCore::State::Blocked::Kind::kPlace, {}, {}, {}, 0, Pipe::kS};
  // The places of a rank are one thing whose users do not commute; no memory lies at an address this low.
  const Range object{static_cast<Address>(core.spec().rank) + 1, 1};
  scheduler_.park({{object, Touch::Kind::kWrite}}, [this, &rank, number] {
    return !rank.given_up.empty() && (!places_->in_order || rank.next == number);
  });
  state.blocked.reset();
  state.step();
  ++rank.next;
  const int before = rank.given_up.front();
  rank.given_up.pop_front();
  trace_->events.push_back(
      {.kind = Event::Kind::kTakePlace, .core = core.index(), .position = state.position, .value = before});
  scheduler_.something_changed();
}

void Machine::note(Finding finding) { trace_->findings.push_back(std::move(finding)); }

ReportedAccess CheckedCore::access(const Source& source, Pipe pipe, std::string what) const {
  return {.rank = spec_.rank,
          .core = index_,
          .core_name = spec_.name,
          .pipe = pipe,
          .source = source,
          .place = machine_.place_of(source),
          .access = std::move(what)};
}

void CheckedCore::report_out_of_bounds(const Source& source, Pipe pipe, const std::string& region, std::string what) {
  machine_.note({.kind = FindingKind::kOutOfBounds,
                 .region = region,
                 .accesses = {access(source, pipe, std::move(what))},
                 .missing_edge = "nothing orders this: address memory of the region, in a window if it is a peer's"});
}

std::string Machine::region_name(Address address) const {
  const Region* const region = memory_.find(address);
  return region == nullptr ? "?" : region->name;
}

std::string Machine::text_of(const Range& range, int rank) const {
  const Region* const region = memory_.find(range.begin);
  if (region == nullptr) {
    return fmt::format("{} bytes at {:#x}", range.bytes, range.begin);
  }
  const std::string peer = region->rank == rank ? "" : fmt::format("@{}", region->rank);
  const std::uint64_t begin = range.begin - region->range.begin;
  const std::uint64_t cell = region->cell_bytes;
  const bool is_even = begin % cell == 0 && range.bytes % cell == 0;
  if (is_even && range.bytes == cell) {
    return fmt::format("{}{}[{}]", region->name, peer, begin / cell);
  }
  return is_even ? fmt::format("{}{}[{}:{}]", region->name, peer, begin / cell, (begin + range.bytes) / cell)
                 : fmt::format("{}{} bytes {}:{}", region->name, peer, begin, begin + range.bytes);
}

std::string Machine::place_of(const Source& source) const { return source.place == 0 ? "" : place_text_(source.place); }

ReportedAccess Machine::describe(int core, const Source& source, Pipe pipe, std::string what) const {
  return cores_[static_cast<std::size_t>(core)]->access(source, pipe, std::move(what));
}

RunResult Machine::run() { return finish(scheduler_.run()); }

RunResult Machine::finish(Scheduler::Outcome outcome) {
  RunResult result;
  result.outcome = outcome;
  for (const Finding& finding : trace_->findings) {
    result.findings.add(finding);
  }
  if (outcome == Scheduler::Outcome::kStuck) {
    result.findings.add(describe_deadlock());
  }
  Analysis analysis(*this, *trace_);
  analysis.run(result);
  return result;
}

}  // namespace tileput::check
