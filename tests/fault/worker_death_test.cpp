// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Ranks never outlive their worker, whatever they and it are doing when it is killed.

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>

#include "fault/support.hpp"

namespace tileput::fault {
namespace {

constexpr auto kGone = 10s;

struct State {
  const char* name;
  /// In a session of its own, so that its ranks' process groups become orphans with it and the kernel wakes those that
  /// are stopped. Within the session of whoever inherits them, it does not.
  bool own_session = false;
};

constexpr State kStates[] = {
    {"start-up"}, {"run"}, {"wait"}, {"compute"}, {"idle"}, {"stopped"}, {"stopped", true},
};
constexpr int kRankCounts[] = {2, 4, 8};

/// fault_worker as a child, with its standard output.
class Victim {
 public:
  Victim(const State& state, int ranks) {
    int fds[2];
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    output_ = base::UniqueFd(fds[0]);
    const base::UniqueFd write_end(fds[1]);
    const std::string program = fs::read_symlink("/proc/self/exe").parent_path() / "fault_worker";
    std::string ranks_text = std::to_string(ranks);
    std::string state_text = state.name;
    char* argv[] = {const_cast<char*>(program.c_str()), state_text.data(), ranks_text.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, state.own_session ? POSIX_SPAWN_SETSID : 0);
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, &attributes, argv, environ), 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }

  [[nodiscard]] bool wait_ready() const {
    pollfd entry{output_.get(), POLLIN, 0};
    char text[8];
    return poll(&entry, 1, 60'000) == 1 && read(output_.get(), text, sizeof(text)) > 0;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  base::UniqueFd output_;
};

/// This process inherits the ranks of a worker that is gone, so it sees every one of them end.
class WorkerDeath : public FaultTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    FaultTest::SetUp();
  }

  /// Kills the worker after `delay`; all its ranks are gone soon after.
  void kill_worker(const State& state, int ranks, std::chrono::microseconds delay) {
    SCOPED_TRACE(fmt::format("{}, {} ranks, session of its own: {}", state.name, ranks, state.own_session));
    const Victim victim(state, ranks);
    ASSERT_TRUE(victim.wait_ready());
    std::this_thread::sleep_for(delay);
    const std::size_t ranks_before = children_of(victim.pid()).size();
    if (std::string(state.name) != "start-up") {
      EXPECT_EQ(ranks_before, static_cast<std::size_t>(ranks));
    }
    const std::uint64_t start_ns = base::now_ns();
    kill(victim.pid(), SIGKILL);
    const bool gone = wait_until(kGone, [] {
      pid_t reaped = 0;
      while ((reaped = waitpid(-1, nullptr, WNOHANG)) > 0) {
      }
      return reaped < 0;
    });
    if (gone) {
      latencies_->add_since(start_ns);
      return;
    }
    for (const pid_t rank : children_of(getpid())) {
      ADD_FAILURE() << "process " << rank << " is there without its worker, in state " << state_of(rank);
      kill(rank, SIGKILL);
      waitpid(rank, nullptr, 0);
    }
  }

  std::optional<Latencies> latencies_;
};

TEST_F(WorkerDeath, EndsAllRanks) {
  latencies_.emplace("death of a worker, until its ranks are gone");
  const int kills = count_of(7, 50);
  for (int i = 0; i < kills && !HasFailure(); ++i) {
    const int round = i / static_cast<int>(std::size(kStates));
    kill_worker(kStates[static_cast<std::size_t>(i) % std::size(kStates)], kRankCounts[(i + round) % 3],
                std::chrono::microseconds(20'000 + 7'919 * (i % 11)));
    expect_nothing_left();
  }
}

}  // namespace
}  // namespace tileput::fault
