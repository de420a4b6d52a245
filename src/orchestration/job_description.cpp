// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_description.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/system.hpp"
#include "rank/control.hpp"
#include "tileput/error.hpp"

namespace tileput::orchestration {

namespace {

constexpr std::uint64_t kFormat =
    (sizeof(rank::Mailboxes) + sizeof(rank::RankSlot) + rank::kBlocksMax * sizeof(rank::BlockSlot)) << 32U |
    2;  // of this and of the control memory

struct BoardHeader {
  std::uint64_t format = kFormat;
  std::uint64_t sequence = 0;
  std::uint64_t bytes = 0;
};

template <class T>
void save_all(base::Writer& out, const std::vector<T>& values) {
  out.put(static_cast<std::uint64_t>(values.size()));
  for (const T& value : values) {
    value.save(out);
  }
}

}  // namespace

JobDescription::Place JobDescription::locate(std::uint64_t word) const noexcept {
  const std::uint64_t heap = word >> heap_shift;
  const std::uint64_t offset = word & ((std::uint64_t{1} << heap_shift) - 1);
  for (const Domain& domain : domains) {
    for (std::size_t i = 0; i < domain.ranks.size(); ++i) {
      if (static_cast<std::uint64_t>(domain.ranks[i]) == heap && offset >= domain.windows[i] &&
          offset - domain.windows[i] < domain.window_bytes) {
        return {&domain, domain.ranks[i], offset - domain.windows[i]};
      }
    }
  }
  return {};
}

const LoadedObject* JobDescription::object_at(int rank, std::uint64_t address) const noexcept {
  const std::vector<LoadedObject>& objects = ranks[static_cast<std::size_t>(rank)].objects;
  const auto found = std::find_if(objects.begin(), objects.end(), [address](const LoadedObject& object) {
    return address >= object.begin && address < object.end;
  });
  return found == objects.end() ? nullptr : &*found;
}

const LoadedObject* JobDescription::object_of(int rank, std::uint64_t callable, bool is_kernel,
                                              std::int32_t func_id) const noexcept {
  const std::vector<LoadedObject>& objects = ranks[static_cast<std::size_t>(rank)].objects;
  const auto found = std::find_if(objects.begin(), objects.end(), [&](const LoadedObject& object) {
    return object.callable == callable && (object.is_kernel != 0) == is_kernel &&
           (!is_kernel || object.func_id == func_id);
  });
  return found == objects.end() ? nullptr : &*found;
}

void JobDescription::save(base::Writer& out) const {
  out.put(heap_shift).put(run).put(static_cast<std::uint64_t>(ranks.size()));
  for (const Rank& rank : ranks) {
    out.put(rank.process_id);
    save_all(out, rank.objects);
  }
  out.put(static_cast<std::uint64_t>(domains.size()));
  for (const Domain& domain : domains) {
    out.put(domain.id).put(domain.window_bytes).put(domain.ranks).put(domain.windows);
    out.put(static_cast<std::uint64_t>(domain.buffers.size()));
    for (const Buffer& buffer : domain.buffers) {
      out.put(buffer.name).put(buffer.offset).put(buffer.bytes);
    }
  }
}

void JobDescription::load(base::Reader& in) {
  in.get(heap_shift);
  in.get(run);
  ranks.resize(in.take_count());
  for (Rank& rank : ranks) {
    in.get(rank.process_id);
    rank.objects.resize(in.take_count());
    for (LoadedObject& object : rank.objects) {
      object.load(in);
    }
  }
  domains.resize(in.take_count());
  for (Domain& domain : domains) {
    in.get(domain.id);
    in.get(domain.window_bytes);
    in.get(domain.ranks);
    in.get(domain.windows);
    if (domain.windows.size() != domain.ranks.size()) {
      throw Error(ErrorCode::kInternal, "the worker's description of its job contradicts itself",
                  "worker and tileput command must be of one build");
    }
    domain.buffers.resize(in.take_count());
    for (Buffer& buffer : domain.buffers) {
      in.get(buffer.name);
      in.get(buffer.offset);
      in.get(buffer.bytes);
    }
  }
}

JobBoard::JobBoard(const char* name) : fd_(memfd_create(name, MFD_CLOEXEC)) {
  if (!fd_) {
    base::throw_errno("memfd_create", "raise the limit of open files (ulimit -n)");
  }
}

JobBoard::~JobBoard() {
  if (memory_ != nullptr) {
    munmap(memory_, capacity_);
  }
}

void JobBoard::grow(std::uint64_t bytes) {
  const std::uint64_t capacity = base::round_up(2 * bytes, base::page_bytes());
  if (fallocate(fd_.get(), 0, 0, static_cast<off_t>(capacity)) != 0) {  // a store into it cannot fail then
    base::throw_errno("fallocate of the job's description", "free some memory");
  }
  void* const memory = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (memory == MAP_FAILED) {
    base::throw_errno("mmap of the job's description", "free some memory");
  }
  if (memory_ != nullptr) {
    munmap(memory_, capacity_);
  }
  memory_ = static_cast<std::byte*>(memory);
  capacity_ = capacity;
}

void JobBoard::publish(const JobDescription& job) {
  base::Writer out;
  job.save(out);
  const std::uint64_t bytes = out.bytes().size();
  if (sizeof(BoardHeader) + bytes > capacity_) {
    grow(sizeof(BoardHeader) + bytes);
  }
  auto* const header = reinterpret_cast<BoardHeader*>(memory_);
  const std::atomic_ref<std::uint64_t> sequence(header->sequence);
  sequence.store(++sequence_, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);  // who sees any of the following sees the odd number after it
  header->format = kFormat;
  header->bytes = bytes;
  std::memcpy(memory_ + sizeof(BoardHeader), out.bytes().data(), bytes);
  sequence.store(++sequence_, std::memory_order_release);
}

JobDescription JobBoard::read(int fd) {
  constexpr int kAttempts = 10'000;
  constexpr std::uint64_t kBytesMax = 64U << 20U;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    BoardHeader before;
    BoardHeader after;
    if (pread(fd, &before, sizeof(before), 0) != sizeof(before) || before.sequence == 0) {
      sched_yield();
      continue;  // not published yet
    }
    if (before.format != kFormat) {
      throw Error(ErrorCode::kInternal, "the process has a worker of another build of tileput",
                  "use the tileput command of its build");
    }
    if (before.sequence % 2 == 0 && before.bytes <= kBytesMax) {
      std::vector<std::byte> bytes(before.bytes);
      if (pread(fd, bytes.data(), bytes.size(), sizeof(before)) == static_cast<ssize_t>(bytes.size()) &&
          pread(fd, &after, sizeof(after), 0) == sizeof(after) && after.sequence == before.sequence) {
        JobDescription job;
        base::Reader in(bytes);
        job.load(in);
        return job;
      }
    }
    sched_yield();
  }
  throw Error(ErrorCode::kInternal, "the worker's description of its job never holds still",
              "ask again; worker and tileput command must be of one build");
}

}  // namespace tileput::orchestration
