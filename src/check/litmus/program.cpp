// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/litmus/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace tileput::check::litmus {

namespace {

void set_initials(const Listing& listing, const Declarations& declarations, Storage& storage) {
  using Limits = std::numeric_limits<std::int32_t>;
  for (const Initial* const initial : declarations.initials) {
    const Operand& target = initial->target;
    if (target.peer) {
      fail_at(listing.file, target.name.position, "'init' is of every rank", "expected R=v, without @");
    }
    const int region = declarations.find(target.name.text);
    const std::int64_t cells = declarations.regions[static_cast<std::size_t>(region)].cells;
    for (int rank = 0; rank < declarations.ranks; ++rank) {
      const Environment environment{listing.file, rank, declarations.ranks, true};
      const std::int64_t value = initial->value.evaluate_within(environment, Limits::min(), Limits::max(), "the value");
      const std::int64_t begin =
          target.begin ? target.begin->evaluate_within(environment, 0, cells - 1, "the index") : 0;
      const std::int64_t end = target.end     ? target.end->evaluate_within(environment, begin, cells, "the index")
                               : target.begin ? begin + 1
                                              : cells;
      Range range = storage.region(rank, region);
      range.begin += static_cast<Address>(begin * kCellBytes);
      range.bytes = static_cast<std::uint64_t>((end - begin) * kCellBytes);
      storage.set_initial(range, static_cast<std::int32_t>(value));
    }
  }
}

}  // namespace

Program::Program(const Listing& listing, Variant variant)
    : declarations_(declarations_of(listing, variant)),
      agents_(agents_of(listing, variant, declarations_)),
      storage_(declarations_) {
  std::vector<Compiler> compilers;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    compilers.emplace_back(listing.file, declarations_, agents_[i], static_cast<int>(i), storage_);
    compilers.back().reserve_tiles();
  }
  storage_.allocate();
  set_initials(listing, declarations_, storage_);
  for (Compiler& compiler : compilers) {
    code_.push_back({compiler.compile()});
  }
}

RunResult Program::run(Strategy& strategy, const MachineOptions& options) {
  storage_.reset();
  strategy.begin_run();
  Machine machine(options, strategy);
  storage_.map(machine.memory(), agents_);
  machine.set_place_text([](std::uint64_t place) { return fmt::format("line {}", place); });
  machine.set_future_notifiers([this](Address word) { return future_notifiers(word); });
  if (declarations_.places != 0) {
    machine.limit_places(declarations_.places, declarations_.in_order);
  }
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    code_[i].next = 0;
    machine.spawn(agents_[i].spec, [&code = code_[i]](CheckedCore& core) {
      for (code.next = 0; code.next < code.steps.size(); ++code.next) {
        code.steps[code.next].run(core);
      }
    });
  }
  RunResult result = machine.run();
  strategy.end_run(machine.scheduler().actors());
  return result;
}

std::vector<int> Program::future_notifiers(Address word) const {
  std::vector<int> out;
  for (std::size_t i = 0; i < code_.size(); ++i) {
    const Code& code = code_[i];
    const auto first = code.steps.begin() + static_cast<std::ptrdiff_t>(code.next);
    if (std::any_of(first, code.steps.end(), [&](const Step& step) { return step.notified == word; })) {
      out.push_back(static_cast<int>(i));  // cores are numbered in the order they are spawned
    }
  }
  return out;
}

}  // namespace tileput::check::litmus
