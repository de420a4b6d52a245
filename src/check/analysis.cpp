// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/analysis.hpp"

#include <algorithm>
#include <map>

#include "check/race_search.hpp"

namespace tileput::check {

namespace {

/// FNV-1a over 64-bit values.
class Hash {
 public:
  void add(std::uint64_t value) noexcept {
    for (int i = 0; i < 8; ++i) {
      hash_ = (hash_ ^ (value & 0xffU)) * 0x100000001b3U;
      value >>= 8U;
    }
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace

std::uint64_t Analysis::hash() const {
  Hash hash;
  const auto add_place = [&](const Range& range) {
    const Region* const region = machine_.region_at(range.begin);
    hash.add(region == nullptr ? ~std::uint64_t{0} : static_cast<std::uint64_t>(machine_.memory_index(*region)));
    hash.add(region == nullptr ? 0 : range.begin - region->range.begin);
    hash.add(range.bytes);
  };
  for (const Event& event : trace_.events) {
    hash.add(static_cast<std::uint64_t>(event.kind));
    hash.add(static_cast<std::uint64_t>(event.core));
    hash.add(event.position);
    hash.add(static_cast<std::uint64_t>(event.value));
    hash.add(static_cast<std::uint64_t>(event.signal_op));
    hash.add(event.word);
    hash.add(event.op);
    if (event.kind == Event::Kind::kExecute) {
      const Op& op = trace_.ops[event.op];
      hash.add(static_cast<std::uint64_t>(op.pipe));
      hash.add(op.index);
      for (const Access& access : trace_.accesses_of(op)) {
        hash.add(static_cast<std::uint64_t>(access.kind));
        add_place(access.range);
      }
    }
  }
  return hash.value();
}

void Analysis::warn_of_repeated_sets(Findings& into) const {
  std::map<std::uint32_t, OpId> set_before;
  for (const Event& event : trace_.events) {
    if (event.kind != Event::Kind::kModify || event.signal_op != SignalOp::kSet ||
        trace_.ops[event.op].op_class != OpClass::kNotify) {
      continue;
    }
    const auto [found, is_first] = set_before.try_emplace(event.word, event.op);
    if (is_first) {
      continue;
    }
    Finding finding;
    finding.kind = FindingKind::kWriteWrite;
    finding.is_warning = true;
    finding.region = machine_.region_name(trace_.words[event.word].address);
    for (const OpId id : {found->second, event.op}) {
      const Op& op = trace_.ops[id];
      finding.accesses.push_back(machine_.describe(
          op.core, op.source, op.pipe,
          "sets " + machine_.text_of({trace_.words[event.word].address, 4}, machine_.core(op.core).spec().rank)));
    }
    finding.missing_edge = "on some hardware a waiting peer does not see a second Set of one cell: use AtomicAdd";
    into.add(std::move(finding));
  }
}

void Analysis::run(RunResult& result) {
  std::vector<int> rank_of_core;
  rank_of_core.reserve(static_cast<std::size_t>(machine_.core_count()));
  for (int core = 0; core < machine_.core_count(); ++core) {
    rank_of_core.push_back(machine_.core(core).spec().rank);
  }
  const Model model = machine_.options().model;
  Rules rules;
  rules.is_coherent = model == Model::kCoherent;
  rules.waits_follow_the_run = machine_.options().waits_follow_the_run;
  Order order(trace_, rank_of_core, rules);
  RaceSearch search(machine_, trace_, order, rules);
  const Findings errors = search.find();
  result.findings.merge(errors);
  result.shadow_bytes = search.bytes() + order.bytes() + trace_.bytes();
  if (model == Model::kParanoid) {
    rules.flags_order_global_memory = false;
    rules.transfers_complete_in_order = false;
    rules.boundary_publishes = false;
    Order strict(trace_, rank_of_core, rules);
    Findings warnings = RaceSearch(machine_, trace_, strict, rules).find();
    result.findings.merge(warnings.beyond(errors));
    warn_of_repeated_sets(result.findings);
  }
  result.event_hash = hash();
  result.events = trace_.events.size();
}

}  // namespace tileput::check
