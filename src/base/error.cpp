// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/error.hpp"

#include <utility>

namespace tileput {

std::string_view name_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kBadArgument: return "bad-argument";
    case ErrorCode::kNotFound: return "not-found";
    case ErrorCode::kMissingSymbol: return "missing-symbol";
    case ErrorCode::kTooFewArguments: return "too-few-arguments";
    case ErrorCode::kOutOfMemory: return "out-of-memory";
    case ErrorCode::kSystem: return "system";
    case ErrorCode::kOutOfWindow: return "out-of-window";
    case ErrorCode::kOnChipOverflow: return "on-chip-overflow";
    case ErrorCode::kUnboundTile: return "unbound-tile";
    case ErrorCode::kShapeMismatch: return "shape-mismatch";
    case ErrorCode::kOrchestration: return "orchestration";
    case ErrorCode::kKernel: return "kernel";
    case ErrorCode::kAborted: return "aborted";
    case ErrorCode::kRankDied: return "rank-died";
    case ErrorCode::kNoProgress: return "no-progress";
    case ErrorCode::kInterrupted: return "interrupted";
    case ErrorCode::kInternal: return "internal";
  }
  return "unknown";
}

ExitCode exit_code_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kRankDied: return ExitCode::kRankDied;
    case ErrorCode::kNoProgress: return ExitCode::kNoProgress;
    case ErrorCode::kInterrupted: return ExitCode::kInterrupted;
    case ErrorCode::kInternal:
    case ErrorCode::kAborted: return ExitCode::kInternal;
    case ErrorCode::kOutOfWindow:
    case ErrorCode::kOnChipOverflow:
    case ErrorCode::kUnboundTile:
    case ErrorCode::kShapeMismatch:
    case ErrorCode::kOrchestration:
    case ErrorCode::kKernel: return ExitCode::kDiffers;
    default: return ExitCode::kCannotStart;
  }
}

namespace {

std::string compose(ErrorCode code, const std::string& detail, const std::string& hint) {
  std::string text(name_of(code));
  text += ": ";
  text += detail;
  if (!hint.empty()) {
    text += " (";
    text += hint;
    text += ")";
  }
  return text;
}

}  // namespace

Error::Error(ErrorCode code, std::string detail, std::string hint)
    : std::runtime_error(compose(code, detail, hint)),
      code_(code),
      detail_(std::move(detail)),
      hint_(std::move(hint)) {}

}  // namespace tileput
