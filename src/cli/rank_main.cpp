// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The rank helper: the process that is a rank. Started by a worker with its channel as descriptor 3; of no use by hand.

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <thread>

#include "orchestration/rank_runtime.hpp"
#include "rank/placement.hpp"
#include "rank/process.hpp"
#include "tileput/worker.hpp"

namespace {

namespace orchestration = tileput::orchestration;
namespace rank = tileput::rank;

/// Ends this process as soon as the worker is gone, whatever the rank is doing. (PR_SET_PDEATHSIG would fire when the
/// worker's *thread* that spawned us ends.)
void die_with_worker(int channel_fd) {
  const int watched = fcntl(channel_fd, F_DUPFD_CLOEXEC, 0);  // stays open for the life of the process
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
  in.take<orchestration::RequestHeader>();
  const auto hello = in.take<orchestration::Hello>();
  die_with_worker(channel.fd());
  if (hello.core >= 0) {
    rank::bind_to_core(hello.core);  // refused only where the core has been taken away meanwhile
  }
  const rank::Control control(message->fds.at(0).get(), hello.ranks);
  std::vector<tileput::base::UniqueFd> heap_fds(std::make_move_iterator(message->fds.begin() + 1),
                                                std::make_move_iterator(message->fds.end()));
  tileput::domain::Heaps heaps(std::move(heap_fds), hello.stride_bytes);
  orchestration::RankRuntime(std::move(channel), control, heaps, hello, false).serve();
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
