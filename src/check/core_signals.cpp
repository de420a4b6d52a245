// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What the scalar unit of a core does to memory: signals, and accesses through and past the data cache.

#include <algorithm>
#include <cstring>
#include <utility>

#include "check/core_state.hpp"

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

void CheckedCore::notify(const Source& source, Address word, SignalOp op, std::int32_t value) {
  State& state = *state_;
  const bool is_add = op == SignalOp::kAdd;
  machine_.scheduler_.park({{{word, kWordBytes}, is_add ? Touch::Kind::kAdd : Touch::Kind::kWrite}});
  state.step();
  state.note_progress();
  Trace& trace = *machine_.trace_;
  const std::uint32_t index = trace.word_at(word);
  const OpId id = state.run_on_scalar(*this, {.op_class = OpClass::kNotify, .touches_line = !is_add, .source = source},
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
  const bool comes_round =
      std::any_of(state.failed_tests.begin(), state.failed_tests.end(),
                  [&](const State::FailedTest& t) { return t.source == source && t.words == words; });
  if (comes_round) {
    state.blocked = State::Blocked{State::Blocked::Kind::kSignal, source, words, compare, value, Pipe::kS};
  }
  machine_.scheduler_.park(reads_of(words), comes_round ? std::function<bool()>([&state] {
                             return std::any_of(state.failed_tests.begin(), state.failed_tests.end(),
                                                [](const State::FailedTest& test) {
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

}  // namespace tileput::check
