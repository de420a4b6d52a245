// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/logger.h>

#include <string>

namespace tileput::base {

/// A logger of that name on stderr, the only place that the library prints to.
spdlog::logger make_logger(std::string name);

/// The process's own.
spdlog::logger& logger();

}  // namespace tileput::base
