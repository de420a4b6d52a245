// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace tileput::base {

/// As a shell reads it back.
std::string quoted(const std::string& text);

/// The same of a whole command.
std::string quoted(const std::vector<std::string>& words);

}  // namespace tileput::base
