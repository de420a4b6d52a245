// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/object_cache.hpp"

namespace tileput::cli {

enum class ObjectKind : std::uint8_t { kVectorKernel, kCubeKernel, kOrchestration };

struct CompilerOptions {
  /// A program and words before all others, separated by blanks; empty: CXX, else g++ or clang++.
  std::string compiler;
  std::vector<std::string> include_directories;
  std::vector<std::string> definitions;
  /// Objects are copied here as <name of the source>.so; empty: nowhere.
  std::string keep_directory;
  /// Commands, and what is taken from the cache, are said on stderr.
  bool is_verbose = false;
};

/// Makes objects of sources as tileput_add_kernel() and tileput_add_orchestration() do.
class KernelCompiler {
 public:
  explicit KernelCompiler(CompilerOptions options) : options_(std::move(options)) {}

  /// The object of that file, which is a source or, with the extension .so, an object already. What the compiler says
  /// goes to stderr.
  /// Errors: kNotFound (file, compiler), kBadArgument when it does not compile.
  std::filesystem::path object_of(const std::string& file, ObjectKind kind);

 private:
  std::filesystem::path compile(const std::filesystem::path& source, ObjectKind kind);
  const std::vector<std::string>& compiler();
  bool is_gnu(const std::filesystem::path& scratch);

  CompilerOptions options_;
  std::vector<std::string> compiler_;  ///< program and first words; empty before the first use
  std::optional<ObjectCache> cache_;
};

/// What comes with the program: `place` relative to the directory of its libraries, lib/tileput.
/// Errors: kNotFound with every place looked at.
std::filesystem::path find_support_file(const std::string& place);

}  // namespace tileput::cli
