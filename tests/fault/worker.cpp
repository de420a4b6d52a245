// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// A worker that worker_death_test.cpp kills: fault_worker <state> <ranks>. Writes "ready" and a newline to its standard
// output when it is in that state, or about to enter it, and stays there.

#include <cstring>

#include "fault/support.hpp"

namespace tileput::fault {
namespace {

void say_ready() {
  std::puts("ready");
  std::fflush(stdout);
}

int live(const std::string& state, int ranks) {
  plan();
  if (state == "start-up") {
    say_ready();
    for (;;) {
      good_job(ranks);
    }
  }
  const auto job = good_job(ranks, 0s);
  if (state == "stopped") {
    // Its last rank stops itself in a push; the others wait for it.
    arm({living(job->pid_of(ranks - 1)), Call::kPointPush, 3, Effect::kSignal, SIGSTOP});
    std::thread([] {
      while (!fired() || state_of(plan().fired_pid) != 'T') {
        std::this_thread::sleep_for(1ms);
      }
      say_ready();
    }).detach();
    job->run_good();
    return 1;
  }
  say_ready();
  if (state == "run") {
    job->run(Mode::kAllToAll, 1'000'000'000);
  } else if (state == "wait") {
    job->run(Mode::kWait, 60'000);
  } else if (state == "compute") {
    job->run(Mode::kSleep, 60'000);
  } else if (state == "idle") {
    std::this_thread::sleep_for(60s);
  }
  return 1;
}

}  // namespace
}  // namespace tileput::fault

int main(int argc, char** argv) {
  if (argc != 3) {
    return 2;
  }
  try {
    return tileput::fault::live(argv[1], std::atoi(argv[2]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fault_worker: %s\n", error.what());
    return 1;
  }
}
