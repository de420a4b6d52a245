// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Who waits for whom when nobody can go on.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "check/core_state.hpp"
#include "check/machine.hpp"
#include "check/trace.hpp"

namespace tileput::check {

namespace {

using Blocked = CheckedCore::State::Blocked;

std::int32_t value_at(Address word) noexcept {
  std::int32_t value = 0;
  std::memcpy(&value, reinterpret_cast<const void*>(word), sizeof(value));
  return value;
}

}  // namespace

std::optional<ReportedAccess> Machine::waiting_side(const CheckedCore& core) const {
  const std::optional<Blocked>& blocked = core.state_->blocked;
  if (!blocked) {
    return std::nullopt;
  }
  std::string text;
  switch (blocked->kind) {
    case Blocked::Kind::kSignal:
      for (const Address word : blocked->words) {
        if (!holds(value_at(word), blocked->compare, blocked->value)) {
          text = fmt::format("waits for {} {} {}, sees {}", text_of({word, 4}, core.spec().rank),
                             check::name_of(blocked->compare), blocked->value, value_at(word));
          break;
        }
      }
      break;
    case Blocked::Kind::kPoll:
      text = fmt::format("polls {}", text_of({blocked->words.front(), 4}, core.spec().rank));
      break;
    case Blocked::Kind::kPipe: text = fmt::format("waits for pipe {}", check::name_of(blocked->pipe)); break;
    case Blocked::Kind::kPlace: text = "waits for a place to run in"; break;
  }
  // What a pipe waits for says more than that it does.
  Source source = blocked->source;
  if (blocked->kind == Blocked::Kind::kPipe) {
    for (const CheckedCore::State::Pipeline& pipeline : core.state_->pipes) {
      if (!pipeline.queue.empty() && trace_->ops[pipeline.queue.front().op].op_class == OpClass::kWaitFlag) {
        const Op& op = trace_->ops[pipeline.queue.front().op];
        source = op.source;
        text = fmt::format("pipe {} waits for a flag that nobody sets", check::name_of(op.pipe));
        break;
      }
    }
  }
  return core.access(source, blocked->pipe, std::move(text));
}

std::vector<int> Machine::expected_notifiers(const CheckedCore& core) const {
  const std::optional<Blocked>& blocked = core.state_->blocked;
  std::set<int> cores;
  if (!blocked || (blocked->kind != Blocked::Kind::kSignal && blocked->kind != Blocked::Kind::kPoll)) {
    return {};
  }
  for (const Address word : blocked->words) {
    if (future_notifiers_) {
      for (const int notifier : future_notifiers_(word)) {
        cores.insert(notifier);
      }
      continue;
    }
    const auto index = trace_->word_index.find(word);
    for (const Event& event : trace_->events) {
      if (index != trace_->word_index.end() && event.kind == Event::Kind::kModify && event.word == index->second) {
        cores.insert(event.core);
      }
    }
  }
  return {cores.begin(), cores.end()};
}

Finding Machine::describe_deadlock() const {
  Finding finding;
  finding.kind = FindingKind::kDeadlock;
  std::vector<int> next(cores_.size(), -1);  // the core that each blocked one waits for
  std::vector<bool> is_blocked(cores_.size());
  for (const auto& core : cores_) {
    if (std::optional<ReportedAccess> side = waiting_side(*core)) {
      is_blocked[static_cast<std::size_t>(core->index())] = true;
      finding.accesses.push_back(*std::move(side));
    }
  }
  std::string orphan;
  for (const auto& core : cores_) {
    if (!is_blocked[static_cast<std::size_t>(core->index())]) {
      continue;
    }
    for (const int notifier : expected_notifiers(*core)) {
      if (notifier != core->index() && is_blocked[static_cast<std::size_t>(notifier)]) {
        next[static_cast<std::size_t>(core->index())] = notifier;
        break;
      }
    }
    if (next[static_cast<std::size_t>(core->index())] < 0 && orphan.empty()) {
      orphan = core->spec().name;
    }
  }
  // Following `next` from any core ends in a cycle or at a core nobody will notify.
  for (std::size_t start = 0; start < next.size(); ++start) {
    std::vector<int> path;
    for (int at = static_cast<int>(start); at >= 0; at = next[static_cast<std::size_t>(at)]) {
      const auto again = std::find(path.begin(), path.end(), at);
      if (again == path.end()) {
        path.push_back(at);
        continue;
      }
      std::vector<std::string> names;
      for (auto step = again; step != path.end(); ++step) {
        names.push_back(cores_[static_cast<std::size_t>(*step)]->spec().name);
      }
      names.push_back(names.front());
      finding.missing_edge = fmt::format("a cycle: {}", fmt::join(names, " waits for "));
      return finding;
    }
  }
  finding.missing_edge = orphan.empty()
                             ? "nobody can take a step"
                             : fmt::format("what {} waits for never comes: nobody that still runs would do it", orphan);
  return finding;
}

}  // namespace tileput::check
