// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tileput::cli {

/// What the ranks of each worker of a process do, one line a rank: the table of a hang report, from outside.
/// Throws Error kNotFound if the process has no worker, kSystem if it may not be looked into.
std::string describe_job(int process_id);

}  // namespace tileput::cli
