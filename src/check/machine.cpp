// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/machine.hpp"

#include <fmt/format.h>

#include <deque>
#include <map>
#include <utility>

#include "check/analysis.hpp"
#include "check/core_state.hpp"

namespace tileput::check {

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

Machine::Moment Machine::now() const noexcept {
  return {static_cast<std::size_t>(memory_.size()), trace_->events.size(), trace_->accesses.size(),
          trace_->words.size()};
}

void Machine::retire(const Range& memory, const Moment& since) {
  const Address moved = next_retired_;
  next_retired_ += memory.bytes + kLineBytes - memory.bytes % kLineBytes;  // a line at least between one and the next
  const auto is_there = [&memory](Address address) { return address >= memory.begin && address < memory.end(); };
  const auto place_of = [&](Address address) { return moved + (address - memory.begin); };
  for (auto index = static_cast<int>(since.regions); index < memory_.size(); ++index) {
    if (const Address begin = memory_.at(index).range.begin; is_there(begin)) {
      memory_.move(index, place_of(begin));
    }
  }
  for (std::size_t i = since.events; i < trace_->events.size(); ++i) {
    if (Event& event = trace_->events[i]; event.kind == Event::Kind::kClean && is_there(event.range.begin)) {
      event.range.begin = place_of(event.range.begin);
    }
  }
  for (std::size_t i = since.accesses; i < trace_->accesses.size(); ++i) {
    if (Range& range = trace_->accesses[i].range; is_there(range.begin)) {
      range.begin = place_of(range.begin);
    }
  }
  for (std::size_t i = since.words; i < trace_->words.size(); ++i) {
    if (SignalWord& word = trace_->words[i]; is_there(word.address)) {
      trace_->word_index.erase(word.address);
      word.address = place_of(word.address);
      trace_->word_index[word.address] = static_cast<std::uint32_t>(i);
    }
  }
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
