// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/object_cache.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/system.hpp"
#include "tileput/error.hpp"

namespace tileput::cli {

namespace fs = std::filesystem;

namespace {

/// An object and the list of its inputs are two files.
constexpr std::size_t kFilesMax = 512;

fs::path cache_directory() {
  const auto set = [](const char* name) -> const char* {
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : nullptr;
  };
  if (const char* const own = set("TILEPUT_CACHE_DIR")) {
    return fs::absolute(own);
  }
  if (const char* const all = set("XDG_CACHE_HOME")) {
    return fs::absolute(all) / "tileput";
  }
  if (const char* const home = set("HOME")) {
    return fs::absolute(home) / ".cache/tileput";
  }
  throw Error(ErrorCode::kBadArgument, "no place for compiled objects: HOME is not set",
              "name a directory in TILEPUT_CACHE_DIR");
}

/// What lies there is loaded as code.
void refuse_foreign(const fs::path& directory) {
  struct stat status {};
  if (stat(directory.c_str(), &status) != 0) {
    base::throw_errno("stat of " + directory.string(), "check the directory, or name another in TILEPUT_CACHE_DIR");
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("the cache {} is no directory that only its user may write to", directory.string()),
                "name a directory of your own in TILEPUT_CACHE_DIR, or chmod go-w this one");
  }
}

std::vector<std::string> split_at_zero(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, '\0');) {
    parts.push_back(part);
  }
  return parts;
}

/// None when one of the inputs is gone.
std::optional<std::string> content_key(const std::string& command_key, const std::vector<std::string>& inputs) {
  Hasher hasher;
  hasher.add(command_key);
  for (const std::string& input : inputs) {
    const std::optional<std::string> contents = read_file(input);
    if (!contents) {
      return std::nullopt;
    }
    hasher.add(input);
    hasher.add(*contents);
  }
  return hasher.digits();
}

void write_file(const fs::path& file, const std::string& contents) {
  std::ofstream out(file, std::ios::binary);
  out << contents;
  out.close();
  if (!out) {
    base::throw_errno("writing " + file.string(), "free some space, or name another directory in TILEPUT_CACHE_DIR");
  }
}

}  // namespace

void Hasher::add_word(std::uint64_t word) {
  low_ = (low_ ^ word) * 0x9e3779b97f4a7c15U;
  low_ ^= low_ >> 32U;
  high_ = (high_ ^ word) * 0xc2b2ae3d27d4eb4fU + low_;
  high_ ^= high_ >> 29U;
}

void Hasher::add(std::string_view text) {
  add_word(text.size());
  for (std::size_t at = 0; at < text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, std::min(sizeof(word), text.size() - at));
    add_word(word);
  }
}

std::string Hasher::digits() const { return fmt::format("{:016x}{:016x}", high_, low_); }

std::optional<std::string> read_file(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    return std::nullopt;
  }
  std::ifstream in(file, std::ios::binary);
  std::ostringstream contents;
  contents << in.rdbuf();
  // An empty file sets failbit on the target, not on the source.
  return in.is_open() && !in.bad() ? std::optional<std::string>(std::move(contents).str()) : std::nullopt;
}

ObjectCache::ObjectCache() : directory_(cache_directory()) {
  std::error_code error;
  fs::create_directories(directory_.parent_path(), error);
  if (mkdir(directory_.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    base::throw_errno("mkdir " + directory_.string(), "name a directory that can be made in TILEPUT_CACHE_DIR");
  }
  refuse_foreign(directory_);
}

std::optional<fs::path> ObjectCache::find(const std::string& command_key, const std::string& name) const {
  const fs::path list = directory_ / (command_key + ".inputs");
  const std::optional<std::string> inputs = read_file(list);
  const std::optional<std::string> key = inputs ? content_key(command_key, split_at_zero(*inputs)) : std::nullopt;
  if (!key) {
    return std::nullopt;
  }
  fs::path object = directory_ / fmt::format("{}-{}.so", name, *key);
  // The newest are kept. That it fails means that it is not there, or has just been removed.
  std::error_code error;
  fs::last_write_time(object, fs::file_time_type::clock::now(), error);
  if (error) {
    return std::nullopt;
  }
  fs::last_write_time(list, fs::file_time_type::clock::now(), error);
  return object;
}

fs::path ObjectCache::scratch_path(const std::string& command_key) const {
  struct Tag {};
  return directory_ / fmt::format("{}.{}-{}-{}", command_key, getpid(), base::now_ns(), base::next_number<Tag>());
}

fs::path ObjectCache::store(const std::string& command_key, const std::string& name, const fs::path& object,
                            const std::vector<std::string>& inputs, fs::file_time_type started) const {
  std::optional<std::string> key = content_key(command_key, inputs);
  const bool is_stable = std::all_of(inputs.begin(), inputs.end(), [&](const std::string& input) {
    std::error_code error;
    return fs::last_write_time(input, error) < started && !error;
  });
  if (!key || !is_stable) {
    // Whether the object is of what the files hold now is unknown: it serves this run, under a key that no other has.
    Hasher hasher;
    hasher.add(scratch_path(command_key).string());
    key = hasher.digits();
  }
  fs::path target = directory_ / fmt::format("{}-{}.so", name, *key);
  std::string list;
  for (const std::string& input : inputs) {
    list += input + '\0';
  }
  const fs::path list_scratch = scratch_path(command_key);
  write_file(list_scratch, list);
  fs::rename(object, target);
  fs::rename(list_scratch, directory_ / (command_key + ".inputs"));
  remove_oldest();
  return target;
}

void ObjectCache::remove_oldest() const {
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, error)) {
    std::error_code gone;  // another run removes, too
    const fs::file_time_type time = entry.last_write_time(gone);
    if (!gone && entry.is_regular_file(gone)) {
      files.emplace_back(time, entry.path());
    }
  }
  if (files.size() <= kFilesMax) {
    return;
  }
  std::sort(files.begin(), files.end());
  for (std::size_t i = 0; i < files.size() - kFilesMax; ++i) {
    fs::remove(files[i].second, error);
  }
}

}  // namespace tileput::cli
