// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tileput::cli {

/// What this machine offers to tileput, as lines of "name: value": cores, memory and its limits, single copy between
/// processes, MPI, the kernels that programs would find.
std::string describe_machine();

}  // namespace tileput::cli
