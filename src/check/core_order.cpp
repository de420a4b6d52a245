// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What orders the pipes of a core: flags, barriers, fences, the cache, the end of a task.

#include <fmt/format.h>

#include <utility>

#include "check/core_state.hpp"

namespace tileput::check {

void CheckedCore::State::check_owned(CheckedCore& core, const Source& source, Pipe pipe) const {
  const bool is_cube = pipe == Pipe::kM || pipe == Pipe::kMte1 || pipe == Pipe::kFix;
  if ((is_cube && core.spec_.type == CoreType::kVector) || (pipe == Pipe::kV && core.spec_.type == CoreType::kCube)) {
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

void CheckedCore::State::check_flags_at_end(CheckedCore& core) {
  for (const auto& [key, flag] : flags) {
    if (flag.sets > flag.waits) {
      const auto& [from, to, event] = key;
      core.machine_.note(
          {.kind = FindingKind::kFlag,
           .accesses = {core.access(flag.last_set, from,
                                    fmt::format("sets flag {} -> {} id {}", name_of(from), name_of(to), event))},
           .missing_edge = fmt::format("wait_flag({}, {}, {}) before the end of the kernel: nothing has waited for it",
                                       name_of(from), name_of(to), event)});
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

}  // namespace tileput::check
