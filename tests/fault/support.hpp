// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the fault tests share: a worker to hurt, the way to hurt it, and what must be left of it afterwards.

#include <dirent.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "all_to_all_window.hpp"
#include "base/fd.hpp"
#include "base/system.hpp"
#include "conformance/support.hpp"
#include "fault/fault_modes.hpp"
#include "fault/inject.hpp"
#include "tileput/worker.hpp"

namespace tileput::fault {

using fault_kernel::kWords;
using fault_kernel::Mode;
using test::kSanitized;
namespace fs = std::filesystem;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): tests

inline constexpr int kEpochs = 8;

/// How often a test repeats: `quick` in the suite, in proportion to `full` where TILEPUT_FAULT_COUNT=n asks for n of
/// 200.
inline int count_of(int quick, int full) {
  const char* const wanted = std::getenv("TILEPUT_FAULT_COUNT");
  return wanted == nullptr ? quick : std::max(1, full * std::atoi(wanted) / 200);
}

inline Plan& plan() { return *tileput_fault_plan(); }

/// At the nth call (from 1) of `call` by `who` from now on, `effect` happens; until disarm() or the next arm().
struct Fault {
  int who = kNobody;  ///< kWorker, a rank of a worker that is made after arm(), or living(pid)
  Call call{};
  int nth = 1;
  Effect effect = Effect::kFail;
  int value = 0;
  int request = kAny;
};

inline void disarm() { plan().who = kNobody; }
inline void arm(const Fault& fault) {
  disarm();
  plan().call = static_cast<int>(fault.call);
  plan().request = fault.request;
  plan().nth = fault.nth;
  plan().effect = static_cast<int>(fault.effect);
  plan().value = fault.value;
  plan().seen = 0;
  plan().fired_ns = 0;
  plan().fired_pid = 0;
  ++plan().armed;
  plan().who = fault.who;
}
inline int living(pid_t rank) { return -rank; }
inline bool fired() { return plan().fired_ns != 0; }

/// Words of /proc/<pid>/stat from the state on; empty: there is no such process.
inline std::vector<std::string> stat_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text;
  std::getline(file, text, '\0');  // fails without an exception where the process ends meanwhile
  std::vector<std::string> words;
  if (const auto end = text.rfind(") "); end != std::string::npos) {
    std::istringstream rest(text.substr(end + 2));
    for (std::string word; rest >> word;) {
      words.push_back(word);
    }
  }
  return words;
}

inline char state_of(pid_t pid) {
  const auto words = stat_of(std::to_string(pid));
  return words.empty() ? '-' : words[0][0];
}

/// Whether it has ended, reaped or not.
inline bool is_gone(pid_t pid) { return std::string("-Z").find(state_of(pid)) != std::string::npos; }

template <class Condition>
bool wait_until(std::chrono::milliseconds limit, Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

/// What a process has that outlives a mistake.
struct Snapshot {
  int descriptors = 0;
  int memfd_mappings = 0;
  std::set<pid_t> children;
  std::set<std::string> names;  ///< in /dev/shm and /tmp

  bool operator==(const Snapshot&) const = default;
  friend std::ostream& operator<<(std::ostream& stream, const Snapshot& s) {
    return stream << fmt::format("{} descriptors, {} mappings of memfds, children [{}], names [{}]", s.descriptors,
                                 s.memfd_mappings, fmt::join(s.children, ", "), fmt::join(s.names, ", "));
  }
};

inline std::set<pid_t> children_of(pid_t parent) {
  std::set<pid_t> children;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    const auto words = stat_of(name);
    if (words.size() > 1 && words[1] == std::to_string(parent)) {
      children.insert(std::stoi(name));
    }
  }
  return children;
}

/// Whether /dev/shm and /tmp are this process's own, see PrivateNames.
inline bool names_are_private = false;

inline std::set<std::string> shared_names() {
  std::set<std::string> names;
  for (const char* const place : {"/dev/shm", "/tmp"}) {
    std::error_code error;
    for (fs::directory_iterator entry(place, error), end; !error && entry != end; entry.increment(error)) {
      const std::string name = entry->path();
      if (names_are_private || name.find("tileput") != std::string::npos) {
        names.insert(name);
      }
    }
  }
  return names;
}

/// The targets of the descriptors of a process, by number.
inline std::map<int, std::string> descriptors_of(pid_t pid) {
  std::map<int, std::string> targets;
  const fs::path directory = fmt::format("/proc/{}/fd", pid);
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const fs::path target = fs::read_symlink(entry->path(), gone);
    if (!gone && target != fmt::format("/proc/{}/fd", pid)) {  // not the directory we are reading
      targets.emplace(std::stoi(entry->path().filename()), target.string());
    }
  }
  return targets;
}

inline Snapshot snapshot() {
  Snapshot now;
  now.descriptors = static_cast<int>(descriptors_of(getpid()).size());
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    now.memfd_mappings += line.find("/memfd:") != std::string::npos ? 1 : 0;
  }
  now.children = children_of(getpid());
  now.names = shared_names();
  return now;
}

/// Heaps of this process in which any memory is left.
inline int heaps_with_memory() {
  int heaps = 0;
  for (const auto& [fd, target] : descriptors_of(getpid())) {
    struct stat status {};
    if (target.starts_with("/memfd:tileput-heap") && fstat(fd, &status) == 0 && status.st_blocks != 0) {
      ++heaps;
    }
  }
  return heaps;
}

/// A worker whose ranks run fault_kernel.
class Job {
 public:
  explicit Job(int ranks, std::chrono::nanoseconds timeout = 30s, RanksAs ranks_as = RanksAs::kProcess)
      : ranks_(ranks),
        worker_(WorkerOptions{.ranks = ranks, .ranks_as = ranks_as, .timeout = timeout, .heap_bytes = 1U << 24U}) {}

  void load() {
    callable_ = worker_.load({.orchestration = "kernels/fault_orch.so",
                              .entry = "forward",
                              .kernels = {{0, Core::kAiv, "kernels/fault_kernel.so"}}});
  }

  /// Every rank runs the mode; its outputs are in out() afterwards.
  void run(Mode mode, std::int64_t value) {
    const auto n = static_cast<std::size_t>(ranks_);
    in_.assign(n, std::vector<std::int32_t>(n * kWords));
    out_.assign(n, std::vector<std::int32_t>(n * kWords, -1));
    for (std::size_t rank = 0; rank < n; ++rank) {
      for (std::size_t i = 0; i < in_[rank].size(); ++i) {
        in_[rank][i] =
            fault_kernel::payload(static_cast<int>(rank), static_cast<int>(i / kWords), static_cast<int>(i % kWords));
      }
    }
    const std::uint64_t window_bytes = all_to_all::window_of(all_to_all::kPushSlotSets, n, kWords).bytes;
    worker_.run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = {{.name = "window", .bytes = window_bytes}}});
      if (before_submit) {
        before_submit();
      }
      std::vector<RankTask> group;
      for (std::size_t rank = 0; rank < n; ++rank) {
        TaskArgs args;
        args.add_inout(Tensor::of(in_[rank])).add_output(Tensor::of(out_[rank])).add_inout(domain.buffer("window"));
        args.add_scalar(mode).add_scalar(value).add_context(domain);
        group.push_back({static_cast<int>(rank), args});
      }
      o.submit_group(*callable_, group);
    });
  }

  /// The all-to-all; expects the right numbers.
  void run_good() {
    run(Mode::kAllToAll, kEpochs);
    int wrong = 0;
    for (int rank = 0; rank < ranks_; ++rank) {
      for (int i = 0; i < ranks_ * kWords; ++i) {
        const int wanted = fault_kernel::payload(i / kWords, rank, i % kWords) + kEpochs;
        wrong += out_[static_cast<std::size_t>(rank)][static_cast<std::size_t>(i)] != wanted ? 1 : 0;
      }
    }
    EXPECT_EQ(wrong, 0) << "wrong words after a run that reported no error";
  }

  /// Called in a run when the domain is there.
  std::function<void()> before_submit;

  [[nodiscard]] Worker& worker() { return worker_; }
  [[nodiscard]] const std::vector<std::vector<std::int32_t>>& out() const { return out_; }
  [[nodiscard]] pid_t pid_of(int rank) const {
    return static_cast<pid_t>(worker_.rank_infos().at(static_cast<std::size_t>(rank)).process_id);
  }
  [[nodiscard]] std::set<pid_t> pids() const {
    std::set<pid_t> pids;
    for (int rank = 0; rank < ranks_; ++rank) {
      pids.insert(pid_of(rank));
    }
    return pids;
  }

 private:
  int ranks_;
  Worker worker_;
  std::optional<Callable> callable_;
  std::vector<std::vector<std::int32_t>> in_;
  std::vector<std::vector<std::int32_t>> out_;
};

/// A job that has proved to be good.
inline std::unique_ptr<Job> good_job(int ranks, std::chrono::nanoseconds timeout = 30s) {
  auto job = std::make_unique<Job>(ranks, timeout);
  job->load();
  job->run_good();
  return job;
}

/// Continues a rank 300 ms after the armed fault has stopped it.
class Continuer {
 public:
  Continuer()
      : thread_([this] {
          while (!fired() && !over_) {
            std::this_thread::sleep_for(1ms);
          }
          const pid_t pid = plan().fired_pid;
          stopped_ = fired() && wait_until(10s, [pid] { return state_of(pid) == 'T'; });
          std::this_thread::sleep_for(300ms);
          if (pid > 0) {
            kill(pid, SIGCONT);
          }
        }) {}
  ~Continuer() { finish(); }
  Continuer(const Continuer&) = delete;
  Continuer& operator=(const Continuer&) = delete;

  /// Whether a rank was stopped.
  bool finish() {
    over_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
    return stopped_;
  }

 private:
  std::atomic<bool> over_{false};
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

/// Times from a fault to the Error that reports it.
class Latencies {
 public:
  explicit Latencies(std::string what) : what_(std::move(what)) {}
  ~Latencies() {
    if (!ms_.empty()) {
      std::sort(ms_.begin(), ms_.end());
      fmt::print("[  figures ] {}: {} faults, time to error median {:.1f} ms, maximum {:.1f} ms\n", what_, ms_.size(),
                 ms_[ms_.size() / 2], ms_.back());
    }
  }
  Latencies(const Latencies&) = delete;
  Latencies& operator=(const Latencies&) = delete;
  void add_since(std::uint64_t start_ns) { ms_.push_back(static_cast<double>(base::now_ns() - start_ns) * 1e-6); }

 private:
  std::string what_;
  std::vector<double> ms_;
};

/// Gives this process its own empty /dev/shm and /tmp where it may have them, so that a new name there is ours. Else
/// (no privilege, or the build tree lies there) only names with "tileput" in them are looked at.
class PrivateNames : public testing::Environment {
 public:
  void SetUp() override {
    std::error_code error;
    const std::string program = fs::read_symlink("/proc/self/exe", error);
    if (error || program.starts_with("/tmp/") || unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      return;
    }
    names_are_private =
        mount("tmpfs", "/tmp", "tmpfs", 0, "size=1m") == 0 && mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=1m") == 0;
  }
};

/// Every test starts from a clean process, and must leave it as it was.
class FaultTest : public testing::Test {
 protected:
  void SetUp() override {
    disarm();
    before_ = snapshot();
    ASSERT_TRUE(before_.children.empty()) << before_;
  }
  void TearDown() override {
    disarm();
    expect_nothing_left();
  }
  /// No worker lives: there is what there was at the start.
  void expect_nothing_left() const {
    EXPECT_EQ(snapshot(), before_);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  }

 private:
  Snapshot before_;
};

}  // namespace tileput::fault
