// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace tileput::cli {

namespace fs = std::filesystem;

std::optional<fs::path> find_program(const std::string& name) {
  const auto is_program = [](const fs::path& place) {
    std::error_code error;
    return fs::is_regular_file(place, error) && access(place.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) {
    return is_program(name) ? std::optional<fs::path>(name) : std::nullopt;
  }
  const char* const list = std::getenv("PATH");
  std::istringstream entries(list == nullptr ? "" : list);
  for (std::string entry; std::getline(entries, entry, ':');) {
    if (fs::path place = fs::path(entry) / name; is_program(place)) {
      return place;
    }
  }
  return std::nullopt;
}

}  // namespace tileput::cli
