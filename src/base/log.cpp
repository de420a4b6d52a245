// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <utility>

namespace tileput::base {

spdlog::logger make_logger(std::string name) {
  return {std::move(name), std::make_shared<spdlog::sinks::stderr_sink_mt>()};
}

spdlog::logger& logger() {
  static spdlog::logger own = make_logger("tileput");
  return own;
}

}  // namespace tileput::base
