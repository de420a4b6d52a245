// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The one error type of the library: a stable code, what happened with its values, and what to change.

#include <stdexcept>
#include <string>
#include <string_view>

namespace tileput {

/// Why something failed. The values are stable: programs may store and compare them.
enum class ErrorCode : int {
  kBadArgument = 1,      ///< an argument of a call or a command line is refused; nothing was started
  kNotFound = 2,         ///< a kernel object, helper or device that was named does not exist
  kMissingSymbol = 3,    ///< an object file lacks the entry point that was asked for
  kTooFewArguments = 4,  ///< fewer task arguments than the orchestration's expected_arg_count
  kOutOfMemory = 5,      ///< a domain or tensor is larger than the memory that may be used
  kSystem = 6,           ///< the operating system refused a call (the detail names call and errno)
  kOutOfWindow = 10,     ///< an instruction addresses memory outside every window and tensor of its task
  kOnChipOverflow = 11,  ///< a tile does not fit into the on-chip memory at its offset
  kUnboundTile = 12,     ///< an instruction was given a tile that TASSIGN never bound
  kShapeMismatch = 13,   ///< operands of an instruction do not fit each other
  kOrchestration = 20,   ///< an orchestration reported a fatal error or threw
  kKernel = 21,          ///< a kernel threw
  kAborted = 22,         ///< ended because another rank of the run, or another block of the task, failed
  kRankDied = 30,        ///< a rank's process ended without having been asked to
  kNoProgress = 31,      ///< ranks wait for ever, or the hard limit of the job passed
  kInterrupted = 40,     ///< the user ended the job
  kInternal = 99,        ///< a broken promise inside tileput itself
};

/// The stable name of a code as it is printed, for example "no-progress".
std::string_view name_of(ErrorCode code) noexcept;

/// Exit codes of every program of tileput; one table for all of them.
enum class ExitCode : int {
  kOk = 0,             ///< everything as expected
  kDiffers = 1,        ///< it ran, and the result is not the expected one: it differs, or a kernel failed
  kCannotStart = 2,    ///< bad arguments, or it could not start
  kInternal = 70,      ///< a defect of tileput
  kRankDied = 71,      ///< a rank died
  kNoProgress = 72,    ///< ranks wait for ever, or the hard limit passed
  kFinding = 73,       ///< the checker found something
  kInterrupted = 130,  ///< ended by the user
};

/// The exit code a program ends with after this error.
ExitCode exit_code_of(ErrorCode code) noexcept;

/// Thrown by every call of tileput that fails, on the host and through kernels.
///
/// what() is "<code name>: <detail> (<hint>)"; one line, unless a kernel's own text has more. Outputs of a submission
/// that failed are not copied back; SharedMemory may have been written to.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string detail, std::string hint);

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  /// What happened, with the values.
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }
  /// What to change.
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorCode code_;
  std::string detail_;
  std::string hint_;
};

}  // namespace tileput
