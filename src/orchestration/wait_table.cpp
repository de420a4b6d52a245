// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/wait_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/system.hpp"

namespace tileput::orchestration {

namespace {

constexpr const char* kCompare[] = {"==", "!=", ">", ">=", "<", "<="};  // by comm::WaitCmp
constexpr const char* kNotify[] = {"AtomicAdd", "Set"};                 // by comm::NotifyOp

std::string name_of(const std::vector<int>& ranks) {
  return fmt::format("{} {}", ranks.size() == 1 ? "rank" : "ranks", fmt::join(ranks, ", "));
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
  const std::string line = object == nullptr ? "" : sources_.find(object->file, address - object->begin);
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

std::string WaitTable::last_notify(int rank) {
  const std::uint64_t word = control_.slot(rank).wait.word.load(std::memory_order_relaxed);
  std::vector<std::string> notes;
  for (int notifier = 0; notifier < control_.ranks(); ++notifier) {
    const Found found = find_notify(control_.slot(notifier).notifies, word);
    if (found.number == 0) {
      continue;
    }
    const std::string at = source(notifier, found.site);
    notes.push_back(fmt::format("rank {} ({} {}{}{})", notifier, kNotify[(found.what >> 32U) % 2],
                                static_cast<std::int32_t>(found.what), at.empty() ? "" : " at ", at));
  }
  return notes.empty() ? ", last notifier unknown" : fmt::format(", last notified by {}", fmt::join(notes, ", "));
}

std::vector<int> WaitTable::notifiers(int rank) const {
  const std::uint64_t word = control_.slot(rank).wait.word.load(std::memory_order_relaxed);
  std::vector<int> found;
  for (int notifier = 0; notifier < control_.ranks(); ++notifier) {
    if (find_notify(control_.slot(notifier).notifies, word).number != 0) {
      found.push_back(notifier);
    }
  }
  return found;
}

std::string WaitTable::line(int rank) {
  const rank::WaitReport& wait = control_.slot(rank).wait;
  const std::int64_t process_id = job_.ranks[static_cast<std::size_t>(rank)].process_id;
  const char* const state = process_state(process_id);
  if (wait.sleeping.load(std::memory_order_acquire) == 0) {  // pairs with the release in Waiting::until
    return fmt::format("rank {}: {}{}", rank, state, doing(rank));
  }
  const double seconds =
      static_cast<double>(base::now_ns() - wait.since_ns.load(std::memory_order_relaxed)) / 1'000'000'000;
  const std::string at = source(rank, wait.site.load(std::memory_order_relaxed));
  return fmt::format(
      "rank {}: {}waits for {:.1f} s{}{} until {} {} {}, sees {}{}", rank, state, seconds, at.empty() ? "" : " at ", at,
      place(wait.word.load(std::memory_order_relaxed)), kCompare[wait.compare.load(std::memory_order_relaxed) % 6],
      wait.expected.load(std::memory_order_relaxed), wait.seen.load(std::memory_order_relaxed), last_notify(rank));
}

std::string WaitTable::lines(const std::vector<int>& ranks) {
  std::string all;
  for (const int rank : ranks) {
    all += fmt::format("\n  {}", line(rank));
  }
  return all;
}

std::string WaitTable::verdict(const std::vector<int>& stuck) const {
  /// Who may have been meant to notify: those that did before, else everybody else in the domain.
  const auto expected = [this](int rank) {
    const auto place = job_.locate(control_.slot(rank).wait.word.load(std::memory_order_relaxed));
    std::vector<int> members;
    if (place.domain != nullptr) {
      members = {place.domain->ranks.begin(), place.domain->ranks.end()};
      std::erase(members, rank);
    }
    std::vector<int> ranks = notifiers(rank);
    std::erase_if(ranks, [&members](int notifier) {
      return std::find(members.begin(), members.end(), notifier) == members.end();
    });
    return ranks.empty() ? members : ranks;
  };
  const auto is_stuck = [&stuck](int rank) { return std::find(stuck.begin(), stuck.end(), rank) != stuck.end(); };
  for (const int rank : stuck) {
    const std::vector<int> ranks = expected(rank);
    if (std::none_of(ranks.begin(), ranks.end(), is_stuck)) {
      if (ranks.empty()) {
        return fmt::format("rank {} waits for a notify that nobody else can send", rank);
      }
      return fmt::format("rank {} waits for a notify that never comes: {} {} returned without it", rank, name_of(ranks),
                         ranks.size() == 1 ? "has" : "have");
    }
  }
  for (std::vector<int> path{stuck.front()};;) {
    const std::vector<int> ranks = expected(path.back());
    if (ranks.size() != 1) {
      return fmt::format("{} all wait, and nobody is left to notify them", name_of(stuck));
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

std::vector<int> StuckRanks::stuck(const rank::Control& control, const JobDescription& job,
                                   const std::vector<bool>& may_act) {
  const std::size_t n = may_act.size();
  std::vector<std::uint64_t> looks(n);
  for (std::size_t r = 0; r < n; ++r) {  // all looks before any state: see the claim
    looks[r] =
        control.slot(static_cast<int>(r)).wait.looks.load(std::memory_order_acquire);  // pairs with Waiting::until
  }
  std::vector<Look> now(n);
  std::vector<bool> candidate(n);
  std::vector<const JobDescription::Domain*> domain(n);
  for (std::size_t r = 0; r < n; ++r) {
    const rank::WaitReport& wait = control.slot(static_cast<int>(r)).wait;
    now[r].may_act = may_act[r];
    now[r].sleeping = wait.sleeping.load(std::memory_order_acquire) != 0;
    now[r].episode = wait.episode.load(std::memory_order_acquire);  // after `sleeping`: it slept in no later one
    domain[r] = job.locate(wait.word.load(std::memory_order_relaxed)).domain;
    candidate[r] = r < before_.size() && before_[r].sleeping && now[r].sleeping &&
                   before_[r].episode == now[r].episode && looks[r] >= before_[r].looks + 2 && domain[r] != nullptr;
  }
  const auto can_notify = [&](int rank) {
    const auto r = static_cast<std::size_t>(rank);
    return !candidate[r] && (now[r].may_act || before_[r].may_act);  // asked for candidates: there is a `before_`
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t r = 0; r < n; ++r) {
      if (candidate[r] && std::any_of(domain[r]->ranks.begin(), domain[r]->ranks.end(), can_notify)) {
        candidate[r] = false;
        changed = true;
      }
    }
  }
  for (std::size_t r = 0; r < n; ++r) {  // after every state: see the claim
    now[r].looks = control.slot(static_cast<int>(r)).wait.looks.load(std::memory_order_acquire);
  }
  before_ = std::move(now);
  std::vector<int> stuck;
  for (std::size_t r = 0; r < n; ++r) {
    if (candidate[r]) {
      stuck.push_back(static_cast<int>(r));
    }
  }
  return stuck;
}

}  // namespace tileput::orchestration
