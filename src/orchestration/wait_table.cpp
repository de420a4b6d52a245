// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/wait_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <utility>

#include "base/system.hpp"

namespace tileput::orchestration {

namespace {

constexpr const char* kCompare[] = {"==", "!=", ">", ">=", "<", "<=", ">="};  // by comm::WaitCmp, then kCompareCounter
static_assert(std::size(kCompare) == rank::kCompareCounter + 1);
constexpr const char* kNotify[] = {"AtomicAdd", "Set"};  // by comm::NotifyOp

std::string name_of(const std::vector<int>& ranks) {
  return fmt::format("{} {}", ranks.size() == 1 ? "rank" : "ranks", fmt::join(ranks, ", "));
}

/// Why none of these ranks, of which none waits, sends a notify.
std::string why_not_from(const std::vector<int>& ranks, const std::set<int>& queued) {
  std::vector<int> returned;
  std::vector<int> not_started;
  for (const int rank : ranks) {
    (queued.contains(rank) ? not_started : returned).push_back(rank);
  }
  std::vector<std::string> reasons;
  if (!returned.empty()) {
    reasons.push_back(
        fmt::format("{} {} returned without it", name_of(returned), returned.size() == 1 ? "has" : "have"));
  }
  if (!not_started.empty()) {
    reasons.push_back(fmt::format("what was submitted for {} has not started", name_of(not_started)));
  }
  return fmt::format("{}", fmt::join(reasons, ", and "));
}

/// A task of one block names its rank alone.
std::string block_name(int rank, int block, bool is_alone) {
  return is_alone ? fmt::format("rank {}", rank) : fmt::format("rank {}, block {}", rank, block);
}

bool is_alone(const rank::RankSlot& slot) noexcept {
  return slot.more_blocks.load(std::memory_order_relaxed) == 0;  // for reports
}

bool sleeps(const rank::BlockSlot& block) noexcept {
  return block.wait.sleeping.load(std::memory_order_acquire) != 0;  // pairs with the release in Waiting::until
}

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

/// Whether somebody has stopped the process, as /proc tells: "stopped", "held by a debugger", or nothing.
const char* process_state(std::int64_t process_id) {
  std::ifstream file(fmt::format("/proc/{}/stat", process_id));
  std::string text;
  std::getline(file, text);
  const std::size_t end = text.rfind(')');  // the name may hold anything
  if (end == std::string::npos || end + 2 >= text.size()) {
    return "";
  }
  switch (text[end + 2]) {
    case 'T': return "stopped (SIGSTOP), ";
    case 't': return "held by a debugger, ";
    default: return "";
  }
}

/// The newest record of a log about a word, by its number; 0: none.
struct Found {
  std::uint64_t number = 0;
  std::uint64_t site = 0;
  std::uint64_t what = 0;
};

Found find_notify(const rank::NotifyLog& log, std::uint64_t word) {
  const std::uint64_t count = log.count.load(std::memory_order_acquire);  // pairs with NotifyLog::add
  const std::uint64_t kept = std::min(count, rank::NotifyLog::kRecords);
  for (std::uint64_t n = count; n > count - kept; --n) {
    const rank::NotifyLog::Record& record = log.records[(n - 1) % rank::NotifyLog::kRecords];
    if (record.word.load(std::memory_order_relaxed) == word) {
      return {n, record.site.load(std::memory_order_relaxed), record.what.load(std::memory_order_relaxed)};
    }
  }
  return {};
}

}  // namespace

std::string WaitTable::line_of(int rank, std::uint64_t address) {
  const LoadedObject* const object = job_.object_at(rank, address);
  if (object == nullptr) {
    return {};
  }
  const std::string line = sources_.find(object->file, address - object->begin);
  return line.empty() ? "" : fmt::format("{} ({})", line, file_name(object->file));
}

std::string WaitTable::source(int rank, std::uint64_t address) {
  const std::string line = line_of(rank, address);
  const LoadedObject* const object = job_.object_at(rank, address);
  return line.empty() && object != nullptr ? file_name(object->file) : line;
}

std::string WaitTable::place(std::uint64_t word) const {
  const JobDescription::Place place = job_.locate(word);
  if (place.domain == nullptr) {
    return "memory outside every window";
  }
  for (const JobDescription::Buffer& buffer : place.domain->buffers) {
    if (place.offset >= buffer.offset && place.offset - buffer.offset < buffer.bytes) {
      return fmt::format("byte {} of '{}' in rank {}'s window (domain {})", place.offset - buffer.offset, buffer.name,
                         place.rank, place.domain->id);
    }
  }
  return fmt::format("byte {} of rank {}'s window (domain {})", place.offset, place.rank, place.domain->id);
}

std::string WaitTable::doing(int rank) {
  const rank::RankSlot& slot = control_.slot(rank);
  const rank::Activity activity = slot.activity.load(std::memory_order_relaxed);
  if (activity == rank::Activity::kIdle) {
    const std::uint64_t run = slot.current_run.load(std::memory_order_relaxed);
    return run == job_.run && run != 0 ? "has finished" : "is idle";
  }
  if (activity == rank::Activity::kAwaitsDebugger) {
    return fmt::format("waits for a debugger (gdb -p {})", job_.ranks[static_cast<std::size_t>(rank)].process_id);
  }
  const bool in_kernel = activity == rank::Activity::kKernel;
  const LoadedObject* const object =
      job_.object_of(rank, slot.callable.load(std::memory_order_relaxed), in_kernel, slot.func_id.load());
  return fmt::format("computes in {}", object != nullptr ? file_name(object->file) : "an unknown object");
}

std::string WaitTable::last_notify(std::uint64_t word) {
  constexpr std::size_t kNotesMax = 64;
  std::vector<std::string> notes;
  for (int notifier = 0; notifier < control_.ranks(); ++notifier) {
    for (int block = 0; block < control_.blocks_used(notifier) && notes.size() < kNotesMax; ++block) {
      const Found found = find_notify(control_.blocks(notifier)[block].notifies, word);
      if (found.number == 0) {
        continue;
      }
      const std::string at = source(notifier, found.site);
      notes.push_back(fmt::format("{} ({} {}{}{})", block_name(notifier, block, block == 0),
                                  kNotify[(found.what >> 32U) % 2], static_cast<std::int32_t>(found.what),
                                  at.empty() ? "" : " at ", at));
    }
  }
  return notes.empty() ? ", last notifier unknown" : fmt::format(", last notified by {}", fmt::join(notes, ", "));
}

std::vector<int> WaitTable::notifiers(std::uint64_t word) const {
  std::vector<int> found;
  for (int notifier = 0; notifier < control_.ranks(); ++notifier) {
    const rank::BlockSlot* const blocks = control_.blocks(notifier);
    if (std::any_of(blocks, blocks + control_.blocks_used(notifier),
                    [word](const rank::BlockSlot& block) { return find_notify(block.notifies, word).number != 0; })) {
      found.push_back(notifier);
    }
  }
  return found;
}

std::string WaitTable::line(int rank, int block) {
  const rank::RankSlot& slot = control_.slot(rank);
  const rank::BlockSlot& own = control_.blocks(rank)[block];
  const std::string name = block_name(rank, block, is_alone(slot));
  const char* const state = process_state(job_.ranks[static_cast<std::size_t>(rank)].process_id);
  if (!sleeps(own)) {
    return fmt::format("{}: {}{}", name, state, doing(rank));
  }
  const rank::WaitReport& wait = own.wait;
  const double seconds =
      static_cast<double>(base::now_ns() - wait.since_ns.load(std::memory_order_relaxed)) / 1'000'000'000;
  const std::string at = source(rank, wait.site.load(std::memory_order_relaxed));
  const std::uint32_t compare = wait.compare.load(std::memory_order_relaxed) % std::size(kCompare);
  const bool is_counter = compare == rank::kCompareCounter;
  const auto number = [is_counter](std::int32_t value) {
    return is_counter ? std::int64_t{static_cast<std::uint32_t>(value)} : std::int64_t{value};
  };
  const std::uint64_t word = wait.word.load(std::memory_order_relaxed);
  return fmt::format("{}: {}waits for {:.1f} s{}{}{} until {} {} {}, sees {}{}", name, state, seconds,
                     is_counter ? " for a deferred task, registered" : "", at.empty() ? "" : " at ", at, place(word),
                     kCompare[compare], number(wait.expected.load(std::memory_order_relaxed)),
                     number(wait.seen.load(std::memory_order_relaxed)), last_notify(word));
}

std::vector<std::string> WaitTable::lines_of(int rank) {
  const rank::BlockSlot* const blocks = control_.blocks(rank);
  std::vector<std::string> lines;
  if (!is_alone(control_.slot(rank))) {
    for (int block = 0; block < control_.blocks_used(rank); ++block) {
      if (blocks[block].state.load(std::memory_order_relaxed) == rank::BlockState::kRuns) {  // for reports
        lines.push_back(line(rank, block));
      }
    }
  }
  if (lines.empty()) {
    lines.push_back(line(rank, 0));
  }
  return lines;
}

std::string WaitTable::lines(const std::vector<int>& ranks) {
  std::string all;
  for (const int rank : ranks) {
    all += fmt::format("\n  {}", fmt::join(lines_of(rank), "\n  "));
  }
  return all;
}

std::vector<WaitTable::Wait> WaitTable::waits_of(int rank) const {
  const rank::BlockSlot* const blocks = control_.blocks(rank);
  std::vector<Wait> waits;
  for (int block = 0; block < control_.blocks_used(rank); ++block) {
    if (sleeps(blocks[block])) {
      waits.push_back({rank, block, blocks[block].wait.word.load(std::memory_order_relaxed)});
    }
  }
  return waits;
}

std::vector<int> WaitTable::expected(const Wait& wait) const {
  const auto place = job_.locate(wait.word);
  std::vector<int> members;
  if (place.domain != nullptr) {
    members = {place.domain->ranks.begin(), place.domain->ranks.end()};
  }
  std::vector<int> ranks = notifiers(wait.word);
  std::erase_if(ranks, [&](int notifier) {
    const bool is_waiting = notifier == wait.rank && is_alone(control_.slot(wait.rank));
    return is_waiting || std::find(members.begin(), members.end(), notifier) == members.end();
  });
  std::erase(members, wait.rank);
  return ranks.empty() ? members : ranks;
}

std::string WaitTable::verdict(const std::vector<int>& stuck, const std::set<int>& queued) const {
  const auto is_stuck = [&stuck](int rank) { return std::find(stuck.begin(), stuck.end(), rank) != stuck.end(); };
  std::string nobody = fmt::format("{} {}, and nobody is left to notify {}", name_of(stuck),
                                   stuck.size() == 1 ? "waits" : "all wait", stuck.size() == 1 ? "it" : "them");
  bool one_each = true;
  for (const int rank : stuck) {
    const std::vector<Wait> waits = waits_of(rank);
    one_each = one_each && waits.size() == 1 && is_alone(control_.slot(rank));
    for (const Wait& wait : waits) {
      const std::vector<int> ranks = expected(wait);
      if (std::none_of(ranks.begin(), ranks.end(), is_stuck)) {
        const std::string name = block_name(rank, wait.block, is_alone(control_.slot(rank)));
        if (ranks.empty()) {
          return fmt::format("{} waits for a notify that nobody else can send", name);
        }
        return fmt::format("{} waits for a notify that never comes: {}", name, why_not_from(ranks, queued));
      }
    }
  }
  if (!one_each) {
    return nobody;
  }
  for (std::vector<int> path{stuck.front()};;) {
    const std::vector<Wait> waits = waits_of(path.back());
    const std::vector<int> ranks = waits.empty() ? std::vector<int>() : expected(waits.front());
    if (ranks.size() != 1 || !is_stuck(ranks.front())) {
      return nobody;
    }
    const auto seen = std::find(path.begin(), path.end(), ranks.front());
    if (seen != path.end()) {
      path.erase(path.begin(), seen);
      return fmt::format("cycle: rank {} waits for rank {}", fmt::join(path, " waits for rank "), ranks.front());
    }
    path.push_back(ranks.front());
  }
}

std::string WaitTable::crash(int rank) {
  const rank::RankSlot& slot = control_.slot(rank);
  const int number = slot.crash.signal.load(std::memory_order_acquire);
  if (number == 0) {
    return {};
  }
  std::string text;
  const std::uint32_t frames =
      std::min(slot.crash.frame_count.load(std::memory_order_acquire), rank::CrashReport::kFramesMax);
  for (std::uint32_t i = 0; i < frames && text.empty(); ++i) {  // innermost first: past library functions and headers
    const std::string line = line_of(rank, slot.crash.frames[i].load(std::memory_order_relaxed));
    text = line.empty() ? "" : " at " + line;
  }
  if (text.empty()) {
    text = fmt::format(" while it {}", doing(rank));
  }
  const int sender = slot.crash.sender.load(std::memory_order_relaxed);
  if (sender != 0 && sender != job_.ranks[static_cast<std::size_t>(rank)].process_id) {
    text += fmt::format(", sent by process {}", sender);
  } else if (slot.crash.has_address.load(std::memory_order_relaxed) != 0) {
    const std::uint64_t address = slot.crash.address.load(std::memory_order_relaxed);
    text += fmt::format(", accessing {:#x}: {}", address, near_place(rank, address));
  }
  return text;
}

std::string WaitTable::near_place(int rank, std::uint64_t address) const {
  constexpr std::uint64_t kNear = 1U << 20U;
  const std::uint64_t word = address - control_.slot(rank).heap_base.load(std::memory_order_relaxed);
  if (job_.locate(word).domain != nullptr) {
    return place(word);
  }
  for (const JobDescription::Domain& domain : job_.domains) {
    for (std::size_t i = 0; i < domain.ranks.size(); ++i) {
      const std::uint64_t begin = (static_cast<std::uint64_t>(domain.ranks[i]) << job_.heap_shift) + domain.windows[i];
      const std::uint64_t end = begin + domain.window_bytes;
      const std::string last = domain.buffers.empty() ? "" : fmt::format(", after '{}'", domain.buffers.back().name);
      if (word >= end && word - end < kNear) {
        return fmt::format("{} bytes past the end of rank {}'s window (domain {}{})", word - end, domain.ranks[i],
                           domain.id, last);
      }
      if (word < begin && begin - word <= kNear) {
        return fmt::format("{} bytes before rank {}'s window (domain {})", begin - word, domain.ranks[i], domain.id);
      }
    }
  }
  constexpr std::uint64_t kNullPage = 4096;
  return address < kNullPage ? "a null pointer" : "no window is near";
}

std::vector<StuckRanks::Rank> StuckRanks::look(const rank::Control& control, const std::vector<bool>& may_act) {
  std::vector<Rank> ranks(may_act.size());
  const auto read_looks = [&](auto&& put) {
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      for (std::size_t b = 0; b < ranks[r].blocks.size(); ++b) {
        put(ranks[r].blocks[b], control.blocks(static_cast<int>(r))[b].wait);
      }
    }
  };
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    ranks[r].may_act = may_act[r];
    ranks[r].blocks.resize(static_cast<std::size_t>(control.blocks_used(static_cast<int>(r))));
  }
  // All looks before any state, all states before any look again: see the claim. Each pairs with Waiting::until.
  read_looks([](Block& block, const rank::WaitReport& wait) {
    block.looks_before = wait.looks.load(std::memory_order_acquire);
  });
  read_looks([](Block& block, const rank::WaitReport& wait) {
    block.sleeping = wait.sleeping.load(std::memory_order_acquire) != 0;
    block.episode = wait.episode.load(std::memory_order_acquire);  // after `sleeping`: it slept in no later one
    block.word = wait.word.load(std::memory_order_relaxed);
  });
  for (std::size_t r = 0; r < ranks.size(); ++r) {  // after what sleeps: blocks of that task have started, or ended
    const auto rank = static_cast<int>(r);
    ranks[r].blocks.resize(static_cast<std::size_t>(control.blocks_used(rank)));
    for (std::size_t b = 0; b < ranks[r].blocks.size(); ++b) {
      ranks[r].blocks[b].off = control.blocks(rank)[b].state.load(std::memory_order_seq_cst) == rank::BlockState::kOff;
    }
  }
  read_looks(
      [](Block& block, const rank::WaitReport& wait) { block.looks = wait.looks.load(std::memory_order_acquire); });
  return ranks;
}

std::vector<int> StuckRanks::stuck(const rank::Control& control, const JobDescription& job, const Work& work) {
  const auto holds = [](const std::vector<bool>& ranks, std::size_t rank) { return !ranks.empty() && ranks[rank]; };
  std::vector<bool> has_work = work.may_act;
  everybody_.ranks.resize(has_work.size());
  std::iota(everybody_.ranks.begin(), everybody_.ranks.end(), 0);
  for (std::size_t r = 0; r < has_work.size(); ++r) {
    has_work[r] = has_work[r] || holds(work.asked, r);
  }
  const std::vector<Rank> before = std::exchange(before_, look(control, has_work));
  const std::vector<Rank>& now = before_;
  if (before.size() != now.size()) {
    return {};
  }
  std::vector<std::vector<const JobDescription::Domain*>> waits(now.size());  // of candidates: the domains they wait in
  for (std::size_t r = 0; r < now.size(); ++r) {
    bool all = !holds(work.asked, r);
    const std::size_t blocks = std::min(before[r].blocks.size(), now[r].blocks.size());  // a fresh rank has used fewer
    for (std::size_t b = 0; b < blocks && all; ++b) {
      const Block& first = before[r].blocks[b];
      const Block& second = now[r].blocks[b];
      const JobDescription::Domain* const domain = job.locate(second.word).domain;
      if (first.sleeping && second.sleeping && first.episode == second.episode &&
          second.looks_before >= first.looks + 2 && domain != nullptr) {
        waits[r].push_back(domain);
      } else {
        all = first.off;
      }
    }
    if (!all) {
      waits[r].clear();
    } else if (!waits[r].empty() && holds(work.defers, r)) {
      waits[r].push_back(&everybody_);
    }
  }
  std::vector<bool> stuck_so_far(now.size());
  std::vector<bool> starts(now.size());
  const auto can_notify = [&](int rank) {
    const auto r = static_cast<std::size_t>(rank);
    return starts[r] || (waits[r].empty() && (now[r].may_act || before[r].may_act));
  };
  for (bool changed = true; changed;) {
    changed = false;
    if (work.may_start) {
      std::transform(waits.begin(), waits.end(), stuck_so_far.begin(),
                     [](const auto& domains) { return !domains.empty(); });
      starts = work.may_start(stuck_so_far);
    }
    for (std::vector<const JobDescription::Domain*>& domains : waits) {
      if (std::any_of(domains.begin(), domains.end(), [&](const JobDescription::Domain* domain) {
            return std::any_of(domain->ranks.begin(), domain->ranks.end(), can_notify);
          })) {
        domains.clear();
        changed = true;
      }
    }
  }
  std::vector<int> stuck;
  for (std::size_t r = 0; r < now.size(); ++r) {
    if (!waits[r].empty()) {
      stuck.push_back(static_cast<int>(r));
    }
  }
  return stuck;
}

}  // namespace tileput::orchestration
