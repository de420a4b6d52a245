// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/task_memory.hpp"

#include <fmt/format.h>

namespace tileput::orchestration {

TaskMemory::TaskMemory(BlockTeam& team, bool observe) : team_(team) { team_.attach(this, observe); }

TaskMemory::~TaskMemory() { team_.attach(nullptr, false); }

void TaskMemory::add(const void* begin, std::uint64_t bytes, std::uint64_t index, std::uint64_t domain) {
  if (bytes != 0) {
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    ranges_.push_back({{address, address + bytes}, index, domain});
  }
}

std::string TaskMemory::Named::name() const {
  return domain != 0 ? fmt::format("the window of rank {} in domain {}", index, domain)
                     : fmt::format("tensor argument {}", index);
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
