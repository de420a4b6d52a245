// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/task_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace tileput::orchestration {

TaskMemory::TaskMemory(BlockTeam& team, bool observe) : team_(team), observe_(observe) { team_.attach(this, observe_); }

TaskMemory::~TaskMemory() { team_.attach(nullptr, false); }

void TaskMemory::add(const void* begin, std::uint64_t bytes, std::uint64_t index, std::uint64_t domain) {
  if (bytes != 0) {
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    ranges_.push_back({{address, address + bytes}, domain != 0 ? Kind::kWindow : Kind::kArgument, index, domain});
  }
}

void TaskMemory::add_output(const void* begin, std::uint64_t bytes, std::uint64_t index, std::uint64_t task) {
  if (bytes != 0) {
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    ranges_.push_back({{address, address + bytes}, Kind::kOutput, index, task});
  }
}

void TaskMemory::remove_output(const void* begin) {
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const auto found = std::find_if(ranges_.rbegin(), ranges_.rend(), [address](const Named& named) {
    return named.kind == Kind::kOutput && named.range.begin == address;
  });
  if (found != ranges_.rend()) {
    ranges_.erase(std::next(found).base());
    team_.attach(this, observe_);  // cores forget the ranges that they found last
  }
}

std::string TaskMemory::Named::name() const {
  switch (kind) {
    case Kind::kWindow: return fmt::format("the window of rank {} in domain {}", index, of);
    case Kind::kOutput: return fmt::format("output {} of task {}", index, of);
    case Kind::kArgument: break;
  }
  return fmt::format("tensor argument {}", index);
}

std::optional<machine::KnownRange> TaskMemory::find(std::uintptr_t address) const {
  // Tensors may lie in each other: the range that reaches furthest.
  const machine::KnownRange* best = nullptr;
  for (const Named& named : ranges_) {
    const machine::KnownRange& range = named.range;
    if (address >= range.begin && address < range.end && (best == nullptr || range.end > best->end)) {
      best = &range;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

std::string TaskMemory::describe(std::uintptr_t address) const {
  constexpr std::uintptr_t kNullPage = 4096;
  if (address < kNullPage) {
    return "a null pointer; windowsIn holds 0 from rankNum on";
  }
  std::uint64_t least = std::uint64_t{1} << 30U;
  std::string text = "nothing that the task knows is near";
  for (const Named& named : ranges_) {
    if (address >= named.range.begin && address < named.range.end) {
      return fmt::format("they begin at byte {} of {}, which has {}", address - named.range.begin, named.name(),
                         named.range.end - named.range.begin);
    }
    if (address >= named.range.end && address - named.range.end < least) {
      least = address - named.range.end;
      text = least == 0 ? fmt::format("{} ends there", named.name())
                        : fmt::format("{} ends {} bytes before that", named.name(), least);
    }
    if (address < named.range.begin && named.range.begin - address < least) {
      least = named.range.begin - address;
      text = fmt::format("{} begins {} bytes after that", named.name(), least);
    }
  }
  return text;
}

}  // namespace tileput::orchestration
