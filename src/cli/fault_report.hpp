// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the command says when a kernel on the checked machine faults: ranks are fibers of this process there, so nobody
/// else is left to say it.

#include <cstddef>
#include <memory>
#include <string>

namespace tileput::cli {

/// While it lives, a fault of the calling thread ends this process with ExitCode::kRankDied, after a line on stderr
/// that has the signal, the line of the kernel, the address and `hint`. One at a time. A sanitizer's own handlers stay.
class FaultReport {
 public:
  explicit FaultReport(const std::string& hint);
  ~FaultReport();
  FaultReport(const FaultReport&) = delete;
  FaultReport& operator=(const FaultReport&) = delete;

 private:
  std::unique_ptr<std::byte[]> stack_;  ///< a kernel that overflows its own has none left
};

}  // namespace tileput::cli
