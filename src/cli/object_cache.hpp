// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Compiled objects, kept between runs.
///
///     <command key>.inputs            the files that the command read when it last ran, separated by zero bytes
///     <name>-<content key>.so         an object; its key covers the command and the contents of those files
///     <command key>.<unique>.*        what a compiler is writing right now
///
/// Files appear by rename only, so that runs at the same time see whole files or none.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tileput::cli {

/// 128 bits of what was added. Not for secrets: the cache belongs to one user.
class Hasher {
 public:
  void add(std::string_view text);
  /// 32 hexadecimal digits.
  [[nodiscard]] std::string digits() const;

 private:
  void add_word(std::uint64_t word);
  std::uint64_t low_ = 0x243f6a8885a308d3U;
  std::uint64_t high_ = 0x13198a2e03707344U;
};

class ObjectCache {
 public:
  /// Opens TILEPUT_CACHE_DIR, else XDG_CACHE_HOME/tileput, else ~/.cache/tileput, and makes it if it is not there.
  /// Errors: kBadArgument when none of them is set, or others may write there; kSystem.
  ObjectCache();

  /// The object of that command, if nothing that it was made from has changed.
  [[nodiscard]] std::optional<std::filesystem::path> find(const std::string& command_key,
                                                          const std::string& name) const;

  /// A path for files that are being written; nobody else uses it.
  [[nodiscard]] std::filesystem::path scratch_path(const std::string& command_key) const;

  /// Takes an object over. `inputs` are the files that it was made from, by a command that began at `started`.
  std::filesystem::path store(const std::string& command_key, const std::string& name,
                              const std::filesystem::path& object, const std::vector<std::string>& inputs,
                              std::filesystem::file_time_type started) const;

 private:
  void remove_oldest() const;
  std::filesystem::path directory_;
};

/// The contents of a file; none when it cannot be read.
std::optional<std::string> read_file(const std::filesystem::path& file);

}  // namespace tileput::cli
