// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The command line of `tileput run`, and what it asks for.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/kernel_compiler.hpp"
#include "cli/tensor_spec.hpp"
#include "tileput/worker.hpp"

namespace tileput::cli {

/// As written.
struct RunCommand {
  std::vector<std::string> kernels;
  std::string core = "aiv";
  std::string orchestration;
  std::string entry = "aicpu_orchestration_entry";
  int ranks = 1;
  std::vector<std::string> in;
  std::vector<std::string> inout;
  std::vector<std::string> out;
  std::string scratch;
  std::vector<std::string> scalars;
  std::vector<std::string> saves;
  std::uint32_t calls = 1;
  std::uint64_t data_seed = 1;
  std::string platform = "cpu";
  CheckOptions check;
  std::uint64_t schedules = 1;
  bool until_fail = false;
  std::string memory_model = "hardware";
  double timeout_s = 0;
  CompilerOptions compiler;
};

struct KernelFile {
  std::int32_t func_id = 0;
  Core core = Core::kAiv;
  std::string file;
};

struct Scalar {
  enum class Kind : std::uint8_t { kRanks, kRank, kContext, kValue };
  Kind kind = Kind::kValue;
  std::uint64_t bits = 0;
};

struct SaveFile {
  std::size_t tensor = 0;
  std::string pattern;
};

/// Checked, as far as that is possible without the ranks.
struct RunPlan {
  std::vector<KernelFile> kernels;
  std::string orchestration;  ///< empty: the default one
  std::string entry;
  int ranks = 1;
  std::vector<TensorSpec> tensors;  ///< in the order of the command line
  std::optional<std::uint64_t> scratch_bytes;
  std::vector<Scalar> scalars;
  std::string arguments;  ///< what the kernel, or the orchestration, finds under which index
  std::vector<SaveFile> saves;
  std::uint32_t calls = 1;
  std::uint64_t data_seed = 1;
  Platform platform = Platform::kCpu;
  CheckOptions check;
  std::uint64_t schedules = 1;
  bool until_fail = false;
  std::chrono::nanoseconds timeout{0};
  CompilerOptions compiler;
  std::vector<std::string> words;  ///< the whole command line
};

CLI::App* add_run(CLI::App& app, RunCommand& command);

/// `words` is the whole command line. Errors: kBadArgument with what may be written.
RunPlan plan_of(const CLI::App& run, const RunCommand& command, const std::vector<std::string>& words);

}  // namespace tileput::cli
