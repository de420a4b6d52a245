// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Source lines of addresses in object files (libdw).

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

struct Dwfl;

namespace tileput::base {

/// Finds source lines in object files; keeps each file open that it was asked about.
class SourceLines {
 public:
  SourceLines();
  ~SourceLines();

  /// "all_to_all_kernel.cpp:88": the line of `offset` bytes into the loaded `object`. Where instruction headers are
  /// inlined there, the line that uses the instruction. Empty without debug information, and in functions of those
  /// headers themselves.
  std::string find(const std::filesystem::path& object, std::uint64_t offset);

 private:
  struct Close {
    void operator()(Dwfl* dwfl) const noexcept;
  };
  std::map<std::filesystem::path, std::unique_ptr<Dwfl, Close>> objects_;
};

/// The line of an address in this process, as SourceLines::find() has it; empty outside loaded objects.
std::string line_here(const void* address);

}  // namespace tileput::base
