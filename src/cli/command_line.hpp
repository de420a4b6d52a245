// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tileput::cli {

/// As a shell reads it back.
std::string quoted(const std::string& text);

/// The same of a whole command.
std::string quoted(const std::vector<std::string>& words);

/// The program that a shell would start: `name` itself if it has a slash, else the first in PATH.
std::optional<std::filesystem::path> find_program(const std::string& name);

}  // namespace tileput::cli
