// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace tileput::cli {

/// The program that a shell would start: `name` itself if it has a slash, else the first in PATH.
std::optional<std::filesystem::path> find_program(const std::string& name);

}  // namespace tileput::cli
