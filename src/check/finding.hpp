// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "check/model.hpp"

namespace tileput::check {

enum class FindingKind : std::uint8_t {
  kReadWrite,    ///< RW: a read and a write without order
  kWriteWrite,   ///< WW: two writes without order
  kMixed,        ///< MIX: a plain write and an atomic without order
  kLine,         ///< LINE: writes to different words of one 64-byte line without order, at least one a write-back
  kUninit,       ///< UNINIT: a read of what nobody wrote
  kOutOfBounds,  ///< OOB: outside the region, or of a peer's memory that is not in a window
  kFlag,         ///< FLAG: event flags out of balance
  kIllegal,      ///< ILLEGAL: a barrier on a pipe the kernel does not own
  kDeadlock,     ///< DEADLOCK: nobody can go on
};
/// "RW", "WW", ...
const char* name_of(FindingKind kind) noexcept;

/// One side of a finding, in words and for machines.
struct ReportedAccess {
  int rank = 0;
  int core = 0;
  std::string core_name;  ///< "rank 0", "rank 0 core 1", "rank 1 task W"
  Pipe pipe = Pipe::kS;
  bool is_async = false;  ///< the asynchronous engine, rather than `pipe`
  Source source;
  std::string place;   ///< where the source stands: "line 12", "all_to_all_kernel.cpp:88"
  std::string access;  ///< "writes data@1[0:8]", "waits for sig@1[0] >= 2, sees 1"
};

struct Finding {
  FindingKind kind{};
  bool is_warning = false;
  std::string region = {};        ///< name of the memory, empty for FLAG, ILLEGAL, DEADLOCK
  std::string other_region = {};  ///< of LINE, where the two words belong to different regions
  std::vector<ReportedAccess> accesses = {};
  std::string missing_edge = {};  ///< the instruction that would order them, and where; or why nobody can go on
  std::uint64_t count = 1;        ///< how often, in all runs that were merged
};

/// Findings of many runs, each once: those of the same kind, region and instructions are one.
class Findings {
 public:
  void add(Finding finding);
  void merge(const Findings& other);
  [[nodiscard]] const std::vector<Finding>& all() const noexcept { return findings_; }
  [[nodiscard]] bool has_errors() const noexcept;
  /// Those that `errors` has not, as warnings.
  [[nodiscard]] Findings beyond(const Findings& errors) const;

 private:
  std::vector<Finding> findings_;
};

/// Several lines for people.
std::string describe(const Finding& finding);

}  // namespace tileput::check
