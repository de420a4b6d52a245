// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How much memory may be allocated now without waking the OOM killer.

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/fd.hpp"

namespace tileput::base {

/// What limits an allocation at this moment, in bytes.
struct MemoryBudget {
  std::uint64_t available_bytes = 0;                   ///< MemAvailable of the machine
  std::optional<std::uint64_t> cgroup_headroom_bytes;  ///< tightest control group above us, if one is limited
  std::optional<std::uint64_t> limit_bytes;            ///< the caller's own limit, less what is already in use
  std::uint64_t reserve_bytes = 0;                     ///< left for everybody else

  /// What may be requested: the least of the three, less the reserve (the caller's own limit keeps no reserve).
  [[nodiscard]] std::uint64_t usable_bytes() const noexcept;
  /// "MemAvailable 20 GiB, control group 8 GiB, reserve 512 MiB".
  [[nodiscard]] std::string describe() const;
};

/// Reads the budget now. Costs a few file reads (about 50 us).
MemoryBudget memory_budget(std::optional<std::uint64_t> limit_bytes);

/// Answers for small requests in place of a look at the budget, which may cost more than all else that is done for
/// them. Thread-safe.
class SmallRequests {
 public:
  /// A look at the budget found room. For the next 100 ms requests that together are at most 1/64 of its reserve need
  /// no other look: 64 processes that ask for all of that at once stay within the reserve.
  void looked(const MemoryBudget& budget);
  /// Whether a request needs no look; it is then counted.
  bool take(std::uint64_t bytes);

 private:
  std::mutex mutex_;
  std::uint64_t left_bytes_ = 0;
  std::uint64_t until_ns_ = 0;
};

/// Total memory of the machine in bytes.
std::uint64_t total_memory_bytes();

/// Held while memory is compared with the budget and allocated, so that two jobs of one machine cannot both be told
/// yes for the same bytes. It is an advisory lock on an existing directory: no name is created anywhere.
/// Gives up after a few seconds (someone holds it forever): the check then works without the lock.
class NodeMemoryLock {
 public:
  NodeMemoryLock();

 private:
  UniqueFd directory_;
};

}  // namespace tileput::base
