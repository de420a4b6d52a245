// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/run_plan.hpp"

namespace tileput::cli {

/// Compiles, runs, prints and saves. Returns the program's exit code.
int run_plan(const RunPlan& plan);

}  // namespace tileput::cli
