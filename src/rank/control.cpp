// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "rank/control.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "base/system.hpp"
#include "tileput/error.hpp"

namespace tileput::rank {

namespace {

std::uint64_t control_bytes(int ranks) {
  return static_cast<std::uint64_t>(ranks) *
         (sizeof(Doorbell) + sizeof(Mailboxes) + sizeof(RankSlot) + kBlocksMax * sizeof(BlockSlot));
}

}  // namespace

base::UniqueFd Control::create(int ranks, const char* name) {
  base::UniqueFd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd) {
    base::throw_errno("memfd_create", "raise the limit of open files (ulimit -n)");
  }
  if (ftruncate(fd.get(), static_cast<off_t>(control_bytes(ranks))) != 0) {
    base::throw_errno("ftruncate of the control memory", "free some memory");
  }
  return fd;
}

Control::Control(int fd, int ranks, bool read_only)
    : ranks_(ranks),
      memory_(mmap(nullptr, control_bytes(ranks), read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) {
  if (memory_ == MAP_FAILED) {
    base::throw_errno("mmap of the control memory", "free some memory");
  }
  struct stat status {};
  if (fstat(fd, &status) != 0 || static_cast<std::uint64_t>(status.st_size) < control_bytes(ranks)) {
    munmap(memory_, control_bytes(ranks_));
    throw Error(ErrorCode::kSystem,
                fmt::format("the control memory of a job has {} bytes for {} ranks", status.st_size, ranks),
                "worker and tileput command must be of one build");
  }
  // A memfd starts as zeros, which is the initial state of every field; so mapping it is constructing it, in every
  // process.
  doorbells_ = static_cast<Doorbell*>(memory_);
  mailboxes_ = reinterpret_cast<Mailboxes*>(doorbells_ + ranks);
  slots_ = reinterpret_cast<RankSlot*>(mailboxes_ + ranks);
  blocks_ = reinterpret_cast<BlockSlot*>(slots_ + ranks);
}

Control::~Control() { munmap(memory_, control_bytes(ranks_)); }

void Control::abort(int rank, std::uint64_t run) const noexcept {
  slots_[rank].aborted_run.store(run, std::memory_order_seq_cst);  // pairs with the load in Waiting::until
  ring(doorbells_[rank]);
}

void Control::reset(int rank) const noexcept {
  doorbells_[rank].sleepers.store(0, std::memory_order_seq_cst);
  std::destroy_at(&mailboxes_[rank]);
  std::construct_at(&mailboxes_[rank]);
  BlockSlot* const used = blocks(rank);
  for (int block = blocks_used(rank) - 1; block >= 0; --block) {
    std::destroy_at(&used[block]);
    std::construct_at(&used[block]);
  }
  std::destroy_at(&slots_[rank]);
  std::construct_at(&slots_[rank]);
}

}  // namespace tileput::rank
