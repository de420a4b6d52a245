// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/checked_platform.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <limits>

#include "base/fiber.hpp"
#include "orchestration/output_buffers.hpp"
#include "tileput/error.hpp"

namespace tileput::orchestration {

namespace {

using check::Scheduler;

constexpr const char* kSpaceNames[machine::kOnChipSpaces] = {"Vec", "Mat", "Left", "Right", "Acc"};
constexpr std::uint32_t kOffsetBits = 40;  // of a place: below it the offset in an object, above it the file

check::Model model_of(MemoryModel model) noexcept {
  switch (model) {
    case MemoryModel::kHardware: break;
    case MemoryModel::kParanoid: return check::Model::kParanoid;
    case MemoryModel::kCoherent: return check::Model::kCoherent;
  }
  return check::Model::kHardware;
}

CheckFinding public_form(const check::Finding& finding) {
  check::Finding once = finding;
  once.count = 1;  // the text is the same however often it happened
  CheckFinding made;
  made.kind = check::name_of(finding.kind);
  made.region = finding.region;
  made.text = check::describe(once);
  made.is_warning = finding.is_warning;
  made.count = finding.count;
  std::vector<std::string> places;
  for (const check::ReportedAccess& access : finding.accesses) {
    places.push_back(access.source.instruction + (access.place.empty() ? "" : " " + access.place));
  }
  std::sort(places.begin(), places.end());  // which access comes first differs between schedules
  made.place = fmt::format("{}", fmt::join(places, " / "));
  return made;
}

}  // namespace

/// One core of the machine for one block of a rank.
class CheckedPlatform::Lane final : public machine::Observer {
 public:
  Lane(CheckedPlatform& platform, check::CheckedCore& core, const machine::Core& kernel_core)
      : platform_(platform), core_(core), observer_(*platform.machine_, core, kernel_core) {}

  /// With the place of an instruction instead of its address, which differs between ranks and between runs.
  bool on_instruction(const machine::Instruction& instruction) override {
    machine::Instruction placed = instruction;
    placed.site = reinterpret_cast<const void*>(platform_.place_of(instruction.site));
    return observer_.on_instruction(placed);
  }

  [[nodiscard]] check::CheckedCore& core() noexcept { return core_; }
  [[nodiscard]] check::Address word() const noexcept { return reinterpret_cast<check::Address>(&word_); }
  [[nodiscard]] std::int32_t ended() const noexcept { return ended_; }
  /// Whoever waits for one more from now on comes after everything that this core has done.
  void note_end() {
    core_.notify({0, "the end of a task"}, word(), check::SignalOp::kAdd, 1);
    ++ended_;
  }

  std::int32_t answered = 0;                    ///< of ended(): those whose answer the worker has
  std::map<const Lane*, std::int32_t> learned;  ///< of others: what this core has waited for

 private:
  CheckedPlatform& platform_;
  check::CheckedCore& core_;
  check::KernelObserver observer_;
  std::int32_t ended_ = 0;
  alignas(check::kLineBytes) std::int32_t word_ = 0;  // the same, as the machine changes it
  [[maybe_unused]] char rest_of_line_[check::kLineBytes - sizeof(std::int32_t)] = {};
};

CheckedPlatform::Rank& CheckedPlatform::at(int rank) { return ranks_[rank]; }

CheckedPlatform::CheckedPlatform(const CheckOptions& options) : options_(options), seed_(options.seed) {
  restart(false);
}

CheckedPlatform::~CheckedPlatform() { stop(); }

void CheckedPlatform::stop() noexcept {
  ends_ = true;
  machine_.reset();
  ranks_.clear();
  outputs_.clear();
  ends_ = false;
}

void CheckedPlatform::restart(bool is_next_run) {
  stop();
  if (is_next_run) {
    seed_ = is_first_run_ ? options_.seed : seed_ + 1;
    is_first_run_ = false;
  }
  report_ = {};
  report_.seed = seed_;
  is_finished_ = false;
  failure_.reset();
  taken_.clear();
  domains_ = 0;
  explorer_ = check::make_explorer({.mode = check::ExploreOptions::Mode::kRandom, .seed = seed_, .schedules = 1});
  explorer_->begin_run();
  machine_ = std::make_unique<check::Machine>(
      check::MachineOptions{
          .model = model_of(options_.memory_model), .delay_effects = true, .steps_max = options_.steps_max},
      *explorer_);
  machine_->set_place_text([this](std::uint64_t place) { return text_of(place); });
}

void CheckedPlatform::advance() {
  machine_->scheduler().something_changed();
  if (machine_->scheduler().run() == Scheduler::Outcome::kTooLong) {
    analyse(Scheduler::Outcome::kTooLong);
    throw Error(ErrorCode::kNoProgress, fmt::format("the run is not complete after {} steps", options_.steps_max),
                "look for a loop that never ends, or raise CheckOptions::steps_max");
  }
}

void CheckedPlatform::fail_stuck() {
  if (failure_) {
    throw Error(*failure_);
  }
  analyse(Scheduler::Outcome::kStuck);
  std::string text = "nobody can go on";
  for (const CheckFinding& finding : report_.findings) {
    if (finding.kind == check::name_of(check::FindingKind::kDeadlock)) {
      text = finding.text;
    }
  }
  throw Error(ErrorCode::kNoProgress, fmt::format("the run cannot go on (seed {}):\n{}\n", seed_, text),
              "send the notify that is missing, or wait for one that is sent");
}

const CheckReport& CheckedPlatform::finish() {
  analyse(Scheduler::Outcome::kEnded);
  return report_;
}

void CheckedPlatform::analyse(Scheduler::Outcome outcome) {
  if (is_finished_) {
    return;
  }
  is_finished_ = true;
  const check::RunResult result = machine_->finish(outcome);
  report_.event_hash = result.event_hash;
  report_.events = result.events;
  report_.shadow_bytes = result.shadow_bytes;
  for (const check::Finding& finding : result.findings.all()) {
    report_.findings.push_back(public_form(finding));
  }
}

void CheckedPlatform::add_region(const check::Region& region) {
  // What lies in a region already keeps that one's name.
  check::Address begin = region.range.begin;
  while (begin < region.range.end()) {
    if (const check::Region* const there = machine_->memory().find(begin); there != nullptr) {
      begin = there->range.end();
      continue;
    }
    check::Address end = region.range.end();
    for (int i = 0; i < machine_->memory().size(); ++i) {
      const check::Address other = machine_->memory().at(i).range.begin;
      end = other > begin ? std::min(end, other) : end;
    }
    check::Region part = region;
    part.range = {begin, end - begin};
    machine_->memory().add(part);
    begin = end;
  }
}

void CheckedPlatform::take_memory(const void* begin, std::uint64_t bytes) {
  taken_[reinterpret_cast<check::Address>(begin)] = {bytes, machine_->now()};
}

void CheckedPlatform::give_back_memory(const void* begin) {
  const auto taken = taken_.find(reinterpret_cast<check::Address>(begin));
  if (taken == taken_.end() || is_finished_) {
    return;
  }
  machine_->retire({taken->first, taken->second.bytes}, taken->second.since);
  taken_.erase(taken);
}

void CheckedPlatform::describe_domain(const JobDescription::Domain& described, std::uintptr_t heap_base,
                                      std::uint32_t heap_shift) {
  const std::string suffix = domains_ == 0 ? "" : fmt::format(".{}", domains_);  // of further domains of the run
  ++domains_;
  for (std::size_t member = 0; member < described.ranks.size(); ++member) {
    const int rank = described.ranks[member];
    const check::Address window =
        heap_base + (static_cast<std::uintptr_t>(rank) << heap_shift) + described.windows[member];
    take_memory(reinterpret_cast<const void*>(window), described.window_bytes);
    for (const JobDescription::Buffer& buffer : described.buffers) {
      add_region({.name = buffer.name + suffix, .range = {window + buffer.offset, buffer.bytes}, .rank = rank});
    }
    add_region({.name = "window" + suffix, .range = {window, described.window_bytes}, .rank = rank});
  }
}

void CheckedPlatform::describe_tensor(int rank, std::size_t index, std::uintptr_t address, std::uint64_t bytes,
                                      std::size_t element_bytes) {
  // As a window: the memory may be an argument of other ranks, too. A task that names none of it cannot address it.
  add_region({.name = fmt::format("arg{}", index),
              .range = {address, bytes},
              .rank = rank,
              .cell_bytes = static_cast<std::uint32_t>(element_bytes)});
}

CheckedPlatform::Order CheckedPlatform::answered_by(int rank) const {
  Order order;
  const auto state = ranks_.find(rank);
  if (state == ranks_.end()) {
    return order;
  }
  for (const auto& [key, lane] : state->second.lanes) {
    order.emplace_back(lane.get(), lane->answered);
  }
  for (const std::unique_ptr<Lane>& lane : state->second.completions) {
    order.emplace_back(lane.get(), lane->answered);
  }
  return order;
}

CheckedPlatform::Order CheckedPlatform::answered() const {
  Order order;
  for (const auto& [rank, state] : ranks_) {
    const Order of_rank = answered_by(rank);
    order.insert(order.end(), of_rank.begin(), of_rank.end());
  }
  return order;
}

void CheckedPlatform::note_sent(int rank, Order before) { at(rank).sent.push_back(std::move(before)); }

void CheckedPlatform::wait_until(std::function<bool()> condition) {
  if (ends_) {
    base::Fiber::suspend();  // which unwinds: somebody caught what it threw the last time
  }
  machine_->scheduler().park({}, std::move(condition));
}

void CheckedPlatform::spawn(std::function<void()> body) {
  machine_->scheduler().spawn([this, body = std::move(body)] {
    body();
    if (!ends_) {
      machine_->scheduler().something_changed();
    }
  });
}

void CheckedPlatform::note_failure(const Error& error) {
  if (!ends_ && !failure_) {
    failure_ = error;
  }
}

void CheckedPlatform::add_object(const LoadedObject& object) {
  const auto first = objects_.upper_bound(object.begin);
  auto last = first;
  while (last != objects_.end() && last->second.begin < object.end) {
    ++last;  // what was unloaded here
  }
  objects_.erase(first, last);
  const auto file = std::find(files_.begin(), files_.end(), object.file);
  objects_[object.end] = {object.begin, static_cast<std::uint64_t>(file - files_.begin())};
  if (file == files_.end()) {
    files_.push_back(object.file);
  }
}

std::uint64_t CheckedPlatform::place_of(const void* site) const noexcept {
  const auto address = reinterpret_cast<std::uint64_t>(site);
  const auto object = objects_.upper_bound(address);
  return object == objects_.end() || address < object->second.begin
             ? 0
             : ((object->second.file + 1) << kOffsetBits) + (address - object->second.begin);
}

std::string CheckedPlatform::text_of(std::uint64_t place) {
  const auto [known, is_new] = texts_.try_emplace(place);
  if (is_new) {
    const std::uint64_t offset = place & ((std::uint64_t{1} << kOffsetBits) - 1);
    const std::string& file = files_[(place >> kOffsetBits) - 1];
    known->second = lines_.find(file, offset);
    if (known->second.empty()) {
      known->second = fmt::format("{}+{:#x}", std::filesystem::path(file).filename().string(), offset);
    }
  }
  return known->second;
}

void CheckedPlatform::begin_task(int rank) {
  Rank& state = at(rank);
  state.before_task = std::move(state.sent.front());
  state.sent.pop_front();
}

void CheckedPlatform::end_task(int rank) {
  for (const auto& [key, lane] : at(rank).lanes) {
    lane->answered = lane->ended();
  }
}

void CheckedPlatform::begin_kernel(int rank) {
  Rank& state = at(rank);
  state.before_kernel = state.before_task;
  for (const auto& [key, lane] : state.lanes) {
    if (lane->ended() != 0) {
      state.before_kernel.emplace_back(lane.get(), lane->ended());
    }
  }
}

CheckedPlatform::Lane& CheckedPlatform::lane_of(int rank, bool is_cube, machine::Core& core) {
  std::unique_ptr<Lane>& lane = at(rank).lanes[{core.block_index, is_cube}];
  if (lane == nullptr) {
    std::string name = fmt::format("rank {}", rank);
    if (core.block_index != 0) {
      name += fmt::format(" block {}", core.block_index);
    }
    for (int space = 0; space < machine::kOnChipSpaces; ++space) {
      const machine::OnChip& memory = core.on_chip[space];
      add_region({.name = kSpaceNames[space],
                  .range = {reinterpret_cast<check::Address>(memory.base), memory.capacity_bytes},
                  .memory = check::Memory::kOnChip,
                  .rank = rank});
    }
    const check::CoreType type = is_cube ? check::CoreType::kCube : check::CoreType::kVector;
    lane = std::make_unique<Lane>(*this, machine_->add_core({rank, std::move(name), type}), core);
    add_region({.name = "the order of tasks", .range = {lane->word(), check::kLineBytes}, .rank = rank});
  }
  return *lane;
}

void CheckedPlatform::wait_for(Lane& lane, const Order& before) {
  for (const auto& [other, ended] : before) {
    std::int32_t& learned = lane.learned[other];
    if (other != &lane && learned < ended) {
      learned = ended;
      lane.core().wait({0, "the start of a task"}, {other->word()}, check::Compare::kGe, ended);
    }
  }
}

void CheckedPlatform::run_kernel(int rank, bool is_cube, machine::Core& core, const std::function<void()>& kernel) {
  Lane& lane = lane_of(rank, is_cube, core);
  const Order before = at(rank).before_kernel;
  lane.core().boundary({0, "the start of a task"});
  wait_for(lane, before);
  struct Observed {
    machine::Core& core;
    Observed(machine::Core& of, machine::Observer& observer) noexcept : core(of) { core.observer = &observer; }
    ~Observed() { core.observer = nullptr; }
    Observed(const Observed&) = delete;
    Observed& operator=(const Observed&) = delete;
  };
  {
    const Observed observed(core, lane);
    kernel();
  }
  lane.core().end({0, "the end of a task"});
  lane.note_end();
}

void CheckedPlatform::await(Lane& lane, const CompletionCondition& condition) {
  const check::Source source{place_of(condition.site), "register_completion_condition"};
  const auto wait = [&](check::Compare compare, std::int32_t value) {
    lane.core().wait(source, {reinterpret_cast<check::Address>(condition.counter)}, compare, value);
  };
  // The machine compares signed numbers: those from 2^31 on are the negative ones.
  const bool is_large = condition.expected > static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max());
  const bool is_past = !is_large && __atomic_load_n(condition.counter, __ATOMIC_RELAXED) < 0;  // nobody changes it now
  if (is_large || is_past) {
    wait(check::Compare::kLt, 0);
  }
  if (!is_past) {
    wait(check::Compare::kGe, static_cast<std::int32_t>(condition.expected));
  }
}

void CheckedPlatform::await_counter(int rank, machine::Core& core, const CompletionCondition& condition) {
  const Rank& state = at(rank);
  Lane& lane = lane_of(rank, !state.lanes.contains({core.block_index, false}), core);
  await(lane, condition);
  lane.note_end();
}

CheckedPlatform::Lane& CheckedPlatform::completion_lane(int rank, machine::Core& core) {
  Rank& state = at(rank);
  if (state.free_completions.empty()) {
    const std::size_t number = state.completions.size() + 1;
    std::string name = fmt::format("rank {} completion{}", rank, number == 1 ? "" : fmt::format(" {}", number));
    state.completions.push_back(
        std::make_unique<Lane>(*this, machine_->add_core({rank, std::move(name), check::CoreType::kVector}), core));
    Lane& made = *state.completions.back();
    add_region({.name = "the order of tasks", .range = {made.word(), check::kLineBytes}, .rank = rank});
    return made;
  }
  Lane* const lane = state.free_completions.back();
  state.free_completions.pop_back();
  return *lane;
}

void CheckedPlatform::watch_counters(int rank, machine::Core& core, std::vector<CompletionCondition> conditions,
                                     std::function<void()> complete) {
  Lane& lane = completion_lane(rank, core);
  Order before;
  for (const auto& [key, other] : at(rank).lanes) {
    before.emplace_back(other.get(), other->ended());
  }
  spawn([this, rank, &lane, before = std::move(before), conditions = std::move(conditions),
         complete = std::move(complete)] {
    wait_for(lane, before);
    for (const CompletionCondition& condition : conditions) {
      await(lane, condition);
    }
    lane.note_end();
    lane.answered = lane.ended();
    at(rank).free_completions.push_back(&lane);
    complete();
  });
}

std::shared_ptr<std::byte> CheckedPlatform::take_output(int rank, const std::string& name, std::uint64_t bytes,
                                                        std::uint32_t element_bytes) {
  for (const Output& output : outputs_) {
    if (output.memory.use_count() == 1 && output.rank == rank && output.bytes == bytes &&
        output.element_bytes == element_bytes && output.name == name) {
      std::memset(output.memory.get(), 0xcd, bytes);  // in a call of its own it would be fresh
      return output.memory;
    }
  }
  outputs_.push_back({rank, name, bytes, element_bytes, allocate_output(bytes, name)});
  std::memset(outputs_.back().memory.get(), 0xcd, bytes);
  add_region({.name = name,
              .range = {reinterpret_cast<check::Address>(outputs_.back().memory.get()), bytes},
              .memory = check::Memory::kPrivate,
              .rank = rank,
              .cell_bytes = element_bytes});
  return outputs_.back().memory;
}

void CheckedPlatform::access_from_host(int rank, machine::Core& core, std::uintptr_t address, std::uint64_t bytes,
                                       bool writes, const void* site, const std::function<void()>& access) {
  begin_kernel(rank);
  const Rank& state = at(rank);
  const Order before = state.before_kernel;
  const bool only_cube =
      state.lanes.contains({core.block_index, true}) && !state.lanes.contains({core.block_index, false});
  Lane& lane = lane_of(rank, only_cube, core);
  const check::Source source{place_of(site), writes ? "set_tensor_data" : "get_tensor_data"};
  const check::Range range{address, bytes};
  lane.core().boundary({0, "the start of a task"});
  wait_for(lane, before);
  lane.core().clean(source, range);  // no copy in a cache is older than what came before
  if (writes) {
    lane.core().store(source, range);
    access();
    lane.core().clean(source, range);
    lane.core().fence(source);
  } else {
    lane.core().load(source, range);
    access();
  }
  lane.core().end({0, "the end of a task"});
  lane.note_end();
}

}  // namespace tileput::orchestration
