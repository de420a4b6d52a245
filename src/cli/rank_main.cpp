// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The rank helper: the process that is a rank. Started by a worker with its channel as descriptor 3; of no use by hand.

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <thread>

#include "base/sanitizer.hpp"
#include "base/system.hpp"
#include "orchestration/rank_runtime.hpp"
#include "rank/crash.hpp"
#include "rank/placement.hpp"
#include "rank/process.hpp"
#include "tileput/worker.hpp"

namespace {

namespace orchestration = tileput::orchestration;
namespace rank = tileput::rank;

/// Ends this process as soon as the worker is gone, whatever the rank is doing. (PR_SET_PDEATHSIG would fire when the
/// worker's *thread* that spawned us ends.)
///
/// A stopped rank cannot watch. The kernel continues it where its process group becomes an orphan with the worker,
/// which depends on who inherits it; so it is also told by SIGCONT, which does no harm when it is only a thread that
/// ended.
void die_with_worker(int channel_fd) {
  const int watched = fcntl(channel_fd, F_DUPFD_CLOEXEC, 0);  // stays open for the life of the process
  if (watched < 0 || prctl(PR_SET_PDEATHSIG, SIGCONT) != 0) {
    tileput::base::throw_errno("watching the worker", "raise the limit of open files (ulimit -n)");
  }
  std::thread([watched] {
    pollfd entry{watched, POLLRDHUP, 0};
    while (poll(&entry, 1, -1) < 0 || (entry.revents & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL)) == 0) {
    }
    _exit(static_cast<int>(tileput::ExitCode::kRankDied));
  }).detach();
}

int serve() {
  if (fcntl(rank::kHelperChannelFd, F_SETFD, FD_CLOEXEC) != 0) {
    fmt::print(stderr, "tileput rank helper: started without a worker; run a program that uses tileput instead\n");
    return static_cast<int>(tileput::ExitCode::kCannotStart);
  }
  rank::Channel channel{tileput::base::UniqueFd(rank::kHelperChannelFd)};
  auto message = channel.receive();
  if (!message) {
    return static_cast<int>(tileput::ExitCode::kRankDied);
  }
  tileput::base::Reader in(message->bytes);
  const auto header = in.take<orchestration::RequestHeader>();
  const auto hello = in.take<orchestration::Hello>();
  die_with_worker(channel.fd());
  if (hello.core >= 0) {
    rank::bind_to_core(hello.core);  // refused only where the core has been taken away meanwhile
  }
  const rank::Control control(message->fds.at(0).get(), hello.ranks);
  if constexpr (!tileput::base::kAddressSanitizer && !tileput::base::kThreadSanitizer) {  // those report signals
    rank::install_crash_handler(control.slot(hello.rank));
  }
  std::vector<tileput::base::UniqueFd> heap_fds(std::make_move_iterator(message->fds.begin() + 1),
                                                std::make_move_iterator(message->fds.end()));
  tileput::domain::Heaps heaps(std::move(heap_fds), hello.stride_bytes);
  orchestration::RankRuntime runtime(std::move(channel), control, heaps, hello, false);
  runtime.greet(header.id);
  runtime.serve();
  return 0;
}

}  // namespace

int main() {
  try {
    return serve();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tileput rank helper: %s\n", error.what());
    return static_cast<int>(tileput::ExitCode::kInternal);
  }
}
